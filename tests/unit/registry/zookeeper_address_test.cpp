#include "registry/zookeeper/zookeeper_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace skiff::registry {
namespace {

using testing::HasSubstr;
using testing::Not;

ZookeeperAddress parse(const std::string& text) {
  auto address = ZookeeperAddress::parse(text);
  EXPECT_TRUE(address) << text << ": " << address.error().message;
  return address.value_or(ZookeeperAddress{});
}

std::string error_of(const std::string& text) {
  const auto address = ZookeeperAddress::parse(text);
  if (address) return {};
  EXPECT_EQ(address.error().code, ErrorCode::kInvalidArgument);
  return address.error().message;
}

TEST(ZookeeperAddress, ReadsServersAndTheDefaultPort) {
  const ZookeeperAddress address = parse("zookeeper://zk1,zk2:2182,[fd00::1]:2183");
  EXPECT_EQ(address.connect_string(), "zk1:2181,zk2:2182,[fd00::1]:2183");
  EXPECT_EQ(address.root_path(), "/dubbo");
  EXPECT_EQ(address.session_timeout, std::chrono::seconds(30));
}

TEST(ZookeeperAddress, ReadsChrootRootAndSessionTimeout) {
  const ZookeeperAddress address = parse("zookeeper://h:1/a/b/?group=/rpc&session=1000");
  EXPECT_EQ(address.chroot, "/a/b");
  EXPECT_EQ(address.root_path(), "/a/b/rpc");
  EXPECT_EQ(address.session_timeout, std::chrono::milliseconds(1000));
  EXPECT_EQ(address.name(), "zookeeper://h:1/a/b?group=rpc");
}

TEST(ZookeeperAddress, ReadsBackupServers) {
  EXPECT_EQ(parse("zookeeper://h:1?backup=i,j:3").connect_string(), "h:1,i:2181,j:3");
}

TEST(ZookeeperAddress, ReadsCredentialsAndNeverShowsThem) {
  for (const char* text : {"zookeeper://me:p%40ss%2Fw+rd@h:1", "zookeeper://me:p@ss/w+rd@h:1",
                           "zookeeper://h:1?username=me&password=p%40ss/w+rd"}) {
    const ZookeeperAddress address = parse(text);
    EXPECT_EQ(address.username, "me") << text;
    EXPECT_EQ(address.password, "p@ss/w+rd") << text;
    EXPECT_EQ(address.name(), "zookeeper://h:1");
    EXPECT_THAT(address.identity(), Not(HasSubstr("ss")));
  }
}

TEST(ZookeeperAddress, KnowsOneRegistryByAnyOrderOfItsServers) {
  EXPECT_EQ(parse("zookeeper://a,b:2").identity(), parse("zookeeper://u:p@b:2,a:2181").identity());
  EXPECT_NE(parse("zookeeper://a").identity(), parse("zookeeper://a/x").identity());
  EXPECT_NE(parse("zookeeper://a").identity(), parse("zookeeper://a?group=x").identity());
}

TEST(ZookeeperAddress, SaysWhatIsWrong) {
  EXPECT_THAT(error_of("zk://h"), HasSubstr("zookeeper://host:port"));
  EXPECT_THAT(error_of("zookeeper://"), HasSubstr("host:port"));
  EXPECT_THAT(error_of("zookeeper://a,,b"), HasSubstr("server \"\""));
  EXPECT_THAT(error_of("zookeeper://h:0"), HasSubstr("h:0"));
  EXPECT_THAT(error_of("zookeeper://h:99999"), HasSubstr("h:99999"));
  EXPECT_THAT(error_of("zookeeper://h//x//y"), HasSubstr("chroot"));
  EXPECT_THAT(error_of("zookeeper://h/../x"), HasSubstr("chroot"));
  EXPECT_THAT(error_of("zookeeper://h?group="), HasSubstr("group"));
  EXPECT_THAT(error_of("zookeeper://h?group=a//b"), HasSubstr("group"));
  EXPECT_THAT(error_of("zookeeper://h?timeout=3"), HasSubstr("unknown parameter \"timeout\""));
  EXPECT_THAT(error_of("zookeeper://h?group"), HasSubstr("\"group\" has no value"));
  for (const char* value : {"999", "60001", "", "x", "30s", "-1"}) {
    EXPECT_THAT(error_of(std::string("zookeeper://h?session=") + value),
                HasSubstr("1000 to 60000"));
  }
  EXPECT_THAT(error_of("zookeeper://me@h"), HasSubstr("both"));
  EXPECT_THAT(error_of("zookeeper://h?password=x"), HasSubstr("both"));
  EXPECT_THAT(error_of("zookeeper://h?username=a:b&password=x"), HasSubstr("colon"));
  EXPECT_THAT(error_of("zookeeper://me:secret%4@h"), Not(HasSubstr("secret")));
  EXPECT_THAT(error_of("zookeeper://me:secret@h:x"), Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace skiff::registry
