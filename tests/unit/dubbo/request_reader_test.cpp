// Bodies that no recorded frame has; tests/unit/dubbo/recorded_frames_test.cpp has the others.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "dubbo/recorded_frames.h"
#include "dubbo/request.h"

namespace skiff::dubbo {
namespace {

using testing::bytes_of;

const std::string kHead = "05 '2.0.2' 03 'a.B' 05 '1.0.0' 02 'hi' ";

TEST(ParameterTypes, AreCountedInTheDescriptor) {
  RequestReader reader;
  const std::vector<std::pair<const char*, int>> cases = {
      {"", 0},    {"I", 1},   {"[J", 1}, {"[[J", 1}, {"La;", 1}, {"[La/b;[[I", 2}, {"BCDFIJSZV", 9},
      {"L;", -1}, {"La", -1}, {"[", -1}, {"X", -1},  {"I[", -1}, {"a.B", -1}};
  for (const auto& [descriptor, count] : cases) {
    const auto size = std::string_view(descriptor).size();
    std::string hex = kHead + "0" + std::to_string(size);
    if (size > 0) hex += std::string("'") + descriptor + "'";
    const auto head = reader.read_head(Serialization::kHessian2, bytes_of(hex));
    EXPECT_EQ(head.has_value(), count >= 0) << descriptor;
    if (head) {
      EXPECT_EQ(static_cast<int>(head->argument_count), count) << descriptor;
    }
  }
}

TEST(RequestHead, HasAnEmptyVersionForNull) {
  const std::vector<std::pair<Serialization, std::vector<std::byte>>> cases = {
      {Serialization::kHessian2, bytes_of("05 '2.0.2' 03 'a.B' 4e 02 'hi' 00")},
      {Serialization::kFastjson2, bytes_of("00000006 4e '2.0.2' 00000004 4c 'a.B' 00000001 af "
                                           "00000003 4b 'hi' 00000001 49")},
      {Serialization::kFastjson,
       bytes_of("22 '2.0.2' 22 0a 22 'a.B' 22 0a 'null' 0a 22 'hi' 22 0a 22 22 0a")},
      {Serialization::kJava,
       bytes_of("aced0005 77 26 00000005 0005 '2.0.2' 00000003 0003 'a.B' ffffffff "
                "00000002 0002 'hi' 00000000 0000")}};
  RequestReader reader;
  for (const auto& [serialization, body] : cases) {
    const auto head = reader.read_head(serialization, body);
    ASSERT_TRUE(head.has_value()) << name_of(serialization);
    EXPECT_EQ(head->version, "") << name_of(serialization);
    EXPECT_EQ(head->method, "hi") << name_of(serialization);
  }
}

TEST(RequestHead, MayNotBeNullElsewhereNorInChunksNorOver64Kilobytes) {
  RequestReader reader;
  const std::string long_text = "53 ff ff" + [] {
    std::string hex;
    for (int i = 0; i < 65535; ++i) hex += "61";
    return hex;
  }();
  for (const std::string& hex :
       {std::string("4e 03 'a.B' 4e 02 'hi' 00"), std::string("05 '2.0.2' 4e 4e 02 'hi' 00"),
        std::string("05 '2.0.2' 03 'a.B' 4e 4e 00"),
        std::string("05 '2.0.2' 03 'a.B' 4e 02 'hi' 4e"),
        std::string("05 '2.0.2' 52 00 01 'a' 02 '.B' 4e 02 'hi' 00"), std::string("90"),
        "05 '2.0.2' " + long_text + "4e 02 'hi' 00"}) {
    const auto head = reader.read_head(Serialization::kHessian2, bytes_of(hex));
    ASSERT_FALSE(head.has_value()) << hex.substr(0, 80);
    EXPECT_EQ(head.error().code, ErrorCode::kMalformed);
  }
}

TEST(RequestHead, IsUnsupportedInOtherSerializations) {
  RequestReader reader;
  const auto head = reader.read_head(Serialization::kKryo, bytes_of("00"));
  ASSERT_FALSE(head.has_value());
  EXPECT_EQ(head.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(head.error().message, "cannot read the request head of serialization 8 (kryo)");
}

TEST(RequestHead, IsReadFromNativeJavaWithoutLengths) {
  RequestReader reader;
  const auto bytes = bytes_of(
      "aced0005 77 1a 0005 '2.0.2' 0003 'a.B' 0005 '1.0.0' 0002 'hi' 0001 'I' 74 0005 'first'");
  const auto head = reader.read_head(Serialization::kNativeJava, bytes);
  ASSERT_TRUE(head.has_value()) << head.error().message;
  EXPECT_EQ(head->path, "a.B");
  EXPECT_EQ(head->argument_count, 1U);
  EXPECT_EQ(reader.generic_method(Serialization::kNativeJava, bytes, *head), "first");
}

// Java's blocks of data end where its buffer is full, be it within a number or a string.
TEST(RequestHead, IsReadOverTheBoundsOfJavasBlocks) {
  RequestReader reader;
  const std::string content =
      "00000005 0005 '2.0.2' 00000003 0003 'a.B' 00000000 0000 00000002 0002 'hi' 00000000 0000";
  const auto data = bytes_of(content);
  for (std::size_t split = 1; split < data.size(); ++split) {
    auto bytes = bytes_of("aced0005 77");
    bytes.push_back(static_cast<std::byte>(split));
    bytes.insert(bytes.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(split));
    for (const std::byte b : bytes_of("77 00 7a 000000")) bytes.push_back(b);
    bytes.push_back(static_cast<std::byte>(data.size() - split));
    bytes.insert(bytes.end(), data.begin() + static_cast<std::ptrdiff_t>(split), data.end());
    const auto head = reader.read_head(Serialization::kJava, bytes);
    ASSERT_TRUE(head.has_value()) << split;
    EXPECT_EQ(head->protocol_version, "2.0.2") << split;
    EXPECT_EQ(head->path, "a.B") << split;
    EXPECT_EQ(head->method, "hi") << split;
  }
}

struct ReadBack {
  bool is_read = false;
  std::string entries;  // "k=v;..."
};

ReadBack attachments_of(Serialization serialization, Bytes body) {
  RequestReader reader;
  Attachments attachments;
  const auto head = reader.read_head(serialization, body);
  if (!head) return {false, head.error().message};
  ReadBack back;
  back.is_read = reader.read_attachments(serialization, body, *head, attachments).has_value();
  for (std::size_t i = 0; i < attachments.size(); ++i) {
    back.entries.append(attachments[i].first).append("=").append(attachments[i].second).append(";");
  }
  return back;
}

ReadBack hessian2_attachments(const std::string& hex) {
  return attachments_of(Serialization::kHessian2, bytes_of(kHead + "00" + hex));
}

TEST(Attachments, AreReadFromEveryFormOfMap) {
  EXPECT_EQ(hessian2_attachments("48 01 'k' 01 'v' 5a").entries, "k=v;");
  EXPECT_EQ(hessian2_attachments("4d 11 'java.util.TreeMap' 01 'k' 01 'v' 5a").entries, "k=v;");
  EXPECT_EQ(hessian2_attachments("4d 90 01 'k' 01 'v' 5a").entries, "k=v;");
  for (const char* hex : {"4e", "48 5a", "51 90", "78", "90"}) {
    EXPECT_TRUE(hessian2_attachments(hex).is_read) << hex;
    EXPECT_EQ(hessian2_attachments(hex).entries, "") << hex;
  }
}

TEST(Attachments, SkipWhatIsNoString) {
  EXPECT_EQ(
      hessian2_attachments("48 01 'a' 90  90 01 'x'  01 'k' 01 'v'  01 'o' 43 01 'C' 91 01 'f' "
                           "60 01 'y'  01 'r' 51 90  4e 4e  01 'z' 01 'w' 5a")
          .entries,
      "k=v;z=w;");
}

// Which is how some clients name their timeout; other numbers stay what they are.
TEST(Attachments, HaveTimeoutsThatAreWholeNumbers) {
  for (const auto& [hex, text] :
       std::vector<std::pair<const char*, const char*>>{{"d4 0bb8", "3000"},  // ints
                                                        {"49 0000ea60", "60000"},
                                                        {"a4", "20"},
                                                        {"cb b8", "952"},
                                                        {"3c 0bb8", "3000"},  // longs
                                                        {"59 00000bb8", "3000"},
                                                        {"4c 0000000000000bb8", "3000"},
                                                        {"fb b8", "952"}}) {
    const std::string value = hex;
    EXPECT_EQ(hessian2_attachments("48 07 'timeout' " + value + " 5a").entries,
              std::string("timeout=") + text + ";")
        << hex;
    EXPECT_EQ(hessian2_attachments("48 03 '_TO' " + value + " 5a").entries,
              std::string("_TO=") + text + ";")
        << hex;
    EXPECT_EQ(hessian2_attachments("48 07 'timeouT' " + value + " 01 'k' 01 'v' 5a").entries,
              "k=v;")
        << hex;
  }
  for (const char* other : {"54", "4e", "5c", "51 90", "48 5a"}) {
    EXPECT_EQ(
        hessian2_attachments(std::string("48 07 'timeout' ") + other + " 01 'k' 01 'v' 5a").entries,
        "k=v;")
        << other;
  }
  EXPECT_FALSE(hessian2_attachments("48 07 'timeout' 49 0000").is_read);
  EXPECT_FALSE(hessian2_attachments("48 07 'timeout' d4 0b").is_read);
}

TEST(Attachments, AreReadFromChunksWithoutLosingEarlierOnes) {
  std::string hex = "48 ";
  std::string expected;
  for (char c = 'a'; c <= 'z'; ++c) {
    hex += std::string("52 00 01 '") + c + "' 01 '" + c + "' 52 00 02 'xy' 01 '" + c + "' ";
    expected += std::string(2, c) + "=xy" + c + ";";
  }
  EXPECT_EQ(hessian2_attachments(hex + "5a").entries, expected);
}

TEST(Attachments, GiveWhatCameBeforeAFailure) {
  const ReadBack back = hessian2_attachments("48 01 'k' 01 'v' 01 'l' 40");
  EXPECT_FALSE(back.is_read);
  EXPECT_EQ(back.entries, "k=v;");
  EXPECT_FALSE(hessian2_attachments("48 01 'k' 01 'v'").is_read);
  EXPECT_FALSE(hessian2_attachments("").is_read);
}

TEST(Attachments, AreFoundByTheirLastDuplicate) {
  RequestReader reader;
  const auto body = bytes_of(kHead + "00 48 01 'k' 01 'v' 01 'l' 01 'w' 01 'k' 01 'x' 5a");
  const auto head = reader.read_head(Serialization::kHessian2, body);
  Attachments attachments;
  ASSERT_TRUE(reader.read_attachments(Serialization::kHessian2, body, *head, attachments));
  EXPECT_EQ(attachments.find("k"), "x");
  EXPECT_EQ(attachments.find("l"), "w");
  EXPECT_EQ(attachments.find("m"), std::nullopt);
}

TEST(Attachments, AreCountedBeyondTheirCapacity) {
  std::string hex = kHead + "00 48 ";
  for (std::size_t i = 0; i < Attachments::kCapacity + 3; ++i) hex += "01 'k' 01 'v' ";
  hex += "01 'n' 90 5a";
  RequestReader reader;
  const auto body = bytes_of(hex);
  const auto head = reader.read_head(Serialization::kHessian2, body);
  Attachments attachments;
  ASSERT_TRUE(reader.read_attachments(Serialization::kHessian2, body, *head, attachments));
  EXPECT_EQ(attachments.size(), Attachments::kCapacity);
  EXPECT_EQ(attachments.dropped(), 3U);
}

TEST(Attachments, AreReadFromTypedFastjson2Maps) {
  const std::string head =
      "00000006 4e '2.0.2' 00000004 4c 'a.B' 00000001 af 00000003 4b 'hi' 00000001 49 ";
  const auto read = [&head](const char* hex) {
    return attachments_of(Serialization::kFastjson2, bytes_of(head + hex));
  };
  EXPECT_EQ(read("0000000a 92 4a 'M' 00 a6 4a 'k' 4a 'v' a5").entries, "k=v;");
  EXPECT_EQ(read("0000000f a6 7f 4a 'k' 00 4a 'v' 7f 00 01 4a 'x' a6 a5 a5").entries, "k=v;");
  EXPECT_EQ(read("0000000d a6 50 'timeout' 44 0bb8 a5").entries, "timeout=3000;");
  EXPECT_EQ(read("0000000a a6 4c '_TO' 38 64 4a 'k' a5").is_read, false);
  EXPECT_EQ(read("0000000c a6 4c '_TO' 38 64 4a 'k' 38 64 a5").entries, "_TO=100;");
  EXPECT_EQ(read("00000001 af").entries, "");
  EXPECT_TRUE(read("00000001 af").is_read);
  EXPECT_FALSE(read("00000002 af af").is_read);
  EXPECT_FALSE(read("00000003 a6 4a 'k'").is_read);
}

TEST(Attachments, AreReadFromFastjsonLines) {
  const std::string head = "\"2.0.2\"\n\"a.B\"\n\"1.0.0\"\n\"hi\"\n\"I\"\n7\n";
  const auto read = [&head](const char* line) {
    return attachments_of(Serialization::kFastjson, as_bytes(head + line));
  };
  EXPECT_EQ(read(R"({"k":"v", "n":1,"o":{"x":["y"]},2:"z","e":"\u4e2d"})").entries,
            "k=v;e=\xe4\xb8\xad;");
  EXPECT_EQ(read(R"({"timeout":3000,"_TO":250,"n":3000})").entries, "timeout=3000;_TO=250;");
  EXPECT_EQ(read(R"({"timeout":-1,"_TO":2.5})").entries, "");
  EXPECT_TRUE(read("null\n").is_read);
  EXPECT_TRUE(read("{}\n").is_read);
  for (const char* line :
       {"", "{", R"({"k"})", R"({"k":"v")", R"({"k":"v",})", "{} x", R"({"k":})"}) {
    EXPECT_FALSE(read(line).is_read) << line;
  }
}

TEST(GenericMethod, IsNoneWhereTheFirstArgumentIsNoString) {
  RequestReader reader;
  const auto body = bytes_of(kHead + "01 'I' 97 4e");
  const auto head = reader.read_head(Serialization::kHessian2, body);
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(reader.generic_method(Serialization::kHessian2, body, *head), std::nullopt);
  // Without arguments the attachments are no argument.
  const auto none = bytes_of(kHead + "00 01 'x'");
  const auto none_head = reader.read_head(Serialization::kHessian2, none);
  EXPECT_EQ(reader.generic_method(Serialization::kHessian2, none, *none_head), std::nullopt);
}

TEST(RequestViews, OfTheHeadOutliveReadingTheAttachments) {
  // The path has an escape, so that it cannot be a view of the body.
  const std::string body =
      "\"2.0.2\"\n\"a\\u002eB\"\n\"1.0.0\"\n\"hi\"\n\"\"\n{\"\\u006b\":\"\\u0076\"}\n";
  RequestReader reader;
  const auto head = reader.read_head(Serialization::kFastjson, as_bytes(body));
  Attachments attachments;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(
        reader.read_attachments(Serialization::kFastjson, as_bytes(body), *head, attachments));
    EXPECT_EQ(head->path, "a.B");
    EXPECT_EQ(attachments.find("k"), "v");
  }
}

}  // namespace
}  // namespace skiff::dubbo
