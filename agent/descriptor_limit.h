#pragma once

#include <cstddef>
#include <cstdint>

namespace skiff::agent {

// What an agent has descriptors reserved for from its start: 8 bytes of kernel memory each.
inline constexpr std::size_t kReservedDescriptors = 16'384;

// Lets this process open as many as it may at most (RLIMIT_NOFILE), and returns how many that are.
std::uint64_t raise_descriptor_limit();

// Makes the kernel's table of this process's descriptors large enough for so many, as far as the
// limit goes. It grows by itself, to the next power of two each time; but where threads share it,
// whoever opens or accepts the one that is too much stands still for some 10 to 25 ms: until no CPU
// may be looking at the old table any more (Linux, expand_fdtable() waits in synchronize_rcu()). So
// this is for a process's start, before its threads, and for moments in which nobody waits.
void reserve_descriptors(std::size_t count);

}  // namespace skiff::agent
