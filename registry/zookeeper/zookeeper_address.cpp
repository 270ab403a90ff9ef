#include "registry/zookeeper/zookeeper_address.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace skiff::registry {
namespace {

constexpr std::string_view kScheme = "zookeeper://";

tl::unexpected<Error> wrong(const std::string& why) {
  return fail(ErrorCode::kInvalidArgument, "registry address: " + why);
}

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

// Reads %XX but, unlike in query strings of browsers, leaves '+' alone: passwords hold it.
Result<std::string> unescaped(std::string_view text, std::string_view what) {
  std::string protected_text;
  for (const char c : text) {
    if (c == '+') {
      protected_text += "%2B";
    } else {
      protected_text += c;
    }
  }
  Result<std::string> decoded = dubbo::url_decode(protected_text);
  if (!decoded) return wrong("broken %XX escape in the " + std::string(what));
  if (decoded->find('\0') != std::string::npos) {
    return wrong("the " + std::string(what) + " holds a zero byte");
  }
  return decoded;
}

Result<void> add_servers(std::string_view list, ZookeeperAddress& address) {
  while (true) {
    const auto comma = list.find(',');
    const std::string_view part = list.substr(0, comma);
    const auto server = dubbo::parse_host_port(part, ZookeeperAddress::kDefaultPort);
    if (!server || server->port == 0) {
      return wrong("server " + quoted(part) + ": expected host or host:port");
    }
    address.servers.push_back(*server);
    if (comma == std::string_view::npos) return {};
    list.remove_prefix(comma + 1);
  }
}

// ZooKeeper's own rules for paths, as far as users trip over them.
Result<std::string> checked_path(std::string_view text, std::string_view what) {
  while (!text.empty() && text.front() == '/') text.remove_prefix(1);
  while (!text.empty() && text.back() == '/') text.remove_suffix(1);
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    const bool has_control = std::any_of(
        part.begin(), part.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; });
    if (part.empty() || part == "." || part == ".." || has_control) {
      return wrong("the " + std::string(what) + " " + quoted(text) + " is not a ZooKeeper path");
    }
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
  }
  return std::string(text);
}

Result<void> read_session_timeout(std::string_view text, ZookeeperAddress& address) {
  long long milliseconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), milliseconds);
  const std::chrono::milliseconds timeout(milliseconds);
  if (error != std::errc{} || end != text.data() + text.size() ||
      timeout < ZookeeperAddress::kMinSessionTimeout ||
      timeout > ZookeeperAddress::kMaxSessionTimeout) {
    return wrong("session=" + std::string(text) +
                 ": expected 1000 to 60000 (the session timeout in milliseconds)");
  }
  address.session_timeout = timeout;
  return {};
}

Result<void> read_parameter(std::string_view key, const std::string& value,
                            ZookeeperAddress& address) {
  if (key == "username") {
    address.username = value;
  } else if (key == "password") {
    address.password = value;
  } else if (key == "session") {
    return read_session_timeout(value, address);
  } else if (key == "backup") {
    return add_servers(value, address);
  } else if (key == "group") {
    Result<std::string> root = checked_path(value, "group");
    if (!root) return tl::unexpected<Error>(std::move(root.error()));
    if (root->empty()) return wrong("group is empty: expected the name of Dubbo's root node");
    address.root = std::move(*root);
  } else if (key == "rootPath") {
    Result<std::string> root = checked_path(value, "rootPath");
    if (!root) return tl::unexpected<Error>(std::move(root.error()));
    address.instances_root = std::move(*root);
  } else {
    return wrong("unknown parameter " + quoted(key) +
                 ": expected group, rootPath, username, password, session or backup");
  }
  return {};
}

