// bench_load: loads one address with Dubbo requests and prints what came of it as one JSON object.
// Exit code 1 where anything went wrong, be it one answer. SIGTERM ends the measurement.

#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/bench/load_generator.h"

namespace skiff::bench {
namespace {

using nlohmann::ordered_json;

double micros(std::uint64_t nanos) { return static_cast<double>(nanos) / 1000; }

ordered_json to_json(const LoadOptions& options, const LoadResult& result) {
  const double seconds = std::chrono::duration<double>(result.measured).count();
  const double answers = static_cast<double>(result.answers);
  const auto per_answer = [&](std::chrono::microseconds cpu) {
    return result.answers == 0 ? 0 : static_cast<double>(cpu.count()) / answers;
  };
  const Histogram& latency = result.latency;
  ordered_json json{
      {"target", options.target.to_string()},
      {"connections", options.connections},
      {"in_flight", options.in_flight},
      {"payload", options.call.argument_bytes},
      {"interfaces", options.interfaces},
      {"rate", options.rate},
      {"seconds", seconds},
      {"answers", result.answers},
      {"answers_per_second", answers / seconds},
      {"latency_us",
       {{"mean", latency.mean() / 1000},
        {"p50", micros(latency.percentile(0.5))},
        {"p99", micros(latency.percentile(0.99))},
        {"p99_9", micros(latency.percentile(0.999))},
        {"max", micros(latency.max())}}},
      {"errors", result.errors()},
      {"lost", result.lost},
      {"unknown_ids", result.unknown_ids},
      {"broken_connections", result.broken_connections},
      {"other_statuses", ordered_json::object()},
      {"cpu_us_per_answer", ordered_json::object()},
      {"own_cpu_us_per_answer", per_answer(result.own_cpu)},
  };
  for (const auto& [status, count] : result.other_statuses)
    json["other_statuses"][std::to_string(status)] = count;
  for (const auto& [process, cpu] : result.cpu)
    json["cpu_us_per_answer"][std::to_string(process)] = per_answer(cpu);
  return json;
}

struct Arguments {
  LoadOptions load;
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  double seconds = 5;
  double warmup = 0.3;
  unsigned timeout_ms = 3000;
};

void declare_options(CLI::App& app, Arguments& arguments) {
  LoadOptions& load = arguments.load;
  app.add_option("--host", arguments.host, "Numeric address of the target")->capture_default_str();
  app.add_option("--port", arguments.port, "Port of the target")->required();
  app.add_option("--connections", load.connections)
      ->capture_default_str()
      ->check(CLI::Range(1, 60000));
  app.add_option("--in-flight", load.in_flight,
                 "Requests on the way on each connection (open loop: at most)")
      ->capture_default_str()
      ->check(CLI::Range(1, 65535));
  app.add_option("--payload", load.call.argument_bytes, "Bytes of the String argument")
      ->capture_default_str()
      ->check(CLI::Range(0, 8'000'000));
  app.add_option("--rate", load.rate, "Open loop: requests a second in all; 0: closed loop")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--seconds", arguments.seconds, "Measured time, at most")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--requests", load.requests,
                 "Ends the measurement after this many answers; 0: only time does")
      ->capture_default_str();
  app.add_option("--warmup", arguments.warmup, "Seconds of load before the measurement")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--cpu-of", load.cpu_of, "Processes whose CPU time is measured");
  app.add_option("--interface", load.call.interface)->capture_default_str();
  app.add_option("--interfaces", load.interfaces,
                 "Over 1: requests go round so many, with a number behind the interface's name")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  app.add_option("--service-version", load.call.version);
  app.add_option("--group", load.call.group);
  app.add_option("--method", load.call.method)->capture_default_str();
  app.add_option("--timeout-ms", arguments.timeout_ms, "The request's timeout attachment")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
}

int report_failure(const Error& error) {
  std::cerr << "bench_load: " << error.message << "\n";
  return 1;
}

// The kernel may wake a sleeper 50 us late to save wake-ups; requests of an open loop are due
// closer than that.
void ask_for_exact_timers() { prctl(PR_SET_TIMERSLACK, 1UL); }

std::atomic<bool> is_asked_to_stop{false};

int run(Arguments& arguments) {
  ask_for_exact_timers();
  std::signal(SIGTERM, [](int) { is_asked_to_stop = true; });
  arguments.load.stop = &is_asked_to_stop;
  const auto millis = [](double seconds) {
    return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
  };
  const auto target = forwarder::SocketAddress::parse(arguments.host, arguments.port);
  if (!target) return report_failure(target.error());
  arguments.load.target = *target;
  arguments.load.duration = millis(arguments.seconds);
  arguments.load.warmup = millis(arguments.warmup);
  arguments.load.call.timeout = std::chrono::milliseconds(arguments.timeout_ms);
  const Result<LoadResult> result = run_load(arguments.load);
  if (!result) return report_failure(result.error());
  std::cout << to_json(arguments.load, *result).dump() << std::endl;
  return result->errors() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace skiff::bench

int main(int argc, char** argv) {
  CLI::App app{"A Dubbo load generator; one thread, closed or open loop."};
  skiff::bench::Arguments arguments;
  skiff::bench::declare_options(app, arguments);
  CLI11_PARSE(app, argc, argv);
  return skiff::bench::run(arguments);
}
