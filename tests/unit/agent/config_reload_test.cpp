#include "agent/config_reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace skiff::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string route(const std::string& name, int weight = 100) {
  return "- {name: " + name + ", domains: a." + name + ", clusters: [{name: x}], routes: " +
         "[{weighted_clusters: [{name: x, weight: " + std::to_string(weight) + "}]}]}\n";
}

class ConfigReloadTest : public testing::Test {
 protected:
  ConfigReloadTest() {
    const int fd = mkstemp(path_.data());
    EXPECT_GE(fd, 0);
    close(fd);
  }
  ~ConfigReloadTest() override { std::remove(path_.c_str()); }

  void write(const std::string& text) { std::ofstream(path_) << text; }
  void start(const std::string& text) {
    write(text);
    sources_.file = path_;
    open();
  }
  void open() {
    reload_.emplace(sources_, load_config(sources_),
                    [this](const FileRoutes& routes) { return take(routes); });
  }
  Result<bool> take(const FileRoutes& routes) {
    if (refuses_) return fail(ErrorCode::kInvalidArgument, "no");
    taken_.clear();
    for (const auto& host : routes.hosts) taken_.push_back(host->name);
    ++takes_;
    return true;
  }

  std::string path_ = testing::TempDir() + "skiff-reload-XXXXXX";
  ConfigSources sources_;
  std::optional<ConfigReload> reload_;
  std::vector<std::string> taken_;
  int takes_ = 0;
  bool refuses_ = false;
};

TEST_F(ConfigReloadTest, SighupTakesTheRoutesOver) {
  start("routes:\n" + route("one"));
  write("workers: 7\nroutes:\n" + route("one") + route("two"));
  reload_->reload();
  EXPECT_THAT(taken_, ElementsAre("one", "two"));
}

TEST_F(ConfigReloadTest, TakesNothingWhereAnythingIsWrong) {
  start("routes:\n" + route("one"));
  for (const std::string& text :
       {"routes:\n" + route("two") + route("three", 99), "workers: none\nroutes:\n" + route("two"),
        std::string("routes: ["), "routes:\n" + route("two") + route("two")}) {
    write(text);
    reload_->reload();
    EXPECT_EQ(takes_, 0) << text;
  }
}

TEST_F(ConfigReloadTest, AFileThatIsGoneTakesNoRoutesAway) {
  write("routes:\n" + route("one"));
  sources_.default_file = path_;
  open();
  std::remove(path_.c_str());
  reload_->reload();
  EXPECT_EQ(takes_, 0);
  write("routes:\n" + route("two"));
  reload_->reload();
  EXPECT_THAT(taken_, ElementsAre("two"));
}

TEST_F(ConfigReloadTest, LooksForChangesThatStayTheSame) {
  start("routes:\n" + route("one"));
  reload_->look();
  reload_->look();
  EXPECT_EQ(takes_, 0);
  write("");  // an editor is about to write
  reload_->look();
  write("routes:\n" + route("two"));
  reload_->look();
  EXPECT_EQ(takes_, 0);
  reload_->look();
  EXPECT_THAT(taken_, ElementsAre("two"));
  reload_->look();
  EXPECT_EQ(takes_, 1);
}

TEST_F(ConfigReloadTest, ReadsAWrongFileOnceForEachChange) {
  start("routes:\n" + route("one"));
  refuses_ = true;
  write("routes:\n" + route("two"));
  reload_->look();
  reload_->look();
  refuses_ = false;
  reload_->look();
  reload_->look();
  EXPECT_EQ(takes_, 0);
  write("routes: []\n");
  reload_->look();
  reload_->look();
  EXPECT_EQ(takes_, 1);
  EXPECT_THAT(taken_, IsEmpty());
}

TEST_F(ConfigReloadTest, FindsAFileThatWasNotThere) {
  std::remove(path_.c_str());
  sources_.default_file = path_;
  open();
  write("routes:\n" + route("one"));
  reload_->look();
  reload_->look();
  EXPECT_THAT(taken_, ElementsAre("one"));
}

}  // namespace
}  // namespace skiff::agent
