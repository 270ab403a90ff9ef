#pragma once

#include <cstddef>

namespace skiff {

// Counts what its thread allocates with `new`, from its construction on; one at a time in a thread.
// A program that is linked with allocation_counter.cpp has its global operator new replaced for it.
class AllocationCounter {
 public:
  AllocationCounter();
  ~AllocationCounter();
  AllocationCounter(const AllocationCounter&) = delete;
  AllocationCounter& operator=(const AllocationCounter&) = delete;

  std::size_t count() const;
};

}  // namespace skiff
