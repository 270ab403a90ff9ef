#include <gtest/gtest.h>

#include <string>

#include "dubbo/url.h"

namespace skiff::dubbo {
namespace {

TEST(UrlEncoding, KeepsWhatJavaKeeps) { EXPECT_EQ(url_encode("azAZ09.-*_"), "azAZ09.-*_"); }

TEST(UrlEncoding, EscapesTheRestInUpperCase) {
  EXPECT_EQ(url_encode("~"), "%7E");
  EXPECT_EQ(url_encode(" "), "+");
  EXPECT_EQ(url_encode("+"), "%2B");
  EXPECT_EQ(url_encode("://?=&,%$"), "%3A%2F%2F%3F%3D%26%2C%25%24");
  EXPECT_EQ(url_encode("\xe4\xb8\xad"), "%E4%B8%AD");
  EXPECT_EQ(url_encode(std::string_view("\0\x7f", 2)), "%00%7F");
}

TEST(UrlDecoding, UndoesTheEncodingOfEveryByte) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(url_decode(url_encode(all)).value(), all);
}

TEST(UrlDecoding, TakesEscapesOfEitherCase) {
  EXPECT_EQ(url_decode("%3a%3A+%2B").value(), ":: +");
  // MOSN encodes values once more.
  EXPECT_EQ(url_decode("a%252Cb").value(), "a%2Cb");
}

TEST(UrlDecoding, RefusesBrokenEscapes) {
  for (const char* text : {"%", "%4", "a%4", "%zz", "%4g", "%-1", "%%41"}) {
    const auto decoded = url_decode(text);
    ASSERT_FALSE(decoded.has_value()) << text;
    EXPECT_EQ(decoded.error().code, ErrorCode::kMalformed);
  }
  EXPECT_EQ(url_decode("ab%4").error().message, "broken escape at offset 2 of an encoded URL");
}

}  // namespace
}  // namespace skiff::dubbo
