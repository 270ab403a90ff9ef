#pragma once

#include <chrono>
#include <cstddef>

// Every limit of the registry room, in one place. Where one is hit, the caller gets an error that
// names the limit, or a log line does where there is no caller.
namespace skiff::registry {

// What the agent remembers.
inline constexpr std::size_t kMaxPublications = 1'000;
inline constexpr std::size_t kMaxSubscriptions = 20'000;
// Services watched because a request on the outbound port asked for them.
inline constexpr std::size_t kMaxOnDemandServices = 1'000;
// Registries that requests opened because the operator configured none.
inline constexpr std::size_t kMaxRegistriesOnRequest = 8;
// API calls that wait for a registry's confirmation.
inline constexpr std::size_t kMaxWaitingVerbs = 10'000;

// Sizes of what users give.
inline constexpr std::size_t kMaxNameBytes = 256;  // interface, group, version, application, method
inline constexpr std::size_t kMaxMethods = 1'000;
inline constexpr std::size_t kMaxParameters = 200;
inline constexpr std::size_t kMaxRegisteredUrlBytes = std::size_t{32} * 1024;

// An on-demand watch whose list is empty for so long is dropped.
inline constexpr std::chrono::seconds kOnDemandExpiry{60};
// How long after a failure the choice of the advertised address is tried again.
inline constexpr std::chrono::seconds kAddressRetryDelay{5};

// How long after a start a list of providers that an earlier process knew waits for somebody to ask
// for it.
inline constexpr std::chrono::minutes kRememberedListExpiry{60};

// The control thread's queues. What is over them is dropped, counted and logged.
inline constexpr std::size_t kMaxQueuedTasks = 100'000;
inline constexpr std::size_t kMaxTimers = 100'000;

// Providers of one interface that one registry may list; the rest of the list is left out.
inline constexpr std::size_t kMaxProvidersPerInterface = 50'000;

}  // namespace skiff::registry
