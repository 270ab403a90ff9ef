#include "agent/client_commands.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "agent/api_client.h"
#include "agent/durations.h"
#include "agent/explanation_report.h"
#include "agent/json_fields.h"
#include "agent/status_tables.h"
#include "agent/text.h"

namespace skiff::agent {
namespace {

using nlohmann::ordered_json;
using namespace std::chrono_literals;

// On top of ?wait=, which is what the agent may take at most.
constexpr auto kAnswerTime = 15s;
constexpr std::chrono::milliseconds kLongestWait = 60s;
constexpr int kOk = 200;

// The answer, or nothing and an error on stderr.
std::optional<ApiAnswer> send_to(const ApiAddress& api,
                                 const std::function<httplib::Result(httplib::ClientImpl&)>& send) {
  auto answer = ask_agent(api, kLongestWait + kAnswerTime, send);
  if (answer) return std::move(*answer);
  std::fprintf(stderr, "skiff: %s\n", answer.error().message.c_str());
  return std::nullopt;
}

std::string with_wait(const std::string& path, const std::string& wait) {
  return wait.empty() ? path : path + "?wait=" + httplib::detail::encode_query_param(wait);
}

void put_unless_empty(ordered_json& json, const char* key, const std::string& value) {
  if (!value.empty()) json[key] = value;
}

// A number where `value` is one; else the agent is to say what it expected.
void put_number_unless_empty(ordered_json& json, const char* key, const std::string& value) {
  constexpr std::uint64_t kMax = 1'000'000'000;
  if (const auto number = parse_number(value, 0, kMax)) {
    json[key] = *number;
  } else {
    put_unless_empty(json, key, value);
  }
}

ordered_json to_json(const VerbArguments::Check& check) {
  ordered_json json = ordered_json::object();
  put_unless_empty(json, "type", check.type);
  put_unless_empty(json, "interval", check.interval);
  put_unless_empty(json, "timeout", check.timeout);
  put_number_unless_empty(json, "failures", check.failures);
  put_number_unless_empty(json, "successes", check.successes);
  return json;
}

// Empty, and an error on stderr, where a --param is not k=v.
std::optional<std::string> body_of(const VerbArguments& arguments) {
  if (arguments.interface.empty()) return std::string();
  ordered_json service = {{"interface", arguments.interface}};
  put_unless_empty(service, "group", arguments.group);
  put_unless_empty(service, "version", arguments.version);
  put_unless_empty(service, "port", arguments.port);
  put_unless_empty(service, "application", arguments.application);
  put_unless_empty(service, "lease", arguments.lease);
  if (!arguments.methods.empty()) service["methods"] = arguments.methods;
  if (ordered_json check = to_json(arguments.check); !check.empty()) service["check"] = check;
  for (const std::string& parameter : arguments.parameters) {
    const auto equals = parameter.find('=');
    if (equals == std::string::npos || equals == 0) {
      std::fprintf(stderr, "skiff: --param: came %s, expected key=value\n",
                   in_quotes(parameter).c_str());
      return std::nullopt;
    }
    service["parameters"][parameter.substr(0, equals)] = parameter.substr(equals + 1);
  }
  return to_text(ordered_json{{"service", std::move(service)}});
}

// What came of one service, or of all that a request named. Those of a request without a name are
// told by their interface.
void print_answer(const ordered_json& answer) {
  const std::string state = text_of(answer, "state");
  const std::string interface = text_of(answer, "interface");
  std::printf("%s%s%s%s%s\n", interface.c_str(), interface.empty() ? "" : ": ",
              text_of(answer, "err_msg").c_str(), state.empty() ? "" : ": ", state.c_str());
  for (const char* key : {"reason", "url", "providers"}) {
    const std::string text = text_of(answer, key);
    if (!text.empty()) std::printf("  %-10s %s\n", key, text.c_str());
  }
  const auto results = answer.find("results");
  if (results != answer.end()) {
    for (const ordered_json& result : *results) print_answer(result);
  }
  const auto warnings = answer.find("warnings");
  if (warnings == answer.end()) return;
  for (const ordered_json& warning : *warnings) {
    std::fprintf(stderr, "warning: %s\n", warning.get<std::string>().c_str());
  }
}

void print_error(const ordered_json& answer) {
  std::fprintf(stderr, "skiff: %s\n", text_of(answer, "err_msg").c_str());
  const auto results = answer.find("results");
  if (results == answer.end()) return;
  for (const ordered_json& result : *results) {
    std::fprintf(stderr, "  %s: %s\n", text_of(result, "interface").c_str(),
                 text_of(result, "err_msg").c_str());
  }
}

// Empty, and an error on stderr, where an --attachment is not k=v.
std::optional<std::string> explain_path(const ExplainArguments& arguments) {
  httplib::Params query{{"interface", arguments.interface}};
  const auto add_unless_empty = [&query](const char* key, const std::string& value) {
    if (!value.empty()) query.emplace(key, value);
  };
  add_unless_empty("group", arguments.group);
  add_unless_empty("version", arguments.version);
  add_unless_empty("method", arguments.method);
  for (const std::string& attachment : arguments.attachments) {
    const auto equals = attachment.find('=');
    if (equals == std::string::npos || equals == 0) {
      std::fprintf(stderr, "skiff: --attachment: came %s, expected key=value\n",
                   in_quotes(attachment).c_str());
      return std::nullopt;
    }
    query.emplace("attachment." + attachment.substr(0, equals), attachment.substr(equals + 1));
  }
  for (std::size_t i = 0; i < arguments.arguments.size(); ++i) {
    query.emplace("argument." + std::to_string(i), arguments.arguments[i]);
  }
  return "/explain?" + httplib::detail::params_to_query_str(query);
}

// What came of it, and a line for each publication.
void print_drain(const ordered_json& answer) {
  print_answer(answer);
  const std::string in_flight = text_of(answer, "in_flight");
  if (!in_flight.empty()) std::printf("  %-10s %s\n", "in flight", in_flight.c_str());
  for (const ordered_json& publication : answer.value("publications", ordered_json::array())) {
    const std::string reason = text_of(publication, "reason");
    std::printf("%s at port %s, %s: %s%s%s\n", text_of(publication, "interface").c_str(),
                text_of(publication, "port").c_str(), text_of(publication, "registry").c_str(),
                text_of(publication, "state").c_str(), reason.empty() ? "" : ": ", reason.c_str());
  }
}

int unreadable(const ApiAnswer& answer) {
  std::fprintf(stderr, "skiff: the answer (status %d) is not one of an agent: %s\n", answer.status,
               in_quotes(answer.body).c_str());
  return 1;
}

ordered_json parse(const std::string& text) {
  return ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
}

// Shows what the agent says, by `print` where it accepts; 0 where it does.
int show_answer(const ApiAnswer& answer, bool as_json, void (*print)(const ordered_json&)) {
  const ordered_json json = parse(answer.body);
  if (!json.is_object() || !json.contains("err_no")) return unreadable(answer);
  if (as_json) {
    std::printf("%s\n", answer.body.c_str());
  } else if (json["err_no"] == 0) {
    print(json);
  } else {
    print_error(json);
  }
  return json["err_no"] == 0 ? 0 : 1;
}

}  // namespace

int run_verb_command(const ApiAddress& api, const VerbArguments& arguments) {
  const auto body = body_of(arguments);
  if (!body) return 1;
  const std::string path = with_wait("/" + arguments.verb, arguments.wait);
  const auto answer = send_to(api, [&](httplib::ClientImpl& client) {
    return client.Post(path, *body, "application/json");
  });
  return answer ? show_answer(*answer, arguments.json, print_answer) : 1;
}

int run_explain_command(const ApiAddress& api, const ExplainArguments& arguments) {
  const auto path = explain_path(arguments);
  if (!path) return 1;
  const auto answer =
      send_to(api, [&path](httplib::ClientImpl& client) { return client.Get(*path); });
  if (!answer) return 1;
  const ordered_json json = parse(answer->body);
  if (!json.is_object()) return unreadable(*answer);
  if (arguments.json) {
    std::printf("%s\n", json.dump(2, ' ', false, ordered_json::error_handler_t::replace).c_str());
  } else if (json.contains("err_no")) {
    print_error(json);
  } else {
    std::printf("%s", explanation_as_text(json).c_str());
  }
  return answer->status == kOk ? 0 : 1;
}

int run_rules_check_command(const ApiAddress& api) {
  const auto answer =
      send_to(api, [](httplib::ClientImpl& client) { return client.Get("/rules"); });
  if (!answer) return 1;
  const ordered_json json = parse(answer->body);
  if (answer->status != kOk || !json.is_object() || !json.contains("rules")) {
    return unreadable(*answer);
  }
  std::size_t wrong = 0;
  for (const ordered_json& rule : json["rules"]) {
    const std::string name = text_of(rule, "rule");
    const std::string problem = text_of(rule, "problem");
    if (!problem.empty())
      std::printf("%s: not in force as written: %s\n", name.c_str(), problem.c_str());
    for (const ordered_json& address : rule.value("unknown_providers", ordered_json::array())) {
      std::printf("%s: no known provider is at %s\n", name.c_str(),
                  address.get<std::string>().c_str());
    }
    if (!problem.empty() || text_of(rule, "unknown_providers") != "[]") ++wrong;
  }
  if (wrong == 0) std::printf("%zu rules are in order\n", json["rules"].size());
  return wrong == 0 ? 0 : 1;
}

int run_upgrade_command(const ApiAddress& api) {
  const auto answer =
      send_to(api, [](httplib::ClientImpl& client) { return client.Post("/upgrade"); });
  if (!answer) return 1;
  const ordered_json json = parse(answer->body);
  if (!json.is_object() || !json.contains("err_no")) return unreadable(*answer);
  if (json["err_no"] != 0) {
    std::fprintf(stderr, "skiff: not upgraded, the old process goes on: %s\n",
                 text_of(json, "err_msg").c_str());
    return 1;
  }
  std::printf(
      "skiff %s goes on, as process %s, with %s consumers and %s inbound connections; "
      "none of which stood still for more than %.1f ms\n",
      text_of(json, "version").c_str(), text_of(json, "pid").c_str(),
      text_of(json, "consumers").c_str(), text_of(json, "inbound").c_str(),
      json.value("pause_us", 0.0) / 1000);
  return 0;
}

int run_drain_command(const ApiAddress& api, const DrainArguments& arguments) {
  const auto answer = send_to(api, [&](httplib::ClientImpl& client) {
    return client.Post(with_wait(arguments.path, arguments.wait));
  });
  if (!answer) return 1;
  const int shown = show_answer(*answer, arguments.json, print_drain);
  return answer->status == kOk ? shown : 1;
}

int run_status_command(const ApiAddress& api, bool json) {
  const auto answer =
      send_to(api, [](httplib::ClientImpl& client) { return client.Get("/status"); });
  if (!answer) return 1;
  const ordered_json status = parse(answer->body);
  if (answer->status != 200 || !status.is_object()) return unreadable(*answer);
  if (json) {
    std::printf("%s\n", status.dump(2, ' ', false, ordered_json::error_handler_t::replace).c_str());
  } else {
    std::printf("%s", status_as_text(status).c_str());
  }
  return 0;
}

}  // namespace skiff::agent
