// The one place that knows every kind of registry.

#include "registry/memory/memory_registry.h"
#include "registry/registry.h"
#include "registry/registry_identity.h"
#include "registry/zookeeper/zookeeper_address.h"
#include "registry/zookeeper/zookeeper_registry.h"

namespace skiff::registry {
namespace {

constexpr std::string_view kMemory = "memory";
constexpr std::string_view kZookeeperScheme = "zookeeper://";

// Names the kind that came, but not the whole address: it may hold a password.
tl::unexpected<Error> unknown_kind(const std::string& address) {
  const auto colon = address.find(':');
  return fail(ErrorCode::kInvalidArgument,
              "registry \"" + address.substr(0, colon) +
                  (colon == std::string::npos ? "\"" : ":...\"") +
                  ": expected memory or zookeeper://host:port[,host:port...][/chroot]"
                  "[?group=dubbo]");
}

}  // namespace

Result<std::unique_ptr<Registry>> open_registry(const std::string& address, Executor& executor,
                                                RegistryEvents& events,
                                                const RegistryOptions& options) {
  if (address == kMemory) return std::make_unique<MemoryRegistry>(executor, events);
  if (!address.starts_with(kZookeeperScheme)) return unknown_kind(address);
  return ZookeeperAddress::parse(address).map(
      [&](const ZookeeperAddress& parsed) -> std::unique_ptr<Registry> {
        return std::make_unique<ZookeeperRegistry>(parsed, executor, events, options);
      });
}

Result<std::string> registry_identity(const std::string& address) {
  if (address == kMemory) return address;
  if (!address.starts_with(kZookeeperScheme)) return unknown_kind(address);
  return ZookeeperAddress::parse(address).map(
      [](const ZookeeperAddress& parsed) { return parsed.identity(); });
}

}  // namespace skiff::registry
