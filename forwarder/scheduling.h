#pragma once

namespace skiff::forwarder {

// Asks the kernel to let the calling thread run soon after it is woken, in return for shorter turns
// (limits::kSchedulingSlice) where others want the CPU, too. It gets no larger share of it. Linux
// 6.12 and later; older ones, and other policies than the default, stay as they are.
void ask_for_short_turns();

}  // namespace skiff::forwarder
