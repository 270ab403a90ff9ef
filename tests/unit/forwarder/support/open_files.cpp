#include "support/open_files.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace skiff::forwarder::testing {
namespace {

rlimit current_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) throw std::runtime_error("getrlimit failed");
  return limit;
}

void set_soft_limit(std::size_t files) {
  rlimit limit = current_limit();
  limit.rlim_cur = files;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) throw std::runtime_error("setrlimit failed");
}

}  // namespace

std::size_t allow_open_files(std::size_t wanted) {
  rlimit limit = current_limit();
  if (limit.rlim_max < wanted) {  // only some may
    const rlimit raised{wanted, wanted};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return wanted;
  }
  if (limit.rlim_cur < wanted) set_soft_limit(std::min<std::size_t>(wanted, limit.rlim_max));
  return current_limit().rlim_cur;
}

NoMoreOpenFiles::NoMoreOpenFiles() : limit_before_(current_limit().rlim_cur) {
  // The limit is one on numbers, and the kernel gives out the lowest one that is free.
  const int lowest_free = dup(0);
  if (lowest_free < 0) throw std::runtime_error("dup failed");
  ::close(lowest_free);
  set_soft_limit(static_cast<std::size_t>(lowest_free));
}

NoMoreOpenFiles::~NoMoreOpenFiles() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit_before_;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace skiff::forwarder::testing
