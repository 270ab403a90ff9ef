#include "agent/state_dir.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace skiff::agent {
namespace {

tl::unexpected<Error> unusable(const std::string& path, const std::string& why) {
  return fail(ErrorCode::kUnavailable, "--state-dir " + path + ": " + why);
}

Result<void> check_writable(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return unusable(path, std::strerror(errno));
  if (!S_ISDIR(info.st_mode)) return unusable(path, "is not a folder");
  if (access(path.c_str(), W_OK | X_OK) != 0) {
    return unusable(path, std::string("cannot be written: ") + std::strerror(errno));
  }
  return {};
}

}  // namespace

Result<void> prepare_state_dir(const std::string& path) {
  constexpr mode_t kMode = 0750;
  if (mkdir(path.c_str(), kMode) != 0 && errno != EEXIST) {
    return unusable(path, std::string("cannot be created: ") + std::strerror(errno));
  }
  return check_writable(path);
}

Result<std::string> choose_state_dir(const std::string& wanted) {
  if (wanted.empty()) return check_writable(kDefaultStateDir) ? kDefaultStateDir : "";
  return prepare_state_dir(wanted).map([&] { return wanted; });
}

}  // namespace skiff::agent
