#include "agent/saved_state_text.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <utility>

#include "agent/json_fields.h"
#include "dubbo/url.h"
#include "registry/limits.h"

namespace skiff::agent {
namespace {

using nlohmann::json;
using registry::SavedList;
using registry::SavedState;

json written_json(const std::vector<SavedState::Written>& written) {
  json array = json::array();
  for (const auto& [registry, url] : written)
    array.push_back({{"registry", registry}, {"url", url}});
  return array;
}

// What requests of both kinds have.
template <typename Request>
json request_json(const Request& request) {
  json object = {{"interface", request.service.interface},
                 {"group", request.service.group},
                 {"version", request.service.version},
                 {"application", request.application},
                 {"parameters", request.parameters}};
  if (request.registry) object["registry"] = *request.registry;
  return object;
}

constexpr std::uint64_t kMaxPort = 65535;

json check_json(const registry::HealthCheck& check) {
  return {{"type", registry::name_of(check.type)},
          {"interval_ms", check.interval.count()},
          {"timeout_ms", check.timeout.count()},
          {"failures", check.failures},
          {"successes", check.successes}};
}

json publication_json(const SavedState::Publication& publication) {
  json object = request_json(publication.request);
  object["port"] = publication.request.port;
  object["methods"] = publication.request.methods;
  object["check"] = check_json(publication.request.check);
  if (publication.request.lease) object["lease_ms"] = publication.request.lease->count();
  object["stopping"] = publication.stopping;
  object["written"] = written_json(publication.written);
  return object;
}

json subscription_json(const SavedState::Subscription& subscription) {
  json object = request_json(subscription.request);
  object["written"] = written_json(subscription.written);
  return object;
}

json leaving_json(const SavedState::Leaving& leaving) {
  return {{"registry", leaving.written.registry},
          {"url", leaving.written.url},
          {"subject", leaving.subject}};
}

json session_json(const SavedState::Session& session) {
  return {{"registry", session.registry}, {"ticket", session.ticket}};
}

// Whether it stands in JSON as it is, and is the same read as the name of a node, which older
// agents take it for. Others come out of nodes' names: those may hold anything.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c >= ' ' && c <= '~' && c != '"' && c != '\\' && c != '%' && c != '+';
  });
}

void append_provider(const registry::ListedProvider& provider, std::string& text) {
  const std::string_view url = provider.text();
  text += '"';
  if (is_plain(url)) {
    text += url;
  } else {
    text += dubbo::url_encode(url);
  }
  text += '"';
}

// Without its quotes.
std::size_t size_of(const registry::ListedProvider& provider) {
  const std::string_view url = provider.text();
  return is_plain(url) ? url.size() : dubbo::url_encode(url).size();
}

// What stands before a list's providers, and after them.
std::string list_head(const SavedList& list) {
  std::string head = to_text(json{{"registry", list.registry}, {"interface", list.interface}});
  head.pop_back();  // its brace
  return head += ",\"providers\":[";
}
constexpr std::string_view kListTail = "]}";

// Without a json of it in between: there may be hundreds of thousands of providers, and whatever
// writes them costs time on a CPU that workers want.
std::string list_text(const std::shared_ptr<const SavedList>& list) {
  std::string text = list_head(*list);
  for (const registry::ListedProvider& provider : list->providers) {
    append_provider(provider, text);
    text += ',';
  }
  if (!list->providers.empty()) text.pop_back();
  return text += kListTail;
}

// A member of a document: its items, one a line.
template <typename Item, typename TextOf>
void write_array(const char* name, const std::vector<Item>& items, TextOf text_of,
                 const TakePiece& take) {
  take(std::string("\"") + name + "\":[");
  const char* separator = "\n";
  for (const Item& item : items) {
    take(std::exchange(separator, ",\n"));
    take(text_of(item));
  }
  take("]");
}

template <typename Item>
auto text_by(json (*json_of)(const Item&)) {
  return [json_of](const Item& item) { return to_text(json_of(item)); };
}

// The readers throw json::exception where something is missing or of another type; read_text()
// catches it.
SavedState::Written read_written(const json& object) {
  return {.registry = object.at("registry"), .url = object.at("url")};
}

