#include "dubbo/trace_context.h"

#include <gtest/gtest.h>

#include <string_view>
#include <utility>
#include <vector>

namespace skiff::dubbo {
namespace {

using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

constexpr std::string_view kW3c = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr std::string_view kW3cId = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr std::string_view kB3Id = "80f198ee56343ba864fe8b2a57d3eff7";

TEST(TraceContext, HasTheTraceIdOfEveryFormInTheField) {
  for (const auto& [pairs, id] : std::vector<std::pair<Pairs, std::string_view>>{
           {{}, ""},
           {{{"traceparent", kW3c}}, kW3cId},
           {{{"Traceparent", kW3c}, {"tracestate", "a=b"}}, kW3cId},
           {{{"b3", "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1"}}, kB3Id},
           {{{"X-B3-TraceId", kB3Id}}, kB3Id},
           {{{"x-b3-traceid", "a3ce929d0e0e4736"}}, "a3ce929d0e0e4736"},
           {{{"X-B3-TRACEID", kB3Id}, {"traceparent", kW3c}}, kW3cId},
           {{{"traceparent", "00-short-1-01"}, {"b3", kB3Id}}, kB3Id},
           {{{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e473\n-00f067aa0ba902b7-01"}}, ""},
           {{{"b3", "0"}}, ""},  // not sampled, and nothing else
           {{{"x-b3-spanid", "a3ce929d0e0e4736"}}, ""}}) {
    Attachments attachments;
    for (const auto& [key, value] : pairs) attachments.add(key, value);
    EXPECT_EQ(trace_id_of(attachments), id);
  }
}

}  // namespace
}  // namespace skiff::dubbo
