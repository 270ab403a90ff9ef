#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/result.h"
#include "dubbo/url.h"

namespace skiff::registry {

// Where a ZooKeeper registry is, and how to talk to it.
struct ZookeeperAddress {
  static constexpr std::uint16_t kDefaultPort = 2181;
  static constexpr std::string_view kDefaultRoot = "dubbo";
  static constexpr std::chrono::milliseconds kDefaultSessionTimeout{30'000};
  static constexpr std::chrono::milliseconds kMinSessionTimeout{1'000};
  static constexpr std::chrono::milliseconds kMaxSessionTimeout{60'000};

  std::vector<dubbo::HostPort> servers;  // at least one
  std::string chroot;                    // "" or "/a/b"
  std::string root{kDefaultRoot};        // of Dubbo's tree, without the leading slash; may be "a/b"
  std::string instances_root;            // of Dubbo's instances, likewise; "": by the rule of Dubbo
  std::string username;                  // digest authentication where not empty
  std::string password;
  std::chrono::milliseconds session_timeout = kDefaultSessionTimeout;

  bool operator==(const ZookeeperAddress&) const = default;

  // Reads "zookeeper://[user:password@]host[:port][,host[:port]...][/chroot][?parameters]" with the
  // parameters group (the root), rootPath (that of instances), username, password, session
  // (milliseconds, 1000..60000) and backup (further servers, comma-separated). %XX escapes are read
  // in user, password and parameter values. Fails with kInvalidArgument and a sentence without the
  // password.
  static Result<ZookeeperAddress> parse(std::string_view text);

  // The servers as the C client wants them: "h:p,h:p".
  std::string connect_string() const;
  // The address as users write it, without user and password.
  std::string name() const;
  // Equal for addresses that lead to the same nodes; the order of the servers does not matter.
  std::string identity() const;
  // The folder of Dubbo's tree: "/chroot/dubbo".
  std::string root_path() const;
  // The folder of the applications' instances: "/chroot/services", or that of Dubbo's tree where
  // the tree has another name than its default (Dubbo: CuratorFrameworkUtils.getRootPath).
  std::string instances_path() const;
};

}  // namespace skiff::registry
