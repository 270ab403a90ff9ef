#include "tests/unit/support/allocation_counter.h"

#include <pthread.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <new>
#include <string_view>

namespace {

thread_local bool counts_here = false;
std::atomic<const char*> counted_thread{nullptr};
std::atomic<std::size_t> allocations{0};

bool is_in_thread(std::string_view name) {
  thread_local const auto own_name = [] {
    std::array<char, 16> text{};
    pthread_getname_np(pthread_self(), text.data(), text.size());
    return text;
  }();
  return name == own_name.data();
}

bool is_counted() {
  const char* const name = counted_thread.load(std::memory_order_relaxed);
  return counts_here || (name != nullptr && is_in_thread(name));
}

// To find who allocates, set a breakpoint here.
[[gnu::noinline]] void note_allocation() { ++allocations; }

void* counted_malloc(std::size_t size) {
  if (is_counted()) note_allocation();
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
  counts_here = true;
}

AllocationCounter::AllocationCounter(const char* thread_name) {
  allocations = 0;
  counted_thread = thread_name;
}

AllocationCounter::~AllocationCounter() {
  counts_here = false;
  counted_thread = nullptr;
}

std::size_t AllocationCounter::count() const { return allocations; }

}  // namespace skiff
