#include "dubbo/hessian2_value.h"

#include <gtest/gtest.h>

#include <string>

#include "dubbo/text_writers.h"

namespace skiff::dubbo {
namespace {

using Type = Hessian2Value::Type;

std::string text(std::string_view value) {
  std::string out;
  append_hessian2_string(value, out);
  return out;
}

Result<Hessian2Value> read(const std::string& body) {
  return Hessian2ValueReader(as_bytes(body)).read();
}

TEST(Hessian2Value, ReadsNumbersOfEverySize) {
  const std::vector<std::pair<std::string, std::int64_t>> cases = {
      {"\x90", 0},
      {"\x80", -16},
      {"\xbf", 47},
      {"\xc7\xff", -1},
      {"\xcf\xff", 2047},
      {std::string("\xd4\x51\x90", 3), 20880},
      {"I\x80\x01\x02\x03", -2147417597},
      {"I\x7f\xff\xff\xff", 2147483647},
  };
  for (const auto& [bytes, number] : cases) {
    const auto value = read(bytes);
    ASSERT_TRUE(value) << number;
    EXPECT_EQ(value->type, Type::kNumber);
    EXPECT_EQ(value->number, number);
  }
}

TEST(Hessian2Value, ReadsMapsObjectsAndListsByTheirKeys) {
  const std::string body = "C" + text("a.Pair") + "\x92" + text("left") + text("right") + "`" +
                           "M" + text("java.util.TreeMap") + text("k") + text("v") + "Z" + "z" +
                           "N" + "T";
  const auto value = read(body);
  ASSERT_TRUE(value) << value.error().message;
  EXPECT_EQ(value->type, Type::kObject);
  EXPECT_EQ(value->text, "a.Pair");
  ASSERT_NE(value->find("left"), nullptr);
  ASSERT_NE(value->find("left")->find("k"), nullptr);
  EXPECT_EQ(value->find("left")->find("k")->text, "v");
  ASSERT_NE(value->find("right"), nullptr);
  EXPECT_EQ(value->find("right")->children.size(), 2U);
  EXPECT_EQ(value->find("up"), nullptr);
}

TEST(Hessian2Value, FollowsReferences) {
  // A list (0) of an empty map (1), a map (2), a reference to 2, and one to nothing.
  const std::string body =
      std::string("|") + "HZ" + "H" + text("k") + text("v") + "Z" + "\x51\x92" + "\x51\x99";
  const auto value = read(body);
  ASSERT_TRUE(value) << value.error().message;
  const Hessian2References references(*value);
  EXPECT_EQ(references.resolve(&value->children[2]), &value->children[1]);
  EXPECT_EQ(references.resolve(&value->children[3]), nullptr);
  EXPECT_EQ(references.resolve(&value->children[0]), &value->children[0]);
  EXPECT_EQ(references.resolve(nullptr), nullptr);
}

TEST(Hessian2Value, ReadsOneAfterAnother) {
  const std::string body = "\x91" + text("next");
  Hessian2ValueReader reader(as_bytes(body));
  EXPECT_EQ(reader.read()->number, 1);
  EXPECT_EQ(reader.read()->text, "next");
  EXPECT_FALSE(reader.read());
}

TEST(Hessian2Value, RefusesWhatIsBroken) {
  const std::vector<std::string> cases = {
      "",                        // nothing
      "H",                       // a map without an end
      "H" + text("k") + "Z",     // a key without a value
      "`",                       // an object of no class
      "O\x99",                   //
      "C" + text("a") + "\x91",  // fewer fields than said
      "C" + text("a") + "I\x7f\xff\xff\xff",
      "C" + text("a") + "\x90",  // a class without an object
      "V" + text("t") + "I\xff\xff\xff\xff",
      "V" + text("t") + "\xa0" + "N",  // fewer elements than said
      std::string("\x05") + "abc",     // a text that is shorter than said
      "I\x01",
      "@",  // no value begins so
  };
  for (const std::string& body : cases) {
    const auto value = read(body);
    ASSERT_FALSE(value) << body;
    EXPECT_EQ(value.error().code, ErrorCode::kMalformed) << body;
    EXPECT_FALSE(value.error().message.empty());
  }
}

TEST(Hessian2Value, RefusesWhatIsTooDeepOrTooMuch) {
  EXPECT_EQ(read(std::string(100, '\x79')).error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(read(std::string(1, '\x57') + std::string(500'000, 'N') + "Z").error().code,
            ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace skiff::dubbo
