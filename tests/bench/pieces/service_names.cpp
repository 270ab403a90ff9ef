#include "tests/bench/pieces/service_names.h"

#include <array>
#include <random>
#include <string_view>
#include <unordered_set>

namespace skiff::bench {
namespace {

constexpr std::array<std::string_view, 3> kRoots = {"com.example", "com.example.commerce",
                                                    "org.acme.platform"};
constexpr std::array<std::string_view, 12> kAreas = {
    "account", "cart",    "catalog",   "fulfilment", "inventory", "marketing",
    "order",   "payment", "promotion", "risk",       "search",    "settlement"};
constexpr std::array<std::string_view, 5> kLayers = {"api", "facade", "service", "remote.api",
                                                     "rpc.v2"};
constexpr std::array<std::string_view, 10> kSubjects = {"Customer", "Order",    "Refund", "Coupon",
                                                        "Sku",      "Merchant", "Ledger", "Address",
                                                        "Shipment", "Invoice"};
constexpr std::array<std::string_view, 10> kAspects = {
    "",        "Detail", "History", "Batch", "Snapshot",
    "Summary", "Rule",   "Quota",   "Audit", "Notification"};
constexpr std::array<std::string_view, 6> kRoles = {
    "Service", "QueryService", "WriteService", "Facade", "RemoteService", "ManagementService"};

}  // namespace

std::vector<std::string> service_names(std::size_t count) {
  std::mt19937 random(1);
  const auto any_of = [&random](const auto& words) { return words[random() % words.size()]; };
  std::unordered_set<std::string> known;
  std::vector<std::string> names;
  while (names.size() < count) {
    std::string name;
    name.append(any_of(kRoots)).append(".").append(any_of(kAreas)).append(".");
    name.append(any_of(kLayers)).append(".").append(any_of(kSubjects));
    name.append(any_of(kAspects)).append(any_of(kRoles));
    if (known.insert(name).second) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace skiff::bench
