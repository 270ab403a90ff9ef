#include "dubbo/url.h"

#include <gtest/gtest.h>

#include <string>

namespace skiff::dubbo {
namespace {

const char* const kProvider =
    "dubbo://10.0.0.5:20882/com.example.DemoService?anyhost=true&application=demo-provider"
    "&category=providers&deprecated=false&dubbo=2.0.2&dynamic=true&generic=false&group=gray"
    "&interface=com.example.DemoService&methods=sayHello,sayBye&sayHello.timeout=500&side=provider"
    "&timeout=3000&timestamp=1764000000000&version=1.0.0&weight=abc";

TEST(Url, ReadsAProvidersUrl) {
  const Url url = Url::parse(kProvider).value();
  EXPECT_EQ(url.protocol, "dubbo");
  EXPECT_EQ(url.host, "10.0.0.5");
  EXPECT_EQ(url.port, 20882);
  EXPECT_EQ(url.path, "com.example.DemoService");
  EXPECT_EQ(url.parameter("methods"), "sayHello,sayBye");
  EXPECT_EQ(url.address(), "10.0.0.5:20882");
  EXPECT_EQ(url.service_key(), (ServiceKey{"com.example.DemoService", "gray", "1.0.0"}));
}

TEST(Url, PrintsWhatItRead) { EXPECT_EQ(Url::parse(kProvider).value().to_string(), kProvider); }

TEST(Url, SortsItsParameters) {
  EXPECT_EQ(Url::parse("dubbo://h:1/p?z=1&a=2&m=3").value().to_string(),
            "dubbo://h:1/p?a=2&m=3&z=1");
}

TEST(Url, LeavesOutAnEmptyGroupAndVersionOnly) {
  EXPECT_EQ(Url::parse("dubbo://h:1/p?group=&version= &tag=").value().to_string(),
            "dubbo://h:1/p?tag=");
}

TEST(Url, IsANodeNameInJavasEncoding) {
  const Url url = Url::parse("dubbo://10.0.0.5:20882/a.B?methods=x,y&note=two words~").value();
  const std::string name =
      "dubbo%3A%2F%2F10.0.0.5%3A20882%2Fa.B%3Fmethods%3Dx%2Cy%26note%3Dtwo+words%7E";
  EXPECT_EQ(url.to_node_name(), name);
  EXPECT_EQ(Url::parse_node_name(name).value(), url);
}

TEST(Url, FallsBackFromMethodToServiceToDefault) {
  const Url url = Url::parse(kProvider).value();
  EXPECT_EQ(url.method_parameter("sayHello", "timeout"), "500");
  EXPECT_EQ(url.method_parameter("sayBye", "timeout"), "3000");
  EXPECT_EQ(url.method_parameter("sayBye", "retries", "2"), "2");
  EXPECT_EQ(url.parameter("absent", "x"), "x");
  EXPECT_EQ(Url::parse("dubbo://h?a=").value().parameter("a", "x"), "x");
}

TEST(Url, ReadsNumbersWithinTheirRange) {
  const Url url = Url::parse(kProvider).value();
  EXPECT_EQ(url.number_parameter("timeout", 1000, 10000), 3000U);
  EXPECT_EQ(url.number_parameter("timeout", 1000, 2999), 1000U);
  EXPECT_EQ(url.number_parameter("weight", 100, 1000), 100U);
  EXPECT_EQ(url.number_parameter("absent", 7, 1000), 7U);
  for (const char* value : {"-1", "+1", "1.5", " ", "99999999999999999999999", "0x10"}) {
    const Url odd = Url::parse(std::string("dubbo://h?n=") + value).value();
    EXPECT_EQ(odd.number_parameter("n", 7, UINT64_MAX), 7U) << value;
  }
}

TEST(Url, TakesTheServiceFromPathAndZeroVersionForNone) {
  const Url url = Url::parse("dubbo://h:1/a.B?version=0.0.0").value();
  EXPECT_EQ(url.service_key(), (ServiceKey{"a.B", "", ""}));
}

TEST(Url, ReadsCredentials) {
  const Url url = Url::parse("zookeeper://user:p@ss:word@h:2181/chroot/x").value();
  EXPECT_EQ(url.username, "user");
  EXPECT_EQ(url.password, "p@ss:word");
  EXPECT_EQ(url.host, "h");
  EXPECT_EQ(url.path, "chroot/x");
  EXPECT_EQ(url.to_string(), "zookeeper://user:p@ss:word@h:2181/chroot/x");
}

TEST(Url, ReadsParametersAsStockDubboDoes) {
  const Url url = Url::parse("dubbo://h/p?flag&a=b=c&&=x& b = v ").value();
  EXPECT_EQ(url.parameter("flag"), "flag");
  EXPECT_EQ(url.parameter("a"), "b=c");
  EXPECT_EQ(url.parameter("b "), "v");
  EXPECT_EQ(url.parameters.size(), 3U);
}

TEST(Url, KeepsTheLastOfAParameterWrittenTwice) {
  EXPECT_EQ(Url::parse("dubbo://h/p?a=1&a=2").value().parameter("a"), "2");
}

TEST(Url, PutsIpv6HostsInBrackets) {
  const Url url = Url::parse("dubbo://[2001:db8::1]:20880/p").value();
  EXPECT_EQ(url.host, "2001:db8::1");
  EXPECT_EQ(url.port, 20880);
  EXPECT_EQ(url.to_string(), "dubbo://[2001:db8::1]:20880/p");
  // Java writes them without.
  EXPECT_EQ(Url::parse("dubbo://fe80:0:0:0:894:aeec:f37d:23e1%en0:20880/p").value().address(),
            "[fe80:0:0:0:894:aeec:f37d:23e1%en0]:20880");
}

TEST(Url, RefusesWhatIsNone) {
  for (const char* text :
       {"", "x", "://h", "dubbo:/h", "a b://h", "dubbo://", "dubbo:///p", "dubbo://h:65536/p",
        "dubbo://h:abc/p", "dubbo://h:-1/p", "dubbo://h:/p", "dubbo://[::1/p", "dubbo://[::1]x/p",
        "dubbo://a b:1/p", "?a=b", "dubbo://[1.2.3.4]:1/p", "dubbo://a:b:c/p"}) {
    const auto url = Url::parse(text);
    ASSERT_FALSE(url.has_value()) << text;
    EXPECT_EQ(url.error().code, ErrorCode::kMalformed) << text;
    EXPECT_FALSE(url.error().message.empty());
  }
  EXPECT_EQ(Url::parse_node_name("dubbo%3").error().code, ErrorCode::kMalformed);
}

TEST(Url, RefusesMoreThan64Kilobytes) {
  const std::string start = "dubbo://h/p?a=";
  EXPECT_TRUE(Url::parse(start + std::string(65536 - start.size(), 'x')).has_value());
  EXPECT_EQ(Url::parse(start + std::string(65537 - start.size(), 'x')).error().code,
            ErrorCode::kTooLarge);
  EXPECT_EQ(Url::parse_node_name(std::string(200000, 'x')).error().code, ErrorCode::kTooLarge);
}

TEST(HostPort, ReadsNamesAndAddresses) {
  EXPECT_EQ(parse_host_port("h:1").value(), (HostPort{"h", 1}));
  EXPECT_EQ(parse_host_port("h").value(), (HostPort{"h", 0}));
  EXPECT_EQ(parse_host_port("h", 2181).value(), (HostPort{"h", 2181}));
  EXPECT_EQ(parse_host_port("h:0", 2181).value(), (HostPort{"h", 0}));
  EXPECT_EQ(parse_host_port("[::1]:65535").value(), (HostPort{"::1", 65535}));
  EXPECT_EQ(parse_host_port("[::1]", 7).value(), (HostPort{"::1", 7}));
  EXPECT_EQ(parse_host_port("::1", 7).value(), (HostPort{"::1", 7}));
}

TEST(HostPort, RefusesWithTheTextInTheMessage) {
  EXPECT_EQ(parse_host_port("h:70000").error().message,
            "address \"h:70000\": expected a port from 0 to 65535");
  // A name that ends within its scope was once taken for an address (found by fuzzing).
  EXPECT_FALSE(parse_host_port(std::string_view("::1%a\0b", 7)).has_value());
  EXPECT_FALSE(parse_host_port(std::string_view("::1\0b", 5)).has_value());
  EXPECT_FALSE(parse_host_port("::1%a]b").has_value());
}

TEST(HostPort, IsPrintedAsItIsRead) {
  EXPECT_EQ(format_host_port("::1", 80), "[::1]:80");
  EXPECT_EQ(format_host_port("h", 80), "h:80");
  EXPECT_EQ(format_host_port("h", 0), "h");
}

}  // namespace
}  // namespace skiff::dubbo
