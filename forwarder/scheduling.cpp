#include "forwarder/scheduling.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>

#include "forwarder/limits.h"

namespace skiff::forwarder {

namespace {

// As in sched_setattr(2), first version; Debian 12's C library has neither it nor the calls, and
// the kernel's header cannot be included beside <sched.h>.
struct SchedulingAttributes {
  std::uint32_t size;
  std::uint32_t policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime;  // nanoseconds; of the default policy: the slice
  std::uint64_t deadline;
  std::uint64_t period;
};
static_assert(sizeof(SchedulingAttributes) == 48);

}  // namespace

// The earlier a thread's slice would end, the earlier EEVDF picks it among those that wait (kernel
// documentation, scheduler/sched-eevdf).
void ask_for_short_turns() {
  SchedulingAttributes attributes{};
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0U) != 0) return;
  if (attributes.policy != SCHED_OTHER) return;
  attributes.runtime = std::chrono::nanoseconds(limits::kSchedulingSlice).count();
  syscall(SYS_sched_setattr, 0, &attributes, 0U);
}

}  // namespace skiff::forwarder
