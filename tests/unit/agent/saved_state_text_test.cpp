#include "agent/saved_state_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "agent/json_fields.h"

namespace skiff::agent {
namespace {

using registry::SavedList;
using registry::SavedState;

SavedState full_state() {
  SavedState state;
  SavedState::Publication publication;
  publication.request.service = {"com.example.Demo", "red", "1.0.0"};
  publication.request.port = 20880;
  publication.request.methods = {"sayHello", "sayGoodbye"};
  publication.request.application = "shop \"quoted\" \\ \xe4\xbd\xa0";
  publication.request.parameters = {{"weight", "200"}, {"empty", ""}};
  publication.request.registry = "zookeeper://user:pass@127.0.0.1:2181";
  publication.request.check = {.type = registry::HealthCheck::Type::kTcp,
                               .interval = std::chrono::milliseconds(500),
                               .timeout = std::chrono::milliseconds(200),
                               .failures = 7,
                               .successes = 2};
  publication.request.lease = std::chrono::seconds(30);
  publication.stopping = true;
  publication.written = {{"zookeeper://127.0.0.1:2181", "dubbo://10.0.0.5:20882/x?a=b"},
                         {"memory", "dubbo://10.0.0.5:20882/x?a=c"}};
  state.publications = {publication, publication};
  state.publications[1].request.registry.reset();
  state.publications[1].request.lease.reset();
  state.publications[1].stopping = false;
  SavedState::Subscription subscription;
  subscription.request.service = {"com.example.Demo", "*", "*"};
  subscription.written = {{"memory", "consumer://10.0.0.5/x"}};
  state.subscriptions = {subscription};
  state.leaving = {{{"memory", "dubbo://1.2.3.4:1/y"}, "publication of y at port 1"}};
  state.sessions = {{"zookeeper://127.0.0.1:2181", "0123456789abcdef:00"}};
  state.drained = true;
  return state;
}

TEST(SavedStateText, HoldsEverything) {
  const SavedState state = full_state();
  EXPECT_EQ(parse_saved_state(to_text(state)), state);
  EXPECT_EQ(parse_saved_state(to_text(SavedState())), SavedState());
}

TEST(SavedStateText, IgnoresWhatItDoesNotKnow) {
  auto document = nlohmann::json::parse(to_text(full_state()));
  document["more"] = 1;
  document["publications"][0]["more"] = {1, 2};
  EXPECT_EQ(parse_saved_state(document.dump()), full_state());
}

TEST(SavedStateText, RefusesWhatIsMissingOrOfAnotherType) {
  const auto whole = nlohmann::json::parse(to_text(full_state())).flatten();
  for (const auto& [path, value] : whole.items()) {
    auto document = nlohmann::json::parse(to_text(full_state()));
    document[nlohmann::json::json_pointer(path)] = nlohmann::json::array({true});
    const auto read = parse_saved_state(document.dump());
    ASSERT_FALSE(read) << path;
    EXPECT_EQ(read.error().code, ErrorCode::kMalformed) << path;
  }
  for (const char* text : {"", "null", "[]", "{}", "{\"publications\":{}}", "{"}) {
    EXPECT_FALSE(parse_saved_state(text)) << text;
    EXPECT_FALSE(parse_saved_lists(text)) << text;
  }
}

TEST(SavedStateText, ReadsWhatWasWrittenBeforeThereWereChecks) {
  auto document = nlohmann::json::parse(to_text(full_state()));
  document.erase("drained");
  for (const char* unknown : {"check", "lease_ms", "stopping"}) {
    document["publications"][0].erase(unknown);
  }
  const auto read = parse_saved_state(document.dump());
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->drained);
  EXPECT_EQ(read->publications[0].request.check, registry::HealthCheck());
  EXPECT_FALSE(read->publications[0].request.lease);
  EXPECT_FALSE(read->publications[0].stopping);
}

TEST(SavedStateText, RefusesNumbersOfChecksThatNoRequestMayHave) {
  for (const auto& [field, value] :
       {std::pair("interval_ms", 99), {"timeout_ms", 0}, {"failures", 0}, {"successes", 1'001}}) {
    auto document = nlohmann::json::parse(to_text(full_state()));
    document["publications"][0]["check"][field] = value;
    EXPECT_FALSE(parse_saved_state(document.dump())) << field;
  }
}

TEST(SavedStateText, RefusesPortsThatThereAreNot) {
  for (const char* port : {"0", "65536", "-1", "1.5", "\"1\"", "18446744073709551615"}) {
    auto document = nlohmann::json::parse(to_text(full_state()));
    document["publications"][0]["port"] = nlohmann::json::parse(port);
    EXPECT_FALSE(parse_saved_state(document.dump())) << port;
  }
}

registry::ListedProvider provider(const std::string& text) {
  return registry::ListedProvider(*dubbo::Url::parse(text));
}

TEST(SavedListsText, HoldsEverything) {
  const std::vector<SavedList> lists = {
      {"memory", "com.example.A", {provider("dubbo://a?b=\"c\""), provider("dubbo://b:1/x")}},
      {"zookeeper://h:1", "com.example.A", {}}};
  EXPECT_EQ(parse_saved_lists(to_text(lists)), lists);
  EXPECT_EQ(parse_saved_lists(to_text(std::vector<SavedList>())), std::vector<SavedList>());
}

TEST(SavedListsText, HoldsUrlsOfAnyBytesAndIsNoLongerThanIsCounted) {
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  std::erase(all, '&');
  std::vector<SavedList> lists;
  for (const std::string& text : {all, std::string(1'000, '\x01'), std::string(1'000, '"'),
                                  std::string(1'000, '\xff'), std::string("\xc3\xbc")}) {
    lists.push_back({"memory", "com.example.A", {provider("dubbo://a:1/b?c=" + text)}});
  }
  lists.push_back({"memory", "com.example.B", {provider("dubbo://a:1"), provider("dubbo://b:2")}});
  const std::string text = to_text(lists);
  EXPECT_EQ(parse_saved_lists(text), lists);
  std::size_t counted = 0;
  for (const SavedList& list : lists) {
    counted += text_size(list);
  }
  EXPECT_NEAR(static_cast<double>(text.size()), static_cast<double>(counted), 20);
}

TEST(SavedListsText, ReadsNamesOfNodesAndLeavesOutWhatIsNoUrl) {
  const auto lists = parse_saved_lists(
      R"({"lists":[{"registry":"r","interface":"i","providers":["dubbo%3A%2F%2Fa%3A1","b%","c"]}]})");
  ASSERT_TRUE(lists);
  EXPECT_EQ(*lists, (std::vector<SavedList>{{"r", "i", {provider("dubbo://a:1")}}}));
}

TEST(SavedListsText, MayHaveFieldsThatAreNotKnown) {
  const auto lists = parse_saved_lists(
      R"({"a":{"b":{}},"lists":[{"registry":"r","interface":"i","providers":[],"c":{}}],"d":[{}]})");
  ASSERT_TRUE(lists) << lists.error().message;
  EXPECT_EQ(*lists, (std::vector<SavedList>{{"r", "i", {}}}));
}

TEST(SavedListsText, NestedTooDeepIsRefused) {
  const std::string deep(kMaxJsonDepth + 1, '[');
  const std::string end(kMaxJsonDepth + 1, ']');
  EXPECT_FALSE(parse_saved_lists("{\"lists\":[],\"a\":" + deep + end + "}"));
}

TEST(SavedListsText, IsRefusedWhereItIsNotAsExpected) {
  for (const char* text :
       {"", "{", "[]", "{}", R"({"lists":1})", R"({"lists":[1]})", R"({"lists":[{}]})",
        R"({"lists":[{"registry":"r","interface":"i","providers":[1]}]})",
        R"({"lists":[{"registry":1,"interface":"i","providers":[]}]})", R"({"lists":[]} x)"}) {
    EXPECT_FALSE(parse_saved_lists(text)) << text;
  }
}

}  // namespace
}  // namespace skiff::agent
