#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>

#include "tests/unit/support/allocation_counter.h"

namespace skiff::bench {

// Runs `step` over and over. One run of it is `pieces` of what is measured; the counters "each" (in
// seconds of CPU time) and "allocations" are for one of them.
template <typename Step>
void measure(benchmark::State& state, std::size_t pieces, Step step) {
  step();  // what is allocated once, and kept, is not what a request costs
  const AllocationCounter allocations;
  for ([[maybe_unused]] auto run : state) step();
  const double count = static_cast<double>(state.iterations()) * static_cast<double>(pieces);
  state.counters["allocations"] = static_cast<double>(allocations.count()) / count;
  using benchmark::Counter;
  state.counters["each"] = Counter(count, Counter::kIsRate | Counter::kInvert);
}

}  // namespace skiff::bench
