#include "agent/inherited_descriptors.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "agent/descriptor_store.h"
#include "forwarder/stream_position.h"

namespace skiff::agent {
namespace {

using forwarder::Fd;
using forwarder::SocketAddress;
using forwarder::StreamMark;

struct Named {
  std::string name;
  Fd fd;
};

std::vector<Named> received() {
  char** names = nullptr;
  const int count = sd_listen_fds_with_names(1, &names);
  std::vector<Named> all;
  for (int i = 0; i < count; ++i) {
    all.push_back({.name = names[i], .fd = Fd(SD_LISTEN_FDS_START + i)});
    std::free(names[i]);
  }
  std::free(names);
  return all;
}

std::string where(int fd) {
  sockaddr_un address{};
  socklen_t size = sizeof(address);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
      address.sun_family == AF_UNIX) {
    return "unix:" +
           std::string(address.sun_path, strnlen(address.sun_path, sizeof(address.sun_path)));
  }
  return SocketAddress::local_of(fd).to_string();
}

// What the mark of a connection says of it; the connection alone says nothing.
class Positions {
 public:
  explicit Positions(const std::vector<StreamMarks>& all) {
    for (const StreamMarks& marks : all) {
      for (const StreamMark& mark : marks.all()) marks_[mark.connection].push_back(&mark);
    }
  }
  bool is_at_boundary(int fd) const {
    const auto found = marks_.find(socket_cookie(fd));
    const auto written = forwarder::written_position(fd);
    return found != marks_.end() && found->first != 0 && written &&
           std::ranges::all_of(found->second, [&](const StreamMark* mark) {
             return mark->is_at_boundary(*written);
           });
  }

 private:
  std::unordered_map<std::uint64_t, std::vector<const StreamMark*>> marks_;  // by connection
};

// Takes those of `all` that `is_wanted` out of it.
template <typename T, typename IsWanted>
std::vector<T> take_if(std::vector<T>& all, IsWanted is_wanted) {
  const auto rest =
      std::stable_partition(all.begin(), all.end(), [&](const T& one) { return !is_wanted(one); });
  std::vector<T> taken(std::make_move_iterator(rest), std::make_move_iterator(all.end()));
  all.erase(rest, all.end());
  return taken;
}

}  // namespace

InheritedDescriptors InheritedDescriptors::from_environment() {
  InheritedDescriptors inherited;
  std::vector<Named> all = received();
  for (Named& one :
       take_if(all, [](const Named& n) { return n.name == DescriptorStore::kMarks; })) {
    if (auto marks = StreamMarks::open(std::move(one.fd))) {
      inherited.marks_.push_back(std::move(*marks));
    }
  }
  const Positions positions(inherited.marks_);
  std::size_t broken = 0;
  for (Named& one : all) {
    const int fd = one.fd.get();
    if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) > 0) {
      inherited.add_listener(one.name, std::move(one.fd));
    } else if (one.name == DescriptorStore::kConsumer && positions.is_at_boundary(fd)) {
      inherited.consumers_.push_back(std::move(one.fd));
    } else {
      ++broken;
      shutdown(fd, SHUT_RDWR);
    }
  }
  if (!all.empty()) {
    spdlog::info(
        "systemd kept {} listeners and {} consumers' connections for this process; {} more are "
        "closed: "
        "they were in the middle of a frame, or are not known",
        inherited.listeners_.size(), inherited.consumers_.size(), broken);
  }
  return inherited;
}

// One of skiff.socket may be in the store, too.
void InheritedDescriptors::add_listener(const std::string& name, Fd fd) {
  const auto is_same = [&](const Listener& other) {
    return socket_cookie(other.fd.get()) == socket_cookie(fd.get());
  };
  if (std::ranges::any_of(listeners_, is_same)) return;
  fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
  listeners_.push_back({.name = name, .fd = std::move(fd)});
}

HandedListeners InheritedDescriptors::take_listeners(const AgentConfig& config) {
  HandedListeners taken;
  taken.ports.outbound = take_port(DescriptorStore::kOutbound, config.forwarder.outbound);
  taken.ports.inbound = take_port(DescriptorStore::kInbound, config.forwarder.inbound);
  for (const ApiAddress& wanted : config.api) {
    auto found = take_if(
        listeners_, [&](const Listener& one) { return where(one.fd.get()) == wanted.to_string(); });
    if (found.empty()) continue;
    taken.api.push_back({.address = wanted.to_string(), .fd = std::move(found.front().fd)});
  }
  close_listeners();
  return taken;
}

// Sockets of skiff.socket have names of the administrator's.
std::vector<Fd> InheritedDescriptors::take_port(const std::string& name,
                                                const forwarder::ListenAddress& wanted) {
  const auto is_it = [&](const Listener& one) {
    const bool is_others = one.name != name && (one.name == DescriptorStore::kOutbound ||
                                                one.name == DescriptorStore::kInbound ||
                                                one.name == DescriptorStore::kApi);
    return !is_others && forwarder::check_listens_on(one.fd, wanted);
  };
  std::vector<Fd> taken;
  for (Listener& one : take_if(listeners_, is_it)) taken.push_back(std::move(one.fd));
  for (const Fd& fd : taken) forwarder::prepare_listener(fd.get());
  return taken;
}

void InheritedDescriptors::close_listeners() {
  if (listeners_.empty()) return;
  for (const Listener& one : listeners_) {
    spdlog::warn(
        "systemd gave a socket that listens on {}, which is not in the configuration; it is closed",
        where(one.fd.get()));
    DescriptorStore::remove(one.name.c_str());
  }
  listeners_.clear();
  constexpr std::uint64_t kBarrierMicroseconds = 2'000'000;
  sd_notify_barrier(0, kBarrierMicroseconds);
}

std::vector<forwarder::CarriedConsumer> InheritedDescriptors::take_consumers() {
  std::vector<forwarder::CarriedConsumer> carried;
  carried.reserve(consumers_.size());
  for (const StreamMarks& marks : marks_) {
    for (StreamMark& mark : marks.all()) mark.is_within_frame = true;
  }
  for (Fd& fd : consumers_) carried.push_back({.socket = {.fd = std::move(fd)}});
  consumers_.clear();
  return carried;
}

}  // namespace skiff::agent
