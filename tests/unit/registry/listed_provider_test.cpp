#include "registry/listed_provider.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace skiff::registry {
namespace {

using testing::IsEmpty;

ListedProvider provider(const std::string& text) {
  return ListedProvider(*dubbo::Url::parse(text));
}

TEST(ListedProvider, SaysWhatItsUrlSays) {
  for (const std::string text :
       {"dubbo://10.0.0.1:20880/a.B?group=g&methods=x,y&version=1.0.0", "dubbo://10.0.0.1",
        "dubbo://user:p@w@[2001:db8::1]:20880/a.B?group=g", "dubbo://h:1?group=g&subgroup=s",
        "rest://h:1/a/b/c?agroup=1&group=g", "dubbo://h:1/a?x=group=no&y=a@b/c"}) {
    const dubbo::Url url = *dubbo::Url::parse(text);
    const ListedProvider listed(url);
    EXPECT_EQ(listed.text(), url.to_string());
    EXPECT_EQ(listed.protocol(), url.protocol) << text;
    EXPECT_EQ(listed.address(), url.address()) << text;
    for (const char* key : {"group", "version", "methods", "x", "y", "absent", "roup"}) {
      EXPECT_EQ(listed.parameter(key), url.parameter(key)) << text << " " << key;
    }
  }
}

TEST(ListedProvider, EqualsOneOfTheSameText) {
  EXPECT_EQ(provider("dubbo://h:1/a?x=1&y=2"), provider("dubbo://h:1/a?y=2&x=1"));
  EXPECT_NE(provider("dubbo://h:1/a?x=1"), provider("dubbo://h:1/a?x=2"));
  EXPECT_LT(provider("dubbo://h:1/a?x=1"), provider("dubbo://h:1/a?x=2"));
}

TEST(ListedProvider, SharesItsTextWithCopies) {
  const ListedProvider one = provider("dubbo://h:1/a?x=1");
  const ListedProviders copies(2, one);
  EXPECT_EQ(copies[0].text().data(), one.text().data());
  EXPECT_EQ(copies[1].text().data(), one.text().data());
}

TEST(ListedProviders, AreReadBack) {
  const std::vector<dubbo::Url> urls = {*dubbo::Url::parse("dubbo://h:1/a?x=1"),
                                        *dubbo::Url::parse("dubbo://[::1]:2/b")};
  EXPECT_EQ(urls_of(listed(urls)), urls);
}

TEST(ListedProviders, WithoutThoseThatNoTextSays) {
  dubbo::Url long_one = *dubbo::Url::parse("dubbo://h:1/a");
  long_one.parameters["x"] = std::string(std::size_t{64} * 1024, 'x');
  const dubbo::Url odd = {.protocol = "du bbo",
                          .username = "",
                          .password = "",
                          .host = "h/?",
                          .port = 1,
                          .path = "a",
                          .parameters = {}};
  EXPECT_THAT(urls_of(listed({long_one, odd})), IsEmpty());
}

}  // namespace
}  // namespace skiff::registry