Result<void> read_parameters(std::string_view text, ZookeeperAddress& address) {
  while (!text.empty()) {
    const auto separator = text.find('&');
    const std::string_view part = text.substr(0, separator);
    text.remove_prefix(separator == std::string_view::npos ? text.size() : separator + 1);
    const auto equals = part.find('=');
    const std::string_view key = part.substr(0, equals);
    if (equals == std::string_view::npos) {
      return wrong("parameter " + quoted(key) + " has no value");
    }
    auto read = unescaped(part.substr(equals + 1), key).and_then([&](const std::string& value) {
      return read_parameter(key, value, address);
    });
    if (!read) return read;
  }
  return {};
}

Result<void> read_user(std::string_view text, ZookeeperAddress& address) {
  const auto colon = text.find(':');
  auto username = unescaped(text.substr(0, colon), "user name");
  if (!username) return tl::unexpected<Error>(std::move(username.error()));
  address.username = std::move(*username);
  if (colon == std::string_view::npos) return {};
  auto password = unescaped(text.substr(colon + 1), "password");
  if (!password) return tl::unexpected<Error>(std::move(password.error()));
  address.password = std::move(*password);
  return {};
}

Result<void> check_user(const ZookeeperAddress& address) {
  if (address.username.empty() != address.password.empty()) {
    return wrong("digest authentication needs both a user name and a password");
  }
  if (address.username.find(':') != std::string::npos) {
    return wrong("the user name holds a colon, which ends it in ZooKeeper's digest scheme");
  }
  return {};
}

}  // namespace

Result<ZookeeperAddress> ZookeeperAddress::parse(std::string_view text) {
  if (!text.starts_with(kScheme)) return wrong("expected zookeeper://host:port");
  ZookeeperAddress address;
  const auto question = text.find('?');
  std::string_view rest = text.substr(0, question).substr(kScheme.size());

  // Passwords may hold '/' and '@'; host names hold neither.
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    if (auto read = read_user(rest.substr(0, at), address); !read) {
      return tl::unexpected<Error>(std::move(read.error()));
    }
    rest.remove_prefix(at + 1);
  }
  const auto slash = rest.find('/');
  auto chroot = add_servers(rest.substr(0, slash), address).and_then([&] {
    return checked_path(slash == std::string_view::npos ? "" : rest.substr(slash), "chroot");
  });
  if (!chroot) return tl::unexpected<Error>(std::move(chroot.error()));
  if (!chroot->empty()) address.chroot = "/" + *chroot;

  auto read =
      read_parameters(question == std::string_view::npos ? "" : text.substr(question + 1), address)
          .and_then([&] { return check_user(address); });
  if (!read) return tl::unexpected<Error>(std::move(read.error()));
  return address;
}

std::string ZookeeperAddress::connect_string() const {
  std::string text;
  for (const dubbo::HostPort& server : servers) {
    if (!text.empty()) text += ',';
    text += dubbo::format_host_port(server.host, server.port);
  }
  return text;
}

std::string ZookeeperAddress::name() const {
  std::string text = std::string(kScheme) + connect_string() + chroot;
  if (root != kDefaultRoot) text += "?group=" + root;
  if (!instances_root.empty()) {
    text += (root != kDefaultRoot ? "&rootPath=" : "?rootPath=") + instances_root;
  }
  return text;
}

std::string ZookeeperAddress::identity() const {
  ZookeeperAddress sorted = *this;
  std::sort(sorted.servers.begin(), sorted.servers.end(), [](const auto& left, const auto& right) {
    return std::pair(left.host, left.port) < std::pair(right.host, right.port);
  });
  const std::string nodes = std::string(kScheme) + sorted.connect_string() + root_path();
  return instances_root.empty() ? nodes : nodes + "?rootPath=" + instances_root;
}

std::string ZookeeperAddress::root_path() const { return chroot + "/" + root; }

std::string ZookeeperAddress::instances_path() const {
  if (!instances_root.empty()) return chroot + "/" + instances_root;
  return root == kDefaultRoot ? chroot + "/services" : root_path();
}

}  // namespace skiff::registry