std::vector<SavedState::Written> read_all_written(const json& array) {
  std::vector<SavedState::Written> result;
  for (const json& object : array) result.push_back(read_written(object));
  return result;
}

template <typename Request>
void read_request(const json& object, Request& request) {
  request.service = {.interface = object.at("interface"),
                     .group = object.at("group"),
                     .version = object.at("version")};
  request.application = object.at("application");
  request.parameters = object.at("parameters").get<std::map<std::string, std::string>>();
  if (object.contains("registry")) request.registry = object.at("registry").get<std::string>();
}

// A whole number in [min, max]; named as in the request that it was stored of.
std::uint64_t read_number(const json& value, const char* name, std::uint64_t min,
                          std::uint64_t max) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() < min ||
      value.get<std::uint64_t>() > max) {
    throw json::other_error::create(
        0, std::string(name) + ": expected " + std::to_string(min) + ".." + std::to_string(max),
        &value);
  }
  return value.get<std::uint64_t>();
}

std::chrono::milliseconds read_time(const json& value, const char* name,
                                    std::chrono::milliseconds min, std::chrono::milliseconds max) {
  return std::chrono::milliseconds(read_number(value, name, static_cast<std::uint64_t>(min.count()),
                                               static_cast<std::uint64_t>(max.count())));
}

registry::HealthCheck read_check(const json& object) {
  registry::HealthCheck check;
  const auto type = registry::health_check_type(object.at("type").get<std::string>());
  if (!type) throw json::other_error::create(0, "check.type: expected dubbo, tcp or none", &object);
  check.type = *type;
  check.interval = read_time(object.at("interval_ms"), "check.interval_ms",
                             registry::kCheckIntervalMin, registry::kCheckIntervalMax);
  check.timeout = read_time(object.at("timeout_ms"), "check.timeout_ms", registry::kCheckTimeoutMin,
                            registry::kCheckTimeoutMax);
  check.failures = static_cast<unsigned>(
      read_number(object.at("failures"), "check.failures", 1, registry::kChecksInARowMax));
  check.successes = static_cast<unsigned>(
      read_number(object.at("successes"), "check.successes", 1, registry::kChecksInARowMax));
  return check;
}

SavedState read_state(const json& document) {
  SavedState state;
  // Older versions did not know it.
  if (document.contains("drained")) state.drained = document.at("drained").get<bool>();
  for (const json& object : document.at("publications")) {
    SavedState::Publication publication;
    read_request(object, publication.request);
    publication.request.port =
        static_cast<std::uint16_t>(read_number(object.at("port"), "port", 1, kMaxPort));
    publication.request.methods = object.at("methods").get<std::vector<std::string>>();
    // Older versions knew neither checks nor leases nor applications that are about to stop.
    if (object.contains("check")) publication.request.check = read_check(object.at("check"));
    if (object.contains("lease_ms")) {
      publication.request.lease =
          read_time(object.at("lease_ms"), "lease_ms", registry::kLeaseMin, registry::kLeaseMax);
    }
    if (object.contains("stopping")) publication.stopping = object.at("stopping").get<bool>();
    publication.written = read_all_written(object.at("written"));
    state.publications.push_back(std::move(publication));
  }
  for (const json& object : document.at("subscriptions")) {
    SavedState::Subscription subscription;
    read_request(object, subscription.request);
    subscription.written = read_all_written(object.at("written"));
    state.subscriptions.push_back(std::move(subscription));
  }
  for (const json& object : document.at("leaving")) {
    state.leaving.push_back({read_written(object), object.at("subject")});
  }
  for (const json& object : document.at("sessions")) {
    state.sessions.push_back({object.at("registry"), object.at("ticket")});
  }
  return state;
}

// Of append_provider(); older versions stored all of them as names of nodes.
Result<dubbo::Url> read_provider(const std::string& text) {
  const bool is_url = text.find("://") != std::string::npos;
  return is_url ? dubbo::Url::parse(text) : dubbo::Url::parse_node_name(text);
}

