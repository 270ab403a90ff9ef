#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dubbo/frame.h"
#include "dubbo/recorded_frames.h"
#include "dubbo/request.h"
#include "dubbo/spliced_body.h"

namespace skiff::dubbo {
namespace {

using testing::bytes_of;
using testing::RecordedFrame;
using testing::spliced_body;

// Bodies are a head without arguments and the map of the table.

constexpr std::array<std::string_view, 2> kRemoved = {"s", "secret-token"};

std::vector<std::byte> hessian2_body(std::string_view map) {
  return bytes_of("05 '2.0.2' 03 'a.B' 4e 02 'hi' 00 " + std::string(map));
}

std::vector<std::byte> fastjson2_body(std::string_view map) {
  auto body = bytes_of(
      "00000006 4e '2.0.2' 00000004 4c 'a.B' 00000001 af 00000003 4b 'hi'"
      "00000001 49 00000000");
  const auto document = bytes_of(map);
  wire::store_u32(body.data() + body.size() - 4, static_cast<std::uint32_t>(document.size()));
  body.insert(body.end(), document.begin(), document.end());
  return body;
}

std::vector<std::byte> fastjson_body(std::string_view map) {
  const std::string text = "\"2.0.2\"\n\"a.B\"\nnull\n\"hi\"\n\"\"\n" + std::string(map) + "\n";
  const Bytes bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

struct Changed {
  std::vector<std::byte> body;
  std::uint32_t removed = 0;
};

Result<Changed> change(Serialization serialization, Bytes body, const AttachmentChanges& changes) {
  RequestReader reader;
  const auto head = reader.read_head(serialization, body);
  if (!head) return tl::unexpected<Error>(head.error());
  Attachments attachments;
  const auto read = reader.read_attachments(serialization, body, *head, attachments);
  if (!read && has_readable_attachments(serialization)) return tl::unexpected<Error>(read.error());
  std::string inserted;
  const auto splice = reader.splice(serialization, body, *head, changes, inserted);
  if (!splice) return tl::unexpected<Error>(splice.error());
  return Changed{spliced_body(body, *splice, inserted), splice->removed};
}

struct Removal {
  std::string_view before;
  std::string_view after;
  std::uint32_t removed;
};

using BodyOf = std::vector<std::byte> (*)(std::string_view map);

void expect_removals(Serialization serialization, BodyOf body_of,
                     const std::vector<Removal>& removals) {
  for (const Removal& removal : removals) {
    const auto changed = change(serialization, body_of(removal.before), {.removed = kRemoved});
    ASSERT_TRUE(changed.has_value()) << removal.before << ": " << changed.error().message;
    EXPECT_EQ(changed->removed, removal.removed) << removal.before;
    EXPECT_EQ(changed->body, body_of(removal.after)) << removal.before;
  }
}

TEST(Removal, CutsEntriesOfHessian2) {
  expect_removals(
      Serialization::kHessian2, hessian2_body,
      {
          {"4e", "4e", 0},
          {"48 5a", "48 5a", 0},
          {"48 01'a' 01's' 5a", "48 01'a' 01's' 5a", 0},
          {"48 01's' 01'v' 5a", "48 5a", 1},
          {"48 01's' 01'v' 01'a' 01'b' 5a", "48 01'a' 01'b' 5a", 1},
          {"48 01'a' 01'b' 01's' 01'v' 5a", "48 01'a' 01'b' 5a", 1},
          {"48 01'a' 01'b' 01's' 01'v' 01'c' 01'd' 5a", "48 01'a' 01'b' 01'c' 01'd' 5a", 1},
          {"48 01's' 01'v' 01'a' 01'b' 01's' 01'w' 5a", "48 01'a' 01'b' 5a", 2},
          {"48 01's' 01'v' 0c'secret-token' 01'w' 01'a' 01'b' 5a", "48 01'a' 01'b' 5a", 2},
          {"4d 01'M' 01's' 01'v' 5a", "4d 01'M' 5a", 1},
          // keys and values in every form
          {"48 53 0001's' 01'v' 30 01's' 01'v' 52 0001's' 00 01'v' 52 0000 01's' 01'v' 5a", "48 5a",
           4},
          {"48 01's' 53 0003'abc' 01's' 52 0001'a' 01'b' 5a", "48 5a", 2},
          {"48 01's' 4e 01's' 54 01's' 46 01's' 90 01's' 49 00010000 01's' e0 01's' 5b 5a", "48 5a",
           7},
          {"48 01's' 44 0000000000000000 01's' 4a 0000000000000000 01's' 23'abc' 01's' 34 01 00 5a",
           "48 5a", 4},
          {"48 01's' 41 0001 'a' 21'b' 01's' 42 0001 'a' 5a", "48 5a", 2},
          // keys that are no strings name nothing
          {"48 91 01's' 01's' 01'v' 5a", "48 91 01's' 5a", 1},
          // others may be objects, with references to what stays
          {"48 01'a' 43 01'C' 91 01'x' 60 90 01's' 01'v' 01'b' 60 91 01'c' 51 91 5a",
           "48 01'a' 43 01'C' 91 01'x' 60 90 01'b' 60 91 01'c' 51 91 5a", 1},
          {"48 01'a' 48 01's' 01'v' 5a 01's' 01'v' 5a", "48 01'a' 48 01's' 01'v' 5a 5a", 1},
      });
}

TEST(Removal, CutsEntriesOfFastjson2) {
  expect_removals(
      Serialization::kFastjson2, fastjson2_body,
      {
          {"af", "af", 0},
          {"a6 a5", "a6 a5", 0},
          {"a6 4a'a' 4a's' a5", "a6 4a'a' 4a's' a5", 0},
          {"a6 4a's' 4a'v' a5", "a6 a5", 1},
          {"a6 4a's' 4a'v' 4a'a' 4a'b' a5", "a6 4a'a' 4a'b' a5", 1},
          {"a6 4a'a' 4a'b' 4a's' 4a'v' a5", "a6 4a'a' 4a'b' a5", 1},
          {"a6 4a's' 4a'v' 4a'a' 4a'b' 55'secret-token' 4a'w' a5", "a6 4a'a' 4a'b' a5", 2},
          {"92 4a'M' 00 a6 4a's' 4a'v' a5", "92 4a'M' 00 a6 a5", 1},
          {"a6 79 01's' 4a'v' 7a 01's' 4a'v' 7b 02 0073 4a'v' 7c 02 7300 4a'v' a5", "a6 a5", 4},
          {"a6 4a's' af 4a's' b1 4a's' 07 4a's' d9 4a's' b5 0000000000000000 4a's' b4 01 a5",
           "a6 a5", 6},
          {"a6 4a's' 7e 02'ab' 4a's' 91 02'ab' a5", "a6 a5", 2},
          // symbols that others define and use
          {"a6 7f 4a'a' 01 4a'b' 4a's' 4a'v' 4a'c' 7f 01 a5", "a6 7f 4a'a' 01 4a'b' 4a'c' 7f 01 a5",
           1},
          {"a6 4a'a' a6 4a's' 4a'v' a5 4a's' 4a'v' a5", "a6 4a'a' a6 4a's' 4a'v' a5 a5", 1},
      });
}

TEST(Removal, CutsEntriesOfFastjsonWithTheirCommas) {
  expect_removals(Serialization::kFastjson, fastjson_body,
                  {
                      {"null", "null", 0},
                      {"{}", "{}", 0},
                      {R"({"a":"s"})", R"({"a":"s"})", 0},
                      {R"({"s":"v"})", "{}", 1},
                      {R"({"s":"v","a":"b"})", R"({"a":"b"})", 1},
                      {R"({"a":"b","s":"v"})", R"({"a":"b"})", 1},
                      {R"({"a":"b","s":"v","c":"d"})", R"({"a":"b","c":"d"})", 1},
                      {R"({"s":"v","secret-token":"w","a":"b"})", R"({"a":"b"})", 2},
                      {R"({"a":"b","s":"v","secret-token":"w"})", R"({"a":"b"})", 2},
                      {R"({"s":"v","a":"b","s":"w"})", R"({"a":"b"})", 2},
                      {R"({"s":"v","s":"w"})", "{}", 2},
                      {R"( { "s" : "v" , "a" : "b" , "s" : 1 } )", R"( { "a" : "b" } )", 2},
                      {R"({"\u0073":"v","\u0073ecret\u002dtoken":"},\"{"})", "{}", 2},
                      {R"({"s":1,"s":-2.5e3,"s":true,"s":null})", "{}", 4},
                      {R"({"a":{"s":"v"},"s":"v","b":["s"]})", R"({"a":{"s":"v"},"b":["s"]})", 1},
                  });
}

TEST(Removal, IsRefusedWhereSomethingMightBeLeftOrMissed) {
  struct Refusal {
    Serialization serialization;
    BodyOf body_of;
    std::string_view map;
  };
  const Serialization hessian2 = Serialization::kHessian2;
  const Serialization fastjson2 = Serialization::kFastjson2;
  const Serialization fastjson = Serialization::kFastjson;
  for (const auto& [serialization, body_of, map] : std::vector<Refusal>{
           // values that have numbers
           {hessian2, hessian2_body, "48 01's' 48 5a 5a"},
           {hessian2, hessian2_body, "48 01's' 57 5a 5a"},
           {hessian2, hessian2_body, "48 01's' 78 5a"},
           {hessian2, hessian2_body, "48 01's' 43 01'C' 90 60 5a"},
           {hessian2, hessian2_body, "48 01's' 51 90 5a"},
           // one of two
           {hessian2, hessian2_body, "48 01's' 01'v' 01's' 48 5a 5a"},
           // bytes that are no UTF-8: an overlong 's', which Java's hessian takes
           {hessian2, hessian2_body, "48 01 c1b3 01'v' 5a"},
           {hessian2, hessian2_body, "51 90"},
           {hessian2, hessian2_body, "48 01's' 01'v' 5a 90"},
           {fastjson2, fastjson2_body, "a6 4a's' a6 a5 a5"},
           {fastjson2, fastjson2_body, "a6 4a's' 94 a5"},
           {fastjson2, fastjson2_body, "a6 4a's' 93 4a'$' a5"},
           {fastjson2, fastjson2_body, "a6 4a's' 92 4a'T' 00 4a'v' a5"},
           // symbols
           {fastjson2, fastjson2_body, "a6 7f 4a's' 01 4a'v' a5"},
           {fastjson2, fastjson2_body, "a6 4a's' 7f 4a'v' 01 a5"},
           {fastjson2, fastjson2_body, "a6 7f 01 4a'v' a5"},
           // keys in an encoding that we do not read, or by another way
           {fastjson2, fastjson2_body, "a6 7e 01's' 4a'v' a5"},
           {fastjson2, fastjson2_body, "a6 93 4a'$' 4a'v' a5"},
           {fastjson2, fastjson2_body, "a6 7b 04 feff0073 4a'v' a5"},
           {fastjson2, fastjson2_body, "a6 7b 04 fffe7300 4a'v' a5"},
           {fastjson, fastjson_body, R"({"s":{}})"},
           {fastjson, fastjson_body, R"({"s":["a"]})"},
           {fastjson, fastjson_body, R"({"s":Set["a"]})"},
           {fastjson, fastjson_body, R"({s:"v"})"},
           {fastjson, fastjson_body, R"({'s':"v"})"},
           {fastjson, fastjson_body, R"({1:"v"})"},
           // an entry that we take for a text
           {fastjson, fastjson_body, R"({"a":'"',"s":"v","b":'"'})"},
           {fastjson, fastjson_body, R"({"a":[/*"*/],"s":"v","b":[/*"*/]})"},
       }) {
    const auto changed = change(serialization, body_of(map), {.removed = kRemoved});
    ASSERT_FALSE(changed.has_value()) << map;
    EXPECT_EQ(changed.error().code, ErrorCode::kUnsupported) << map;
    EXPECT_FALSE(changed.error().message.empty());
  }
}

