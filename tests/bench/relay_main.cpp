// bench_relay: prints {"ports":[...]} when it listens, then relays until it is killed.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/bench/byte_relay.h"

int main(int argc, char** argv) {
  CLI::App app{"A relay that copies bytes, for comparison in the benchmarks; one thread."};
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::uint16_t target_port = 0;
  app.add_option("--host", host, "Numeric address to listen on, and of the target")
      ->capture_default_str();
  app.add_option("--port", port, "Port to listen on; 0: a free one")->capture_default_str();
  app.add_option("--target-port", target_port)->required();
  CLI11_PARSE(app, argc, argv);

  using skiff::forwarder::SocketAddress;
  const auto relay =
      SocketAddress::parse(host, port).and_then([&](const SocketAddress& listen_address) {
        return SocketAddress::parse(host, target_port).and_then([&](const SocketAddress& target) {
          return skiff::bench::ByteRelay::create(listen_address, target);
        });
      });
  if (!relay) {
    std::cerr << "bench_relay: " << relay.error().message << "\n";
    return 1;
  }
  std::cout << nlohmann::json{{"ports", {(*relay)->port()}}}.dump() << std::endl;
  (*relay)->run();
}
