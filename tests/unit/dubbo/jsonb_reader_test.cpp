#include "dubbo/jsonb_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dubbo/recorded_frames.h"

namespace skiff::dubbo {
namespace {

using testing::bytes_of;

std::ptrdiff_t skip(Bytes bytes) {
  const std::vector<std::byte> exact(bytes.begin(), bytes.end());
  JsonbReader reader(exact);
  return reader.skip_value() ? static_cast<std::ptrdiff_t>(reader.offset()) : -1;
}

struct ValueCase {
  const char* what;
  const char* hex;
};

const std::vector<ValueCase> kValues = {
    {"int", "2f"},
    {"int -16", "f0"},
    {"int, two bytes", "30 00"},
    {"int, three bytes", "47 ff ff"},
    {"int, five bytes", "48 07 5b cd 15"},
    {"short", "bc 01 02"},
    {"byte", "bd 04"},
    {"long", "d8"},
    {"long, two bytes", "c8 00"},
    {"long, three bytes", "c0 00 00"},
    {"long, five bytes", "bf 00 00 00 01"},
    {"long, nine bytes", "be 00 00 01 1f 71 fb 04 cb"},
    {"null", "af"},
    {"false", "b0"},
    {"true", "b1"},
    {"double 0", "b2"},
    {"double 1", "b3"},
    {"double as long", "b4 c8 00"},
    {"double", "b5 40 04 00 00 00 00 00 00"},
    {"float as int", "b6 05"},
    {"float", "b7 00 00 00 00"},
    {"decimal as long", "b8 05"},
    {"decimal", "b9 04 48 07 5b cd 15"},
    {"decimal of a big integer", "b9 04 bb 02 01 02"},
    {"big integer as long", "ba 05"},
    {"big integer", "bb 03 01 02 03"},
    {"char", "90 38 61"},
    {"binary", "91 04 01 02 03 ff"},
    {"binary, longer length", "91 38 02 01 02"},
    {"empty string", "49"},
    {"string", "4e 'hello'"},
    {"string of a length", "79 05 'hello'"},
    {"UTF-8", "7a 03 e4b8ad"},
    {"UTF-16", "7b 02 4e2d"},
    {"UTF-16LE", "7c 02 2d4e"},
    {"UTF-16BE", "7d 02 4e2d"},
    {"GB18030", "7e 02 d6d0"},
    {"symbol by name", "7f 4c 'age' 01"},
    {"symbol by number", "7f 01"},
    {"reference", "93 4a '$'"},
    {"reference by symbol", "93 7f 07"},
    {"empty array", "94"},
    {"array", "96 01 02"},
    {"array of a length", "a4 03 01 02 af"},
    {"empty object", "a6 a5"},
    {"object", "a6 4a 'k' 01 4a 'l' af a5"},
    {"object with symbols", "a6 7f 4a 'k' 00 01 7f 00 02 a5"},
    {"object with numbers for keys", "a6 01 02 05 94 a5"},
    {"typed object", "92 4a 'T' 00 a6 a5"},
    {"typed, type by number", "92 00 a6 a5"},
    {"typed array", "92 4b '[I' 00 98 01 02 03 48 00 06 1a 80"},
    {"local date", "a9 07 e9 0b 17"},
    {"local time", "a7 01 02 03 00"},
    {"local date and time", "a8 07 e9 0b 17 01 02 03 48 00 00 00 01"},
    {"timestamp with a zone", "aa 07 e9 0b 17 01 02 03 00 4c 'UTC'"},
    {"timestamp in ms", "ab 00 00 00 00 00 00 00 01"},
    {"timestamp in seconds", "ac 65 53 f1 00"},
    {"timestamp in minutes", "ad 65 53 f1 00"},
    {"timestamp", "ae 00 00 00 00 00 00 00 01 00"},
};

TEST(JsonbReader, SkipsEveryFormOfEveryType) {
  for (const ValueCase& value : kValues) {
    auto bytes = bytes_of(value.hex);
    const auto size = static_cast<std::ptrdiff_t>(bytes.size());
    EXPECT_EQ(skip(bytes), size) << value.what;
    bytes.resize(bytes.size() + 20, std::byte{0x01});
    EXPECT_EQ(skip(bytes), size) << value.what << " with more behind it";
  }
}

TEST(JsonbReader, FailsWhereAnyOfThemIsCutOff) {
  for (const ValueCase& value : kValues) {
    const auto bytes = bytes_of(value.hex);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(skip(Bytes(bytes).first(size)), -1) << value.what << " cut at " << size;
    }
  }
}

TEST(JsonbReader, RefusesWhatIsNoValueOrTooMuch) {
  for (const char* hex : {"a5", "79 f0", "79 af", "a4 48 7f ff ff ff 01", "a4 48 ff ff ff ff 01",
                          "91 48 7f ff ff ff 01", "92 a6 a5", "7f a6 a5", "90 4a 'a'"}) {
    EXPECT_EQ(skip(bytes_of(hex)), -1) << hex;
  }
  EXPECT_EQ(skip(std::vector<std::byte>(100000, std::byte{0xa6})), -1);
}

TEST(JsonbReader, LimitsDepth) {
  const auto nested = [](std::size_t depth) {
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i < depth; ++i) {
      bytes.push_back(std::byte{0xa6});
      bytes.push_back(std::byte{0x49});
    }
    bytes.push_back(std::byte{0xaf});
    bytes.resize(bytes.size() + depth, std::byte{0xa5});
    return bytes;
  };
  EXPECT_GT(skip(nested(JsonbReader::kMaxDepth)), 0);
  EXPECT_EQ(skip(nested(JsonbReader::kMaxDepth + 1)), -1);
}

std::string text_of(const char* hex) {
  const auto bytes = bytes_of(hex);
  JsonbReader reader(bytes);
  TextArena arena;
  std::string_view text;
  if (!reader.next_is_text()) return "no text";
  if (!reader.read_text(text, arena)) return reader.problem();
  EXPECT_EQ(reader.remaining(), 0U);
  return std::string(text);
}

TEST(JsonbReader, ReadsStringsOfEveryCharset) {
  EXPECT_EQ(text_of("49"), "");
  EXPECT_EQ(text_of("4e 'hello'"), "hello");
  EXPECT_EQ(text_of("79 05 'hello'"), "hello");
  EXPECT_EQ(text_of("4a fc"), "\xc3\xbc");
  EXPECT_EQ(text_of("7a 03 e4b8ad"), "\xe4\xb8\xad");
  EXPECT_EQ(text_of("7b 02 4e2d"), "\xe4\xb8\xad");
  EXPECT_EQ(text_of("7c 06 2d4e 3dd8 00de"), "\xe4\xb8\xad\xf0\x9f\x98\x80");
  EXPECT_EQ(text_of("7d 02 4e2d"), "\xe4\xb8\xad");
  EXPECT_EQ(text_of("7f 4c 'age' 01"), "age");
  EXPECT_EQ(text_of("7e 02 d6d0"), "no text");
  EXPECT_EQ(text_of("7f 01"), "no text");
  EXPECT_EQ(text_of("af"), "no text");
}

}  // namespace
}  // namespace skiff::dubbo