TEST(Removal, NamesWhatCannotBeRemoved) {
  constexpr std::array<std::string_view, 1> kName = {"secret-token"};
  const auto body = hessian2_body("48 0c'secret-token' 48 5a 5a");
  const auto changed = change(Serialization::kHessian2, body, {.removed = kName});
  ASSERT_FALSE(changed.has_value());
  EXPECT_EQ(changed.error().message,
            "attachment 'secret-token' cannot be removed: its value is one that later values may "
            "refer to");
}

TEST(Removal, IsRefusedForSerializationsWhoseAttachmentsAreNotRead) {
  for (const std::string_view name : {"java-request-string", "compactedjava-request-string"}) {
    const RecordedFrame& frame = testing::recorded_frame(name);
    const auto changed = change(frame.serialization(), frame.body(), {.removed = kRemoved});
    ASSERT_FALSE(changed.has_value()) << name;
    EXPECT_EQ(changed.error().code, ErrorCode::kUnsupported);
  }
}

TEST(Removal, TakesEntriesInEightPlacesAndNoMore) {
  const std::string one = "01's' 01'v' 01's' 01'w' 01'a' 01'b' ";
  std::string before = "48 ";
  std::string after = "48 ";
  for (std::size_t i = 0; i < Cuts::kCapacity; ++i) {
    before += one;
    after += "01'a' 01'b'";
  }
  expect_removals(Serialization::kHessian2, hessian2_body, {{before + "5a", after + "5a", 16}});
  const auto changed =
      change(Serialization::kHessian2, hessian2_body(before + one + "5a"), {.removed = kRemoved});
  ASSERT_FALSE(changed.has_value());
  EXPECT_EQ(changed.error().code, ErrorCode::kTooLarge);
}

