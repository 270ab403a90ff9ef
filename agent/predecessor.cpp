#include "agent/predecessor.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "agent/durations.h"
#include "agent/handover_state.h"
#include "agent/text.h"
#include "agent/version.h"

namespace skiff::agent {

using forwarder::Fd;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

constexpr auto kSendTime = 1s;
// It has to wait for the API's calls, the disk, and the registries.
constexpr auto kAnswerTime = 20s;
constexpr auto kFarewellTime = 5s;

// `read` may throw what json throws.
template <typename Read>
auto guarded(Read read) -> decltype(read()) {
  try {
    return read();
  } catch (const json::exception& error) {
    return fail(ErrorCode::kMalformed,
                std::string("what the running agent says cannot be read: ") + error.what());
  }
}

Result<std::string> content_of(const Fd& file) {
  struct stat info {};
  if (fstat(file.get(), &info) != 0 || info.st_size < 0 ||
      static_cast<std::size_t>(info.st_size) > kMaxHandoverBytes) {
    return fail(ErrorCode::kTooLarge, "more connections were handed over than can be read");
  }
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t got = 0;
  while (got < text.size()) {
    const ssize_t n =
        pread(file.get(), text.data() + got, text.size() - got, static_cast<off_t>(got));
    if (n <= 0) return fail(ErrorCode::kUnavailable, "the connections cannot be read");
    got += static_cast<std::size_t>(n);
  }
  return text;
}

}  // namespace

std::optional<Predecessor> Predecessor::from_environment() {
  const char* text = std::getenv(kVariable);
  if (text == nullptr) return std::nullopt;
  const auto number = parse_number(text, 3, 1U << 30);
  unsetenv(kVariable);
  if (!number || fcntl(static_cast<int>(*number), F_SETFD, FD_CLOEXEC) != 0) return std::nullopt;
  // systemd's, which names the process that it has started.
  if (std::getenv("WATCHDOG_PID") != nullptr) {
    setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  }
  return Predecessor(HandoverChannel(Fd(static_cast<int>(*number))));
}

void Predecessor::give_up(const std::string& reason) {
  constexpr std::size_t kMaxReasonBytes = std::size_t{8} * 1024;
  const json message = {{"type", "failed"},
                        {"reason", std::string(cut_utf8(reason, kMaxReasonBytes))}};
  (void)channel_.send(message, {}, kSendTime);
}

Result<HandoverChannel::Message> Predecessor::exchange(const json& said, const std::string& next) {
  if (auto sent = channel_.send(said, {}, kSendTime); !sent) {
    return tl::unexpected<Error>(std::move(sent.error()));
  }
  return channel_.receive(next, kAnswerTime);
}

Result<HandedListeners> Predecessor::greet() {
  const json hello = {{"type", "hello"},
                      {"protocol", {HandoverChannel::kProtocolMin, HandoverChannel::kProtocolMax}},
                      {"version", std::string(version()) + " (" + std::string(commit()) + ")"}};
  auto welcome = exchange(hello, "welcome");
  if (!welcome) return tl::unexpected<Error>(std::move(welcome.error()));
  return guarded([&]() -> Result<HandedListeners> {
    const json& content = welcome->content;
    HandedListeners listeners;
    for (const auto& [name, target] : {std::pair("outbound", &listeners.ports.outbound),
                                       std::pair("inbound", &listeners.ports.inbound)}) {
      auto descriptors =
          channel_.receive_descriptors(content.at(name).get<std::size_t>(), kSendTime);
      if (!descriptors) return tl::unexpected<Error>(std::move(descriptors.error()));
      *target = std::move(*descriptors);
    }
    const auto addresses = content.at("api").get<std::vector<std::string>>();
    auto descriptors = channel_.receive_descriptors(addresses.size(), kSendTime);
    if (!descriptors) return tl::unexpected<Error>(std::move(descriptors.error()));
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      listeners.api.push_back({.address = addresses[i], .fd = std::move((*descriptors)[i])});
    }
    return listeners;
  });
}

Result<HandedState> Predecessor::ask_for_state() {
  auto message = exchange({{"type", "checked"}}, "state");
  if (!message) return tl::unexpected<Error>(std::move(message.error()));
  return guarded([&]() -> Result<HandedState> {
    if (message->descriptors.size() != 1) {
      return fail(ErrorCode::kMalformed, "the lock of the state folder did not come");
    }
    const json& content = message->content;
    return HandedState{.folder = content.at("folder"),
                       .lock = std::move(message->descriptors.front()),
                       .lists_frozen = content.value("lists_frozen", false),
                       .descriptors = content.at("descriptors").get<std::size_t>(),
                       .connected = content.at("connected").get<std::vector<std::string>>()};
  });
}

Result<void> Predecessor::take_connections(
    const std::function<void(forwarder::CarriedConnections)>& adopt) {
  Result<void> said = channel_.send({{"type", "prepared"}}, {}, kSendTime);
  while (said) {
    auto message = channel_.receive_one_of({"connections", "go"}, kAnswerTime);
    if (!message) return tl::unexpected<Error>(std::move(message.error()));
    if (message->content.at("type") == "go") return {};
    auto connections = connections_of(std::move(*message));
    if (!connections) return tl::unexpected<Error>(std::move(connections.error()));
    // Not the other way round: what nobody has said to be taken, the agent may take back.
    said = channel_.send({{"type", "taken"}}, {}, kSendTime);
    if (said) adopt(std::move(*connections));
  }
  return said;
}

Result<forwarder::CarriedConnections> Predecessor::connections_of(
    HandoverChannel::Message message) {
  return guarded([&]() -> Result<forwarder::CarriedConnections> {
    if (message.descriptors.empty()) {
      return fail(ErrorCode::kMalformed, "the file of the connections did not come");
    }
    const Fd file = std::move(message.descriptors.front());
    std::vector<Fd> sockets = std::move(message.descriptors);
    sockets.erase(sockets.begin());
    const auto count = message.content.at("descriptors").get<std::size_t>();
    auto rest = channel_.receive_descriptors(count - std::min(count, sockets.size()), kSendTime);
    if (!rest) return tl::unexpected<Error>(std::move(rest.error()));
    std::ranges::move(*rest, std::back_inserter(sockets));
    auto text = content_of(file);
    if (!text) return tl::unexpected<Error>(std::move(text.error()));
    return from_handover_state(*text, std::move(sockets));
  });
}

std::vector<Fd> Predecessor::api_clients() {
  auto message = channel_.receive("api_clients", kAnswerTime);
  if (!message) return {};
  auto clients = guarded([&] {
    return channel_.receive_descriptors(message->content.at("descriptors").get<std::size_t>(),
                                        kSendTime);
  });
  return clients ? std::move(*clients) : std::vector<Fd>{};
}

void Predecessor::finish(std::chrono::microseconds pause) {
  const json serving = {{"type", "serving"}, {"pause_us", pause.count()}};
  if (!channel_.send(serving, {}, kSendTime)) return;
  if (!channel_.receive("farewell", kFarewellTime)) {
    spdlog::warn("the agent before this one did not say farewell");
  }
}

}  // namespace skiff::agent
