#include "agent/handover_state.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace skiff::agent {

using forwarder::CarriedConnections;
using forwarder::CarriedConsumer;
using forwarder::CarriedInbound;
using forwarder::CarriedSocket;
using forwarder::Fd;
using forwarder::PendingRequest;
using nlohmann::json;

namespace {

json binary(const std::vector<std::byte>& bytes) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return json::binary(std::vector<std::uint8_t>(first, first + bytes.size()));
}

std::vector<std::byte> bytes_of(const json& value) {
  const auto& binary = value.get_binary();
  const auto* first = reinterpret_cast<const std::byte*>(binary.data());
  return {first, first + binary.size()};
}

std::chrono::steady_clock::time_point time_of(const json& nanoseconds) {
  const auto& count = nanoseconds.get_ref<const json::number_unsigned_t&>();
  if (std::cmp_greater(count, std::chrono::nanoseconds::max().count()))
    throw std::out_of_range("a time");
  return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(count));
}

// Descriptors go beside the text, in the order in which it mentions them.
class Writer {
 public:
  json socket(CarriedSocket socket) {
    json made = {{"connecting", socket.is_connecting},
                 {"skipped_left", socket.skipped_left},
                 {"half_sent", socket.half_sent}};
    if (!socket.unread.empty()) made["unread"] = binary(socket.unread);
    if (!socket.unwritten.empty()) made["unwritten"] = binary(socket.unwritten);
    descriptors_.push_back(std::move(socket.fd));
    return made;
  }

  json consumer(CarriedConsumer consumer) {
    json made = {{"socket", socket(std::move(consumer.socket))}, {"answers", json::array()}};
    for (CarriedConsumer::Answers& one : consumer.answers) {
      made["answers"].push_back({{"owed", one.owed}, {"socket", socket(std::move(one.socket))}});
    }
    return made;
  }

  json inbound(CarriedInbound inbound) {
    json made = {{"socket", socket(std::move(inbound.socket))},
                 {"links", json::array()},
                 {"pending", requests(inbound.pending)},
                 {"callbacks", requests(inbound.callbacks)},
                 {"used_ports", inbound.used_ports}};
    for (CarriedInbound::Link& link : inbound.links) {
      made["links"].push_back({{"port", link.port}, {"socket", socket(std::move(link.socket))}});
    }
    return made;
  }

  std::vector<Fd> take_descriptors() { return std::move(descriptors_); }

 private:
  static json requests(const std::vector<PendingRequest>& requests) {
    json made = json::array();
    for (const PendingRequest& one : requests) {
      made.push_back({one.id, one.port, static_cast<int>(one.serialization), one.since_s});
    }
    return made;
  }

  std::vector<Fd> descriptors_;
};

// Throws what json throws where something is not as expected.
class Reader {
 public:
  explicit Reader(std::vector<Fd> descriptors) : descriptors_(std::move(descriptors)) {}

  CarriedSocket socket(const json& from) {
    CarriedSocket made;
    made.fd = std::move(descriptors_.at(next_++));
    made.is_connecting = from.value("connecting", false);
    made.skipped_left = from.value("skipped_left", std::uint32_t{0});
    made.half_sent = from.value("half_sent", std::uint32_t{0});
    if (from.contains("unread")) made.unread = bytes_of(from.at("unread"));
    if (from.contains("unwritten")) made.unwritten = bytes_of(from.at("unwritten"));
    if (made.half_sent > made.unwritten.size()) throw std::out_of_range("half_sent");
    return made;
  }

  CarriedConsumer consumer(const json& from) {
    CarriedConsumer made;
    made.socket = socket(from.at("socket"));
    for (const json& one : from.at("answers")) {
      made.answers.push_back({.socket = socket(one.at("socket")), .owed = one.at("owed")});
    }
    return made;
  }

  CarriedInbound inbound(const json& from) {
    CarriedInbound made;
    made.socket = socket(from.at("socket"));
    for (const json& link : from.at("links")) {
      made.links.push_back({.socket = socket(link.at("socket")), .port = link.at("port")});
    }
    made.pending = requests(from.at("pending"));
    made.callbacks = requests(from.at("callbacks"));
    made.used_ports = from.at("used_ports").get<std::vector<std::uint16_t>>();
    return made;
  }

  bool has_used_all() const { return next_ == descriptors_.size(); }

 private:
  static std::vector<PendingRequest> requests(const json& from) {
    std::vector<PendingRequest> made;
    for (const json& one : from) {
      made.push_back({.id = one.at(0),
                      .port = one.at(1),
                      .serialization = static_cast<dubbo::Serialization>(one.at(2).get<int>()),
                      .since_s = one.at(3)});
    }
    return made;
  }

  std::vector<Fd> descriptors_;
  std::size_t next_ = 0;
};

}  // namespace

HandoverState to_handover_state(CarriedConnections connections) {
  Writer writer;
  json all = {
      {"stopped_at_ns", json::number_unsigned_t(connections.stopped_at.time_since_epoch().count())},
      {"consumers", json::array()},
      {"inbound", json::array()}};
  for (CarriedConsumer& one : connections.consumers) {
    all["consumers"].push_back(writer.consumer(std::move(one)));
  }
  for (CarriedInbound& one : connections.inbound) {
    all["inbound"].push_back(writer.inbound(std::move(one)));
  }
  HandoverState state;
  json::to_cbor(all, state.text);
  state.descriptors = writer.take_descriptors();
  return state;
}

Result<CarriedConnections> from_handover_state(std::string_view text, std::vector<Fd> descriptors) {
  try {
    const json all = json::from_cbor(text);
    Reader reader(std::move(descriptors));
    CarriedConnections connections;
    connections.stopped_at = time_of(all.at("stopped_at_ns"));
    for (const json& one : all.at("consumers"))
      connections.consumers.push_back(reader.consumer(one));
    for (const json& one : all.at("inbound")) connections.inbound.push_back(reader.inbound(one));
    if (!reader.has_used_all()) {
      return fail(ErrorCode::kMalformed, "more descriptors came than connections");
    }
    return connections;
  } catch (const std::exception& error) {
    return fail(ErrorCode::kMalformed,
                std::string("the connections handed over cannot be read: ") + error.what());
  }
}

}  // namespace skiff::agent
