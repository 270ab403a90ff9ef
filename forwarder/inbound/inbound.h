#pragma once

#include <cstddef>
#include <vector>

#include "forwarder/connection_counts.h"
#include "forwarder/handle_table.h"
#include "forwarder/inbound/inbound_connection.h"
#include "forwarder/inbound/local_services.h"
#include "forwarder/worker_context.h"

namespace skiff::forwarder {

// The inbound side of one worker: 20882 -> the local provider. Lives on its worker's thread.
class Inbound {
 public:
  explicit Inbound(WorkerContext& context);
  ~Inbound();
  Inbound(const Inbound&) = delete;
  Inbound& operator=(const Inbound&) = delete;

  void accept(AcceptedSocket socket);
  // One that a predecessor had accepted.
  void adopt(CarriedInbound carried, ConnectionTicket ticket);

  // --- to a successor in another process (handover.h)
  // Adds up to `most`.
  void carry(std::vector<CarriedInbound>& carried, std::size_t most);
  void carry_back();
  void leave_carried();
  // What stays is about to end.
  void leave_to_successor();
  LocalServices& services() { return services_; }
  void update_services(const std::vector<LocalServicePort>& services);

  // Says READONLY on every connection; finish_quiet() then closes those that have become quiet.
  void drain();
  void finish_quiet();
  bool is_quiet() const { return connections_.size() == 0; }

  // From InboundConnection.
  void on_connection_closed(InboundConnection& connection);
  // It was told that its providers are down, and is to be closed when it is quiet.
  void on_readonly();

  std::size_t connections() const { return connections_.size(); }
  std::size_t in_flight();
  void add_traffic_of(const std::vector<std::uint16_t>& ports, LocalTraffic& sum);

 private:
  void close_readonly();

  WorkerContext& context_;
  LocalServices services_;
  HandleTable<InboundConnection> connections_;
  Timer readonly_timer_;  // armed while a connection is to be closed for its providers
};

}  // namespace skiff::forwarder