// Returns how many of its providers cannot be read.
std::size_t read_list(const json& object, SavedList& list) {
  list.registry = object.at("registry");
  list.interface = object.at("interface");
  const json& providers = object.at("providers");
  list.providers.reserve(providers.size());
  for (const json& provider : providers) {
    if (const auto url = read_provider(provider.get_ref<const std::string&>())) {
      list.providers.emplace_back(*url);
    }
  }
  return providers.size() - list.providers.size();
}

// What read() returns, where it throws no json::exception.
template <typename Read>
auto read_text(Read read) -> Result<decltype(read())> {
  try {
    return read();
  } catch (const json::exception& exception) {
    return fail(ErrorCode::kMalformed,
                std::string("its text is not as expected: ") + exception.what());
  }
}

// Takes the lists out of a document while it is parsed.
class ListsReader {
 public:
  // nlohmann's parser_callback_t: false where the parser is to forget `parsed`.
  bool operator()(int depth, json::parse_event_t event, json& parsed) {
    using Event = json::parse_event_t;
    const bool is_start = event == Event::array_start || event == Event::object_start;
    if (is_start && depth >= static_cast<int>(kMaxJsonDepth)) {
      throw json::other_error::create(0, "it is nested too deep", &parsed);
    }
    if (depth == kDepthOfMember && event == Event::key) is_in_lists_ = parsed == "lists";
    const bool is_list = is_in_lists_ && depth == kDepthOfList;
    if (!is_list || event != Event::object_end) return true;
    unreadable_ += read_list(parsed, lists_.emplace_back());
    return false;
  }

  std::vector<SavedList> take() { return std::move(lists_); }
  std::size_t unreadable() const { return unreadable_; }

 private:
  static constexpr int kDepthOfMember = 1;
  static constexpr int kDepthOfList = 2;

  bool is_in_lists_ = false;
  std::vector<SavedList> lists_;
  std::size_t unreadable_ = 0;
};

std::string whole_text(const StateText& text) {
  std::string whole;
  text([&whole](std::string_view piece) { whole += piece; });
  return whole;
}

}  // namespace

void write_text(const SavedState& state, const TakePiece& take) {
  take("{");
  take(std::string("\"drained\":") + (state.drained ? "true" : "false") + ",\n");
  write_array("publications", state.publications, text_by(publication_json), take);
  take(",\n");
  write_array("subscriptions", state.subscriptions, text_by(subscription_json), take);
  take(",\n");
  write_array("leaving", state.leaving, text_by(leaving_json), take);
  take(",\n");
  write_array("sessions", state.sessions, text_by(session_json), take);
  take("}");
}

std::string to_text(const SavedState& state) {
  return whole_text([&state](const TakePiece& take) { write_text(state, take); });
}

Result<SavedState> parse_saved_state(std::string_view text) {
  const auto document = parse_json(text);
  if (!document) return fail(ErrorCode::kMalformed, "its text is not JSON");
  return read_text([&document] { return read_state(*document); });
}

void write_text(const SharedLists& lists, const TakePiece& take) {
  take("{");
  write_array("lists", lists, list_text, take);
  take("}");
}

std::size_t text_size(const SavedList& list) {
  constexpr std::size_t kAroundAProvider = 3;  // quotes and a comma
  constexpr std::size_t kAroundAList = 2;      // a comma and the end of a line
  std::size_t size = list_head(list).size() + kListTail.size() + kAroundAList;
  for (const registry::ListedProvider& provider : list.providers) {
    size += size_of(provider) + kAroundAProvider;
  }
  return size;
}

std::string to_text(const std::vector<SavedList>& lists) {
  SharedLists shared;
  for (const SavedList& list : lists) shared.push_back(std::make_shared<const SavedList>(list));
  return whole_text([&shared](const TakePiece& take) { write_text(shared, take); });
}

Result<std::vector<SavedList>> parse_saved_lists(std::string_view text) {
  return read_text([text] {
    ListsReader reader;
    const json rest = json::parse(text, std::ref(reader));
    // What is no object is left there.
    if (!rest.at("lists").empty()) {
      throw json::other_error::create(0, "lists are objects", &rest);
    }
    if (reader.unreadable() != 0) {
      spdlog::warn("{} remembered providers cannot be read", reader.unreadable());
    }
    return reader.take();
  });
}

}  // namespace skiff::agent
