#pragma once

#include <cstddef>

namespace skiff::forwarder::testing {

// The most descriptors that this process may have, after it asked for `wanted`.
std::size_t allow_open_files(std::size_t wanted);

// While it lives, this process can open no further descriptor.
class NoMoreOpenFiles {
 public:
  NoMoreOpenFiles();
  ~NoMoreOpenFiles();
  NoMoreOpenFiles(const NoMoreOpenFiles&) = delete;
  NoMoreOpenFiles& operator=(const NoMoreOpenFiles&) = delete;

 private:
  std::size_t limit_before_;
};

}  // namespace skiff::forwarder::testing