// More than Attachments keeps.
TEST(Removal, SeesTheEntriesBehindTheOnesThatAreKept) {
  std::string before = "48 ";
  for (std::size_t i = 0; i < Attachments::kCapacity; ++i) before += "01'a' 01'b'";
  const std::string after = before + "5a";
  expect_removals(Serialization::kHessian2, hessian2_body, {{before + "01's' 01'v' 5a", after, 1}});
}

TEST(Removal, ReplacesWhatIsAddedAsWell) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kNew = {
      {{"s", "w"}, {"t", "x"}}};
  const AttachmentChanges changes{.removed = kRemoved, .added = kNew};
  struct Replacement {
    Serialization serialization;
    BodyOf body_of;
    std::string_view before;
    std::string_view after;
  };
  for (const auto& [serialization, body_of, before, after] : std::vector<Replacement>{
           {Serialization::kHessian2, hessian2_body, "48 01's' 01'v' 01'a' 01'b' 5a",
            "48 01'a' 01'b' 01's' 01'w' 01't' 01'x' 5a"},
           {Serialization::kHessian2, hessian2_body, "4e", "48 01's' 01'w' 01't' 01'x' 5a"},
           {Serialization::kFastjson2, fastjson2_body, "a6 4a's' 50'vvvvvvv' a5",
            "a6 4a's' 4a'w' 4a't' 4a'x' a5"},
           {Serialization::kFastjson2, fastjson2_body, "af", "a6 4a's' 4a'w' 4a't' 4a'x' a5"},
           {Serialization::kFastjson, fastjson_body, R"({"s":"v"})", R"({"s":"w","t":"x"})"},
           {Serialization::kFastjson, fastjson_body, R"({"a":"b","s":"v"})",
            R"({"a":"b","s":"w","t":"x"})"},
           {Serialization::kFastjson, fastjson_body, R"({"s":"v", "a":"b" })",
            R"({"a":"b" ,"s":"w","t":"x"})"},
           {Serialization::kFastjson, fastjson_body, " null", R"( {"s":"w","t":"x"})"},
       }) {
    const auto changed = change(serialization, body_of(before), changes);
    ASSERT_TRUE(changed.has_value()) << before << ": " << changed.error().message;
    EXPECT_EQ(changed->body, body_of(after)) << before;
  }
}

