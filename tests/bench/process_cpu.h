#pragma once

#include <sys/types.h>

#include <chrono>

#include "dubbo/result.h"

namespace skiff::bench {

// User and system time that all threads of a process have used so far, in the steps of the kernel's
// clock tick (10 ms). Fails where there is no such process.
Result<std::chrono::microseconds> cpu_time_of(pid_t process);

// What this process used, exactly.
std::chrono::microseconds own_cpu_time();

}  // namespace skiff::bench
