#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/access_log_writer.h"
#include "agent/config.h"
#include "agent/descriptor_store.h"
#include "agent/latency_histogram.h"
#include "agent/state_report.h"
#include "forwarder/forwarder.h"

namespace skiff::agent {

// How a successor took over.
struct Handover {
  int pid = 0;
  std::string version;
  std::size_t consumers = 0;           // connections to the outbound port that went over
  std::size_t inbound = 0;             // to the inbound port
  std::chrono::microseconds pause{0};  // nobody read from one of them for so long at most
};

class RouteBook;
class RouteCompiler;

struct ListenerInfo {
  std::string name;     // "api", "outbound", "inbound"
  std::string address;  // with the port that it really has
};

// Whether traffic may be sent here; `reason` says why not.
struct Readiness {
  bool ready = false;
  std::string reason;
};

// What the API asks of the agent, apart from the control plane. Called from HTTP threads, several
// at once.
class ApiBackend {
 public:
  virtual ~ApiBackend() = default;
  virtual forwarder::TrafficSnapshot traffic() = 0;
  // From a registry's event to the last worker that had applied it.
  virtual LatencyHistogram::Snapshot route_updates() = 0;
  virtual AccessLogCounts access_log() = 0;
  virtual DescriptorStore::Counts stored_connections() = 0;
  // When a service last had another list of providers, or other rules, in seconds since 1970; 0:
  // never.
  virtual double last_change_seconds() = 0;
  // As Forwarder::local_traffic() has it.
  virtual forwarder::LocalTraffic local_traffic(const std::vector<std::uint16_t>& ports,
                                                std::chrono::milliseconds longest) = 0;
  // As Forwarder::explain() has it.
  virtual std::optional<forwarder::Explanation> explain(
      const forwarder::ExplainRequest& request) = 0;
  virtual std::vector<ListenerInfo> listeners() = 0;
  virtual Readiness readiness() = 0;
  // True once the agent stops: verbs are refused then.
  virtual bool is_stopping() = 0;
  // Has a new process of this program go on for this one; fails with a sentence where that does
  // not come about, and this process goes on. Takes as long as it takes.
  virtual Result<Handover> upgrade() = 0;
  // How many have not come about, however they were asked for.
  virtual std::uint64_t upgrades_failed() = 0;
  virtual const AgentConfig& config() = 0;
  virtual StateReport state() = 0;
  // To be used on the control thread only.
  virtual RouteBook& routes() = 0;
  virtual RouteCompiler& compiler() = 0;
};

}  // namespace skiff::agent