TEST(Removal, SaysWhereNothingChanges) {
  const RecordedFrame& frame = testing::recorded_frame("request-int");
  RequestReader reader;
  const auto head = reader.read_head(Serialization::kHessian2, frame.body());
  Attachments attachments;
  ASSERT_TRUE(reader.read_attachments(Serialization::kHessian2, frame.body(), *head, attachments));
  std::string inserted;
  constexpr std::array<std::string_view, 1> kTimeout = {"timeout"};
  for (const auto& [names, is_change] :
       {std::pair(std::span<const std::string_view>(kRemoved), false),
        std::pair(std::span<const std::string_view>(kTimeout), true)}) {
    const auto splice =
        reader.splice(Serialization::kHessian2, frame.body(), *head, {.removed = names}, inserted);
    ASSERT_TRUE(splice.has_value());
    EXPECT_EQ(splice->changes_nothing(), !is_change);
    EXPECT_EQ(splice->cuts.empty(), !is_change);
  }
}

// What is known from a request before must not change what is cut from the next.
TEST(Removal, IsTheSameForARequestThatWasReadBefore) {
  const RecordedFrame& frame = testing::recorded_frame("request-with-trace-attachment");
  constexpr std::array<std::string_view, 2> kNames = {"trace.id", "timeout"};
  const auto expected = change(Serialization::kHessian2, frame.body(), {.removed = kNames});
  ASSERT_TRUE(expected.has_value());
  EXPECT_EQ(expected->removed, 2U);
  RequestReader reader;
  for (int i = 0; i < 4; ++i) {
    const std::vector<std::byte> copy(frame.body().begin(), frame.body().end());
    const auto head = reader.read_head(Serialization::kHessian2, copy);
    Attachments attachments;
    ASSERT_TRUE(reader.read_attachments(Serialization::kHessian2, copy, *head, attachments));
    EXPECT_EQ(attachments.find("trace.id"), "t-1");
    std::string inserted;
    const auto splice =
        reader.splice(Serialization::kHessian2, copy, *head, {.removed = kNames}, inserted);
    ASSERT_TRUE(splice.has_value());
    EXPECT_EQ(spliced_body(copy, *splice, inserted), expected->body);
    EXPECT_EQ(attachments.find("trace.id"), "t-1");  // views outlive the splice
  }
}

