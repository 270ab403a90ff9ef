#include "dubbo/hessian2_reader.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "dubbo/recorded_frames.h"

namespace skiff::dubbo {
namespace {

using testing::bytes_of;

// Skips one value of `bytes`; the offset behind it, or -1.
std::ptrdiff_t skip(Bytes bytes) {
  const std::vector<std::byte> exact(bytes.begin(), bytes.end());
  Hessian2Reader reader;
  reader.reset(exact, 0);
  return reader.skip_value() ? static_cast<std::ptrdiff_t>(reader.offset()) : -1;
}

struct ValueCase {
  const char* what;
  std::string hex;
};

std::string hex_of_repeated(const char* hex, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += hex;
  return text;
}

// Every form of every type, by the grammar of Hessian 2.0 and Dubbo's hessian-lite.
const std::vector<ValueCase> kValues = {
    {"null", "4e"},
    {"true", "54"},
    {"false", "46"},
    {"int -16", "80"},
    {"int 0", "90"},
    {"int 47", "bf"},
    {"int, two bytes", "c0 00"},
    {"int, two bytes, last", "cf ff"},
    {"int, three bytes", "d0 00 00"},
    {"int, three bytes, last", "d7 ff ff"},
    {"int, five bytes", "49 7f ff ff ff"},
    {"long -8", "d8"},
    {"long 15", "ef"},
    {"long, two bytes", "f0 00"},
    {"long, two bytes, last", "ff ff"},
    {"long, three bytes", "38 00 00"},
    {"long, three bytes, last", "3f ff ff"},
    {"long, five bytes", "59 80 00 00 00"},
    {"long, nine bytes", "4c 80 00 00 00 00 00 00 00"},
    {"double 0.0", "5b"},
    {"double 1.0", "5c"},
    {"double, one byte", "5d 80"},
    {"double, two bytes", "5e 80 00"},
    {"double, in thousandths", "5f 00 00 30 39"},
    {"double", "44 40 28 80 00 00 00 00 00"},
    {"date in milliseconds", "4a 00 00 00 d0 4b 92 84 b8"},
    {"date in minutes", "4b 00 e3 83 8f"},
    {"empty string", "00"},
    {"string", "05 'hello'"},
    {"string of 31", "1f" + hex_of_repeated("61", 31)},
    {"string of 32, two bytes of length", "30 20" + hex_of_repeated("61", 32)},
    {"string of 1023", "33 ff" + hex_of_repeated("61", 1023)},
    {"string, long form", "53 00 03 'abc'"},
    {"string of CJK", "02 e4b896 e7958c"},
    {"string with a surrogate pair", "03 61 eda0bd edb880"},
    {"string with a 4-byte sequence", "03 61 f09f9880"},
    {"string of 40 supplementary characters, both ways",
     "30 50" + hex_of_repeated("eda0bdedb880", 20) + hex_of_repeated("f09f9880", 20)},
    {"string in chunks", "52 00 02 'ab' 53 00 01 'c'"},
    {"string in chunks, compact end", "52 00 02 'ab' 52 00 01 'c' 01 'd'"},
    {"string in chunks, middle end", "52 00 01 'a' 30 01 'b'"},
    {"string in chunks, empty end", "52 00 01 'a' 00"},
    {"string in chunks that split a pair", "52 00 01 eda0bd 01 edb880"},
    {"empty binary", "20"},
    {"binary of 15", "2f" + hex_of_repeated("ff", 15)},
    {"binary of 16", "34 10" + hex_of_repeated("ff", 16)},
    {"binary of 1023", "37 ff" + hex_of_repeated("00", 1023)},
    {"binary, long form", "42 00 03 01 02 03"},
    {"binary in chunks", "41 00 02 01 02 42 00 01 03"},
    {"binary in chunks, compact end", "41 00 02 01 02 22 03 04"},
    {"binary in chunks, middle end", "41 00 02 01 02 34 01 03"},
    {"typed list to its end", "55 04 '[int' 90 91 5a"},
    {"typed list to its end, empty", "55 04 '[int' 5a"},
    {"typed list of a length", "56 04 '[int' 92 90 91"},
    {"typed list, type by number", "56 90 92 90 91"},
    {"typed list of a length, empty", "56 04 '[int' 90"},
    {"untyped list to its end", "57 90 91 5a"},
    {"untyped list of a length", "58 92 90 91"},
    {"untyped list of a longer length", "58 c8 20" + hex_of_repeated("90", 32)},
    {"short typed list", "72 04 '[int' 90 91"},
    {"short typed list, type by number", "77 91" + hex_of_repeated("4e", 7)},
    {"short typed list, empty", "70 04 '[int'"},
    {"short untyped list", "7a 90 91"},
    {"short untyped list, empty", "78"},
    {"short untyped list of 7", "7f" + hex_of_repeated("4e", 7)},
    {"untyped map", "48 01 'a' 90 01 'b' 91 5a"},
    {"untyped map, empty", "48 5a"},
    {"untyped map with keys of any type", "48 90 01 'b' 4e 4e 79 90 54 5a"},
    {"typed map", "4d 11 'java.util.TreeMap' 01 'a' 90 5a"},
    {"typed map, type by number", "4d 90 01 'a' 90 5a"},
    {"map in a map", "48 01 'a' 48 01 'b' 90 5a 01 'c' 4e 5a"},
    {"class definition and object", "43 01 'C' 92 01 'x' 01 'y' 60 90 91"},
    {"class definition and object, long form", "43 01 'C' 92 01 'x' 01 'y' 4f 90 90 91"},
    {"class without fields", "43 01 'C' 90 60"},
    {"objects of two classes in a list",
     "7b 43 01 'C' 91 01 'x' 60 90  43 01 'D' 92 01 'y' 01 'z' 61 90 91  60 92"},
    {"class definition as a field's value", "43 01 'C' 91 01 'x' 60 43 01 'D' 91 01 'y' 61 60 90"},
    {"object of the 16th class and beyond", "58 a2" +
                                                [] {
                                                  std::string hex;
                                                  for (int i = 0; i < 17; ++i)
                                                    hex += "43 01 'C' 90 4f " +
                                                           std::string(i < 16 ? "90" : "a0");
                                                  return hex + "4f a0";
                                                }()},
    {"reference", "51 90"},
    {"reference, longer", "51 c8 20"},
    {"object that refers to itself", "43 01 'N' 91 04 'next' 60 51 90"},
};

TEST(Hessian2Reader, SkipsEveryFormOfEveryType) {
  for (const ValueCase& value : kValues) {
    const auto bytes = bytes_of(value.hex);
    EXPECT_EQ(skip(bytes), static_cast<std::ptrdiff_t>(bytes.size())) << value.what;
    // What follows must not matter, whatever it is.
    for (const char* next : {"90", "5a", "ff", "4e"}) {
      auto longer = bytes;
      for (int i = 0; i < 40; ++i) longer.push_back(bytes_of(next)[0]);
      EXPECT_EQ(skip(longer), static_cast<std::ptrdiff_t>(bytes.size()))
          << value.what << " before " << next;
    }
  }
}

TEST(Hessian2Reader, FailsWhereAnyOfThemIsCutOff) {
  for (const ValueCase& value : kValues) {
    const auto bytes = bytes_of(value.hex);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(skip(Bytes(bytes).first(size)), -1) << value.what << " cut at " << size;
    }
  }
}

TEST(Hessian2Reader, RefusesWhatIsNoValue) {
  for (const char* hex :
       {"40", "45", "47", "50", "5a", "60", "6f", "4f 90", "4f ff", "58 80", "58 4e 4e", "56 4e 90",
        "43 4e 90 60", "43 01 'C' 80 60", "43 01 'C' 90 4e", "52 00 01 'a' 4e", "41 00 01 00 4e",
        "51 4e", "43 01 'C' 91 01 'x' 61 90"}) {
    auto bytes = bytes_of(hex);
    bytes.resize(bytes.size() + 64, std::byte{0x90});
    EXPECT_EQ(skip(bytes), -1) << hex;
  }
}

TEST(Hessian2Reader, RefusesCountsThatTheBodyCannotHold) {
  for (const char* hex :
       {"58 49 7f ff ff ff 90", "56 90 49 7f ff ff ff 90", "43 01 'C' 49 7f ff ff ff 00 60",
        // A class of no fields is one byte an object, so even those cannot be 2^31.
        "7a 43 01 'C' 90 60 58 49 7f ff ff ff 60 60", "58 49 ff ff ff ff"}) {
    EXPECT_EQ(skip(bytes_of(hex)), -1) << hex;
  }
}

// Objects of one class with many fields, each of which is such an object: what is promised grows
// faster than the body, and the reader must give up with the body, not with the promise.
TEST(Hessian2Reader, WorksNoMoreThanTheBodyIsLong) {
  std::string hex = "43 01 'C' c8 ff";
  hex += hex_of_repeated("00", 255);
  hex += hex_of_repeated("60", 100000);
  EXPECT_EQ(skip(bytes_of(hex)), -1);
}

TEST(Hessian2Reader, LimitsDepthButNotTheLengthOfChains) {
  const auto nested = [](std::size_t depth) {
    std::vector<std::byte> bytes(depth, std::byte{0x57});
    bytes.push_back(std::byte{0x90});
    bytes.resize(bytes.size() + depth, std::byte{0x5a});
    return bytes;
  };
  EXPECT_EQ(skip(nested(Hessian2Reader::kMaxDepth)),
            static_cast<std::ptrdiff_t>(2 * Hessian2Reader::kMaxDepth + 1));
  EXPECT_EQ(skip(nested(Hessian2Reader::kMaxDepth + 1)), -1);
  // A linked list: each object is the last field of the one before.
  auto chain = bytes_of("43 01 'N' 92 01 'v' 04 'next'");
  for (int i = 0; i < 100000; ++i) {
    chain.push_back(std::byte{0x60});
    chain.push_back(std::byte{0x90});
  }
  chain.push_back(std::byte{0x4e});
  EXPECT_EQ(skip(chain), static_cast<std::ptrdiff_t>(chain.size()));
}

TEST(Hessian2Reader, LimitsClassDefinitions) {
  std::vector<std::byte> bytes = bytes_of("57");
  const auto definition = bytes_of("43 01 'C' 90 60");
  for (std::size_t i = 0; i <= Hessian2Reader::kMaxClassDefinitions; ++i) {
    bytes.insert(bytes.end(), definition.begin(), definition.end());
  }
  bytes.push_back(std::byte{0x5a});
  EXPECT_EQ(skip(bytes), -1);
}

TEST(Hessian2Reader, KeepsClassDefinitionsFromValueToValue) {
  const auto bytes = bytes_of("43 01 'C' 91 01 'x' 60 90  60 91  90");
  Hessian2Reader reader;
  reader.reset(bytes, 0);
  EXPECT_TRUE(reader.skip_value());
  EXPECT_TRUE(reader.skip_value());
  EXPECT_EQ(reader.remaining(), 1U);
  reader.reset(bytes, 8);  // the second object alone
  EXPECT_FALSE(reader.skip_value());
}

std::string text_of(const std::string& hex) {
  const auto bytes = bytes_of(hex);
  Hessian2Reader reader;
  reader.reset(bytes, 0);
  TextArena arena;
  std::string_view text;
  if (!reader.read_text(text, arena)) return reader.problem();
  EXPECT_EQ(reader.remaining(), 0U);
  return std::string(text);
}

TEST(Hessian2Reader, ReadsStringsInEveryForm) {
  EXPECT_EQ(text_of("00"), "");
  EXPECT_EQ(text_of("05 'hello'"), "hello");
  EXPECT_EQ(text_of("30 20" + hex_of_repeated("61", 32)), std::string(32, 'a'));
  EXPECT_EQ(text_of("53 01 00" + hex_of_repeated("61", 256)), std::string(256, 'a'));
  EXPECT_EQ(text_of("53 02 00" + hex_of_repeated("61", 512)), std::string(512, 'a'));
  EXPECT_EQ(text_of("52 00 02 'ab' 52 00 01 'c' 01 'd'"), "abcd");
  EXPECT_EQ(text_of("01 e4b8ad"), "\xe4\xb8\xad");
}

TEST(Hessian2Reader, GivesSupplementaryCharactersInUtf8) {
  EXPECT_EQ(text_of("02 f09f9880"), "\xf0\x9f\x98\x80");
  EXPECT_EQ(text_of("02 eda0bdedb880"), "\xf0\x9f\x98\x80");
  EXPECT_EQ(text_of("52 00 01 eda0bd 01 edb880"), "\xf0\x9f\x98\x80");
}

TEST(Hessian2Reader, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(text_of("4e"), "hessian2: expected a string, at offset 0");
  EXPECT_EQ(text_of("05 'hell'"), "hessian2: string runs over the end of the body, at offset 1");
}

}  // namespace
}  // namespace skiff::dubbo
