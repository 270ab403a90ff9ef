#include "agent/state_dir.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace skiff::agent {
namespace {

tl::unexpected<Error> unusable(const std::string& path, const std::string& why) {
  return fail(ErrorCode::kUnavailable, "--state-dir " + path + ": " + why);
}

bool is_writable(const std::string& path) { return access(path.c_str(), W_OK | X_OK) == 0; }

Result<void> check_folder(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return unusable(path, std::strerror(errno));
  if (!S_ISDIR(info.st_mode)) return unusable(path, "is not a folder");
  return {};
}

}  // namespace

Result<void> prepare_state_dir(const std::string& path) {
  constexpr mode_t kMode = 0750;
  if (mkdir(path.c_str(), kMode) != 0 && errno != EEXIST) {
    const int error = errno;
    // Where nothing can be created any more, what exists is still of use.
    if (!check_folder(path)) {
      return unusable(path, std::string("cannot be created: ") + std::strerror(error));
    }
  }
  return check_folder(path);
}

Result<std::string> choose_state_dir(const std::string& wanted) {
  if (!wanted.empty()) return prepare_state_dir(wanted).map([&] { return wanted; });
  if (!check_folder(kDefaultStateDir) || !is_writable(kDefaultStateDir)) return "";
  if (const auto lock = StateDirLock::take(kDefaultStateDir); !lock) {
    spdlog::warn("{}; this agent remembers nothing over a restart", lock.error().message);
    return "";
  }
  return kDefaultStateDir;
}

Result<StateDirLock> StateDirLock::take(const std::string& path) {
  forwarder::Fd folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return unusable(path, std::strerror(errno));
  if (flock(folder.get(), LOCK_EX | LOCK_NB) == 0) return StateDirLock(std::move(folder));
  if (errno != EWOULDBLOCK) {  // some network file systems have no such locks
    spdlog::warn("--state-dir {}: cannot be locked against other agents: {}", path,
                 std::strerror(errno));
    return StateDirLock(std::move(folder));
  }
  return unusable(path, "another agent uses it");
}

}  // namespace skiff::agent
