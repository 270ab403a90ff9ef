#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dubbo/frame.h"

namespace skiff::forwarder {

// How a request on the outbound port may end; each ends once. X(enumerator, name, help).
#define SKIFF_OUTCOMES(X)                                                                         \
  X(kOk, "ok", "the provider answered with status 20")                                            \
  X(kException, "exception", "the same, and its method threw")                                    \
  X(kProviderError, "provider_error",                                                             \
    "the provider answered with another status, or with more than body_limit")                    \
  X(kTimeout, "timeout", "no answer came in time")                                                \
  X(kNotFound, "not_found", "no provider of its service is known")                                \
  X(kUnreachable, "unreachable", "no provider could be connected to, or the connection was lost") \
  X(kRefused, "refused", "a limit, filter or rule refused it")                                    \
  X(kBadRequest, "bad_request", "it could not be read, or not be sent as filters say")            \
  X(kOneWay, "one_way", "it wants no answer, and was sent")                                       \
  X(kAbandoned, "abandoned", "its consumer had gone before the answer")

#define SKIFF_OUTCOME_ENUMERATOR(id, name, help) id,
enum class Outcome : std::uint8_t { SKIFF_OUTCOMES(SKIFF_OUTCOME_ENUMERATOR) };
#undef SKIFF_OUTCOME_ENUMERATOR

struct OutcomeInfo {
  std::string_view name;
  std::string_view help;
};

#define SKIFF_OUTCOME_INFO(id, name, help) OutcomeInfo{name, help},
// In the order of the enumerators.
inline constexpr std::array kOutcomes{SKIFF_OUTCOMES(SKIFF_OUTCOME_INFO)};
#undef SKIFF_OUTCOME_INFO

inline constexpr std::string_view name_of(Outcome outcome) {
  return kOutcomes[static_cast<std::size_t>(outcome)].name;
}

// Whether the agent itself answers such a request, or drops it.
inline constexpr bool is_failure_of_agent(Outcome outcome) {
  return outcome >= Outcome::kTimeout && outcome <= Outcome::kBadRequest;
}

// Of a request that the agent answers with `status`, where nothing else is said.
inline constexpr Outcome outcome_of(dubbo::Status status) {
  switch (status) {
    case dubbo::Status::kServiceNotFound:
      return Outcome::kNotFound;
    case dubbo::Status::kServerTimeout:
      return Outcome::kTimeout;
    case dubbo::Status::kBadRequest:
      return Outcome::kBadRequest;
    case dubbo::Status::kServerThreadpoolExhausted:
      return Outcome::kRefused;
    case dubbo::Status::kBadResponse:
      return Outcome::kProviderError;
    default:
      return Outcome::kUnreachable;
  }
}

}  // namespace skiff::forwarder
