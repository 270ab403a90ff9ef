#include "agent/status_tables.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/json_fields.h"
#include "agent/text.h"

namespace skiff::agent {
namespace {

using nlohmann::ordered_json;

const ordered_json& member(const ordered_json& object, const char* name) {
  static const ordered_json nothing;
  const auto found = object.find(name);
  return found == object.end() ? nothing : *found;
}

// A member as people read it, on a terminal; "" where it is absent.
std::string shown(const ordered_json& object, const char* name) {
  const ordered_json& value = member(object, name);
  if (value.is_string()) return printable(value.get<std::string>());
  return value.is_null() ? "" : printable(to_text(value));
}

// "group/interface:version"
std::string shown_service(const ordered_json& entry) {
  const std::string group = shown(entry, "group");
  const std::string version = shown(entry, "version");
  return (group.empty() ? "" : group + "/") + shown(entry, "interface") +
         (version.empty() ? "" : ":" + version);
}

std::string joined(const std::string& left, const std::string& separator,
                   const std::string& right) {
  return left.empty() || right.empty() ? left + right : left + separator + right;
}

StatusTable registries_table(const ordered_json& status) {
  StatusTable table{"Registries", {"registry", "state", "advertised"}, {}, "none"};
  for (const ordered_json& entry : member(status, "registries")) {
    const bool connected = member(entry, "connected") == true;
    const std::string reason = shown(entry, "advertised_reason");
    table.rows.push_back(
        {shown(entry, "name"),
         joined(connected ? "connected" : "NOT CONNECTED", ": ", shown(entry, "detail")),
         joined(shown(entry, "advertised"), " ", reason.empty() ? "" : "(" + reason + ")")});
  }
  return table;
}

// Where the provider is not well, the reason of its state says it already.
std::string last_error_of(const ordered_json& publication) {
  return shown(publication, "health") == "up" ? shown(publication, "last_error") : "";
}

StatusTable publications_table(const ordered_json& status) {
  StatusTable table{"Publications",
                    {"service", "port", "registry", "state", "health", "in the registry as"},
                    {},
                    "none"};
  for (const ordered_json& entry : member(status, "publications")) {
    table.rows.push_back({shown_service(entry), shown(entry, "port"), shown(entry, "registry"),
                          joined(joined(shown(entry, "state"), ": ", shown(entry, "reason")),
                                 "; warming up: ", shown(entry, "warming_up")),
                          joined(shown(entry, "health"), "; last error: ", last_error_of(entry)),
                          shown(entry, "url")});
  }
  return table;
}

StatusTable subscriptions_table(const ordered_json& status) {
  StatusTable table{"Subscriptions", {"service", "state", "providers", "endpoints"}, {}, "none"};
  constexpr std::size_t kMaxNamed = 20;
  for (const ordered_json& entry : member(status, "subscriptions")) {
    std::string endpoints;
    std::size_t named = 0;
    for (const ordered_json& endpoint : member(entry, "endpoints")) {
      if (++named > kMaxNamed) break;
      const std::string tag = shown(endpoint, "tag");
      if (!endpoints.empty()) endpoints += ", ";
      endpoints += shown(endpoint, "address");
      endpoints += " (weight " + shown(endpoint, "weight");
      if (!tag.empty()) endpoints += ", tag " + tag;
      if (member(endpoint, "held") == true) endpoints += ", HELD";
      endpoints += ", " + shown(endpoint, "connection") + ")";
    }
    if (named > kMaxNamed) endpoints += ", ...";
    const bool on_demand = member(entry, "on_demand") == true;
    const bool is_stale = member(entry, "stale") == true;
    table.rows.push_back(
        {shown_service(entry),
         shown(entry, "state") + (on_demand ? " (on demand)" : "") + (is_stale ? ", STALE" : ""),
         shown(entry, "providers"), endpoints});
  }
  return table;
}

StatusTable listeners_table(const ordered_json& status) {
  StatusTable table{"Listeners", {"for", "address"}, {}, "none"};
  for (const ordered_json& entry : member(status, "listeners")) {
    table.rows.push_back({shown(entry, "name"), shown(entry, "address")});
  }
  return table;
}

StatusTable traffic_table(const ordered_json& status) {
  StatusTable table{"Traffic", {"service", "method", "requests", "failures"}, {}, "no request yet"};
  for (const ordered_json& entry : member(member(status, "traffic"), "methods")) {
    table.rows.push_back({shown(entry, "interface"), shown(entry, "method"),
                          shown(entry, "requests"), shown(entry, "failures")});
  }
  return table;
}

// The latest of them: who wants all looks at the page, or into the log.
StatusTable events_table(const ordered_json& status) {
  StatusTable table{"Recent events", {"time", "level", "what"}, {}, "none"};
  constexpr std::size_t kMaxShown = 10;
  const ordered_json& events = member(status, "events");
  const std::size_t first = events.size() > kMaxShown ? events.size() - kMaxShown : 0;
  for (std::size_t i = first; i < events.size(); ++i) {
    table.rows.push_back(
        {shown(events[i], "time"), shown(events[i], "level"), shown(events[i], "text")});
  }
  return table;
}

StatusTable counters_table(const ordered_json& status) {
  StatusTable table{"Counters", {"name", "value"}, {}, "all zero"};
  const ordered_json& traffic = member(status, "traffic");
  for (const char* kind : {"gauges", "counters"}) {
    for (const auto& item : member(traffic, kind).items()) {
      if (item.value() != 0) table.rows.push_back({item.key(), to_text(item.value())});
    }
  }
  return table;
}

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

void append_padded(std::string& out, const std::string& cell, std::size_t width, bool is_last) {
  out += "  " + cell;
  if (!is_last && cell.size() < width) out.append(width - cell.size(), ' ');
}

void append_text(const StatusTable& table, std::string& out) {
  out += "\n" + table.title + "\n";
  if (table.rows.empty()) {
    out += "  " + table.when_empty + "\n";
    return;
  }
  constexpr std::size_t kMaxWidth = 60;  // a longer cell pushes the rest of its row to the right
  std::vector<std::vector<std::string>> rows = table.rows;
  rows.insert(rows.begin(), table.columns);
  for (std::string& heading : rows.front()) std::ranges::transform(heading, heading.begin(), upper);
  for (const auto& row : rows) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      std::size_t width = 0;
      for (const auto& other : rows) width = std::max(width, other[column].size());
      append_padded(out, row[column], std::min(width, kMaxWidth), column + 1 == row.size());
    }
    while (out.back() == ' ') out.pop_back();
    out += "\n";
  }
}

}  // namespace

std::vector<StatusTable> status_tables(const ordered_json& status) {
  return {registries_table(status), publications_table(status), subscriptions_table(status),
          listeners_table(status),  traffic_table(status),      counters_table(status),
          events_table(status)};
}

std::string status_headline(const ordered_json& status) {
  const bool ready = member(status, "ready") == true;
  const bool drained = member(status, "drained") == true;
  const bool frozen = member(member(status, "lists"), "frozen") == true;
  const std::string problem = shown(member(status, "state"), "problem");
  return "skiff " + shown(status, "version") + " (" + shown(status, "commit") +
         "): " + joined(ready ? "ready" : "NOT READY", ": ", shown(status, "reason")) +
         (drained ? "; DRAINED: publications are kept out of the registries until skiff undrain"
                  : "") +
         (frozen ? "; FROZEN: changes of lists of providers wait for POST /unfreeze" : "") +
         (problem.empty() ? "" : "; STATE NOT STORED: " + problem);
}

std::string status_as_text(const ordered_json& status) {
  std::string out = status_headline(status) + "\n";
  for (const StatusTable& table : status_tables(status)) append_text(table, out);
  return out;
}

}  // namespace skiff::agent
