#include "tests/bench/process_cpu.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace skiff::bench {

using std::chrono::microseconds;

Result<microseconds> cpu_time_of(pid_t process) {
  const std::string path = "/proc/" + std::to_string(process) + "/stat";
  std::ifstream file(path);
  const std::string line{std::istreambuf_iterator<char>(file), {}};
  // The second field, the command in parentheses, may hold anything; utime and stime are the 14th
  // and 15th (proc(5)).
  const std::size_t command_end = line.rfind(')');
  if (command_end == std::string::npos)
    return fail(ErrorCode::kNotFound, path + ": cannot be read");
  std::istringstream fields(line.substr(command_end + 1));
  constexpr int kFieldsBetween = 11;
  std::string skipped;
  for (int i = 0; i < kFieldsBetween; ++i) fields >> skipped;
  std::int64_t user = 0;
  std::int64_t system = 0;
  if (!(fields >> user >> system))
    return fail(ErrorCode::kMalformed, path + ": cannot be understood");
  static const std::int64_t ticks_per_second = sysconf(_SC_CLK_TCK);
  return microseconds((user + system) * 1'000'000 / ticks_per_second);
}

microseconds own_cpu_time() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return microseconds(time.tv_sec * 1'000'000 + time.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

}  // namespace skiff::bench