std::vector<std::pair<std::string, std::string>> attachments_of(Serialization serialization,
                                                                Bytes body) {
  RequestReader reader;
  const auto head = reader.read_head(serialization, body);
  Attachments attachments;
  std::vector<std::pair<std::string, std::string>> entries;
  if (!head || !reader.read_attachments(serialization, body, *head, attachments)) return entries;
  for (std::size_t i = 0; i < attachments.size(); ++i) entries.emplace_back(attachments[i]);
  return entries;
}

void expect_removed(const RecordedFrame& frame, std::span<const std::string_view> names) {
  const std::string what =
      frame.name + " without " + std::string(names.front()) + " and " + std::string(names.back());
  const auto changed = change(frame.serialization(), frame.body(), {.removed = names});
  ASSERT_TRUE(changed.has_value()) << what << ": " << changed.error().message;
  auto expected = attachments_of(frame.serialization(), frame.body());
  const auto size = expected.size();
  std::erase_if(expected, [names](const auto& entry) {
    return std::ranges::find(names, entry.first) != names.end();
  });
  EXPECT_EQ(changed->removed, size - expected.size()) << what;
  EXPECT_EQ(attachments_of(frame.serialization(), changed->body), expected) << what;
  RequestReader reader;
  const auto before = reader.read_head(frame.serialization(), frame.body());
  const std::size_t arguments_at = before->arguments_offset;
  EXPECT_TRUE(std::equal(frame.body().begin(),
                         frame.body().begin() + static_cast<std::ptrdiff_t>(arguments_at),
                         changed->body.begin()))
      << what;
  EXPECT_TRUE(reader.read_head(frame.serialization(), changed->body).has_value()) << what;
}

TEST(Removal, OfAnyOneOrTwoLeavesAllOthersInEveryRecordedRequest) {
  for (const RecordedFrame& frame : testing::recorded_frames()) {
    if (!frame.request || !frame.request->attachments) continue;
    const auto& all = *frame.request->attachments;
    for (const auto& [first, first_value] : all) {
      for (const auto& [second, second_value] : all) {
        expect_removed(frame, std::array<std::string_view, 2>{first, second});
      }
    }
  }
}

TEST(Removal, OfAllLeavesAnEmptyMapAndTheArgumentsAsTheyWere) {
  for (const RecordedFrame& frame : testing::recorded_frames()) {
    if (!frame.request || !frame.request->attachments) continue;
    std::vector<std::string_view> names;
    for (const auto& [name, value] : *frame.request->attachments) names.push_back(name);
    const auto changed = change(frame.serialization(), frame.body(), {.removed = names});
    ASSERT_TRUE(changed.has_value()) << frame.name;
    // All that is left is a beginning and an end of the old body.
    const std::string_view left = as_text(changed->body);
    const std::string_view old = as_text(frame.body());
    const bool is_json = frame.serialization() == Serialization::kFastjson;
    const std::string_view end = is_json ? "{}\n" : left.substr(left.size() - 2);
    EXPECT_TRUE(left.ends_with(end)) << frame.name;
    EXPECT_TRUE(attachments_of(frame.serialization(), changed->body).empty()) << frame.name;
    std::size_t same = left.size() - end.size();
    if (frame.serialization() == Serialization::kFastjson2) same -= 4;  // the size of the map
    EXPECT_EQ(left.substr(0, same), old.substr(0, same)) << frame.name;
    for (const std::string_view value : {"demo-consumer", "remote.application"}) {
      EXPECT_EQ(left.find(value), std::string_view::npos) << frame.name;
    }
  }
}

TEST(Removal, TakesTheBytesOutOfTheBody) {
  const std::string secret = "0c'secret-token' 09'very-dark'";
  const auto body = hessian2_body("48 01'a' 01'b'" + secret + "01'c' 01'd' 5a");
  const auto changed = change(Serialization::kHessian2, body, {.removed = kRemoved});
  ASSERT_TRUE(changed.has_value());
  EXPECT_EQ(changed->body.size(), body.size() - bytes_of(secret).size());
  EXPECT_EQ(as_text(changed->body).find("secret-token"), std::string_view::npos);
  EXPECT_EQ(as_text(changed->body).find("very-dark"), std::string_view::npos);
}

}  // namespace
}  // namespace skiff::dubbo
