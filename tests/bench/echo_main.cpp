// bench_echo: prints {"ports":[...]} when it listens, then answers until it is killed.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/bench/echo_provider.h"

int main(int argc, char** argv) {
  CLI::App app{"An echo provider of Dubbo frames for the benchmarks; one thread."};
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  unsigned listeners = 1;
  std::size_t answer_bytes = 128;
  app.add_option("--host", host, "Numeric address to listen on")->capture_default_str();
  app.add_option("--port", port, "The first port; 0: free ones")->capture_default_str();
  app.add_option("--listeners", listeners, "How many ports, one after another")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  app.add_option("--answer-bytes", answer_bytes, "Size of the string in every answer")
      ->capture_default_str()
      ->check(CLI::Range(0, 8 << 20));
  CLI11_PARSE(app, argc, argv);

  auto provider = skiff::bench::EchoProvider::create(answer_bytes);
  if (!provider) {
    std::cerr << "bench_echo: " << provider.error().message << "\n";
    return 1;
  }
  nlohmann::json ports = nlohmann::json::array();
  for (unsigned i = 0; i < listeners; ++i) {
    const auto wanted = static_cast<std::uint16_t>(port == 0 ? 0 : port + i);
    const auto taken = (*provider)->listen(host, wanted);
    if (!taken) {
      std::cerr << "bench_echo: " << taken.error().message << "\n";
      return 1;
    }
    ports.push_back(*taken);
  }
  std::cout << nlohmann::json{{"ports", ports}}.dump() << std::endl;
  (*provider)->run();
}
