#pragma once

#include <cstddef>

namespace skiff {

// Counts what a thread allocates with `new`, from its construction on; one at a time in a program.
// A program that is linked with allocation_counter.cpp has its global operator new replaced for it.
class AllocationCounter {
 public:
  AllocationCounter();  // of the thread that calls it
  // Of all threads of that name, which must not change once they allocate; `thread_name` must
  // outlive the counter.
  explicit AllocationCounter(const char* thread_name);
  ~AllocationCounter();
  AllocationCounter(const AllocationCounter&) = delete;
  AllocationCounter& operator=(const AllocationCounter&) = delete;

  std::size_t count() const;
};

}  // namespace skiff
