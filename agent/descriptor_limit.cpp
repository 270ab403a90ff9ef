#include "agent/descriptor_limit.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include <algorithm>

#include "forwarder/socket.h"

namespace skiff::agent {

using forwarder::Fd;

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

void reserve_descriptors(std::size_t count) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const auto last = std::min<std::uint64_t>(count, limit.rlim_cur) - 1;
  const Fd any(eventfd(0, EFD_CLOEXEC));
  // The table is never made smaller again.
  const Fd at_the_end(fcntl(any.get(), F_DUPFD_CLOEXEC, static_cast<int>(last)));
}

}  // namespace skiff::agent
