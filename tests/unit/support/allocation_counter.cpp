#include "tests/unit/support/allocation_counter.h"

#include <cstdlib>
#include <new>

namespace {

thread_local bool is_counting = false;
thread_local std::size_t allocations = 0;

void* counted_malloc(std::size_t size) {
  if (is_counting) ++allocations;
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// Not inlined: GCC would see free() take what, for all it knows, `new` has made.
[[gnu::noinline]] void* operator new(std::size_t size) { return counted_malloc(size); }
[[gnu::noinline]] void* operator new[](std::size_t size) { return counted_malloc(size); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}

namespace skiff {

AllocationCounter::AllocationCounter() {
  allocations = 0;
  is_counting = true;
}

AllocationCounter::~AllocationCounter() { is_counting = false; }

std::size_t AllocationCounter::count() const { return allocations; }

}  // namespace skiff
