#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "dubbo/recorded_frames.h"
#include "dubbo/request.h"

namespace skiff::dubbo {
namespace {

using testing::bytes_of;

struct Case {
  std::string value;  // in hexadecimal
  std::optional<std::string> text;
};

std::optional<std::string> argument(Serialization serialization, const std::string& hex,
                                    std::size_t index) {
  RequestReader reader;
  const auto body = bytes_of(hex);
  const auto head = reader.read_head(serialization, body);
  if (!head) return "no head: " + head.error().message;
  const auto text = reader.argument(serialization, body, *head, index);
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

TEST(Argument, OfHessian2IsATextNumberOrBoolean) {
  const std::string head = "05 '2.0.2' 03 'a.B' 05 '1.0.0' 02 'hi' 01 'I' ";
  const std::vector<Case> cases = {{"05 'hello'", "hello"},
                                   {"'T'", "true"},
                                   {"'F'", "false"},
                                   {"90", "0"},
                                   {"80", "-16"},
                                   {"bf", "47"},
                                   {"c0 00", "-2048"},
                                   {"cf ff", "2047"},
                                   {"d0 00 00", "-262144"},
                                   {"d7 ff ff", "262143"},
                                   {"'I' ff ff ff ff", "-1"},
                                   {"'I' 7f ff ff ff", "2147483647"},
                                   {"e0", "0"},
                                   {"d8", "-8"},
                                   {"ef", "15"},
                                   {"f0 00", "-2048"},
                                   {"f8 ff", "255"},
                                   {"3c 01 00", "256"},
                                   {"38 00 00", "-262144"},
                                   {"59 80 00 00 00", "-2147483648"},
                                   {"'L' 80 00 00 00 00 00 00 00", "-9223372036854775808"},
                                   {"5b", "0.0"},
                                   {"5c", "1.0"},
                                   {"5d fe", "-2.0"},
                                   {"5e 01 00", "256.0"},
                                   {"5f 00 00 04 d2", "1.234"},
                                   {"'D' 40 09 21 fb 54 44 2d 18", "3.141592653589793"},
                                   {"'D' 7f ef ff ff ff ff ff ff", std::nullopt},
                                   {"'D' 7f f8 00 00 00 00 00 00", std::nullopt},
                                   {"4e", std::nullopt},
                                   {"'I' 00", std::nullopt},
                                   {"'L' 00 00", std::nullopt},
                                   {"cf", std::nullopt},
                                   {"", std::nullopt},
                                   {"'H' 'Z'", std::nullopt}};
  for (const Case& one : cases) {
    EXPECT_EQ(argument(Serialization::kHessian2, head + one.value, 0), one.text) << one.value;
  }
}

TEST(Argument, OfFastjson2IsATextWholeNumberOrBoolean) {
  const std::vector<Case> cases = {{"4e 'hello'", "hello"},
                                   {"b1", "true"},
                                   {"b0", "false"},
                                   {"2f", "47"},
                                   {"f0", "-16"},
                                   {"38 ff", "255"},
                                   {"40 00 00", "-262144"},
                                   {"48 ff ff ff fe", "-2"},
                                   {"e0", "0"},
                                   {"c8 00", "-2048"},
                                   {"c4 00 01", "1"},
                                   {"bd ff", "-1"},
                                   {"bc 01 00", "256"},
                                   {"bf 00 00 00 07", "7"},
                                   {"be ff ff ff ff ff ff ff ff", "-1"},
                                   {"af", std::nullopt},
                                   {"b2", std::nullopt},
                                   {"be 00", std::nullopt}};
  for (const Case& one : cases) {
    const auto size = bytes_of(one.value).size();
    const std::string body =
        "00000006 4e '2.0.2' 00000004 4c 'a.B' 00000006 4e '1.0.0' 00000003 4b 'hi' "
        "00000002 4a 'I' 0000000" +
        std::to_string(size) + " " + one.value;
    EXPECT_EQ(argument(Serialization::kFastjson2, body, 0), one.text) << one.value;
  }
}

TEST(Argument, OfFastjsonIsWhatItsLineSays) {
  RequestReader reader;
  const std::string body =
      "\"2.0.2\"\n\"a.B\"\n\"1.0.0\"\n\"hi\"\n\"IZLa;La;La;La;\"\n12\ntrue\n\"x\\u0041\"\nnull\n"
      "{\"a\":1}\n[1]\n{}\n";
  const auto head = reader.read_head(Serialization::kFastjson, as_bytes(body));
  ASSERT_TRUE(head.has_value());
  const std::vector<std::optional<std::string>> expected = {
      "12", "true", "xA", std::nullopt, std::nullopt, std::nullopt, std::nullopt};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto text = reader.argument(Serialization::kFastjson, as_bytes(body), *head, i);
    EXPECT_EQ(text ? std::optional<std::string>(*text) : std::nullopt, expected[i]) << i;
  }
}

TEST(Argument, StandsBehindThoseBeforeIt) {
  const std::string body =
      "05 '2.0.2' 03 'a.B' 05 '1.0.0' 02 'hi' 03 'I[I' 'H' 01 'k' 91 'Z' 92 93 "
      "'H' 'Z'";
  // Two arguments: what follows them is no third one.
  EXPECT_EQ(argument(Serialization::kHessian2, body, 0), std::nullopt);
  EXPECT_EQ(argument(Serialization::kHessian2, body, 1), "2");
  EXPECT_EQ(argument(Serialization::kHessian2, body, 2), std::nullopt);
}

}  // namespace
}  // namespace skiff::dubbo
