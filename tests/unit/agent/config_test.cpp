#include "agent/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "agent/config_file.h"
#include "agent/config_sources.h"
#include "agent/durations.h"
#include "agent/nearest_name.h"
#include "agent/settings.h"

namespace skiff::agent {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A file that is gone when the test is over.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text) {
    const int fd = mkstemp(path_.data());
    EXPECT_GE(fd, 0);
    std::ofstream(path_) << text;
    close(fd);
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_ = testing::TempDir() + "skiff-config-XXXXXX";
};

std::map<std::string, std::string>& environment() {
  static std::map<std::string, std::string> values;
  return values;
}

ConfigSources sources_without_file() {
  environment().clear();
  ConfigSources sources;
  sources.default_file = "/nonexistent/skiff.yaml";
  sources.environment = [](const char* name) -> const char* {
    const auto found = environment().find(name);
    return found == environment().end() ? nullptr : found->second.c_str();
  };
  sources.variables = [] {
    std::vector<std::string> names;
    for (const auto& [name, value] : environment()) names.push_back(name);
    return names;
  };
  return sources;
}

TEST(Duration, IsANumberWithAUnit) {
  EXPECT_EQ(parse_duration("0"), 0ms);
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("2s"), 2s);
  EXPECT_EQ(parse_duration("1m"), 1min);
  EXPECT_EQ(parse_duration("1h"), 1h);
  for (const char* wrong : {"", "2", "s", "-1s", "+1s", "1.5s", "2 s", " 2s", "2s ", "2d", "1e3ms",
                            "99999999999999999999s", "9223372036854775807h"}) {
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
  }
}

TEST(Duration, IsShownInItsLargestWholeUnit) {
  for (const char* text : {"0s", "1ms", "1500ms", "90s", "1m", "2h"}) {
    EXPECT_EQ(format_duration(*parse_duration(text == std::string("0s") ? "0" : text)), text);
  }
}

TEST(Size, IsANumberOfBytesWithAUnit) {
  EXPECT_EQ(parse_size("4096"), 4096U);
  EXPECT_EQ(parse_size("64KiB"), 65536U);
  EXPECT_EQ(parse_size("8MiB"), 8U << 20U);
  for (const char* wrong : {"", "MiB", "-1", "8MB", "8 MiB", "99999999999GiB"}) {
    EXPECT_FALSE(parse_size(wrong)) << wrong;
  }
}

TEST(ApiAddress, IsNumericOrAUnixSocket) {
  EXPECT_EQ(parse_api_address("127.0.0.1:20883")->to_string(), "127.0.0.1:20883");
  EXPECT_EQ(parse_api_address("[::1]:0")->to_string(), "[::1]:0");
  EXPECT_EQ(parse_api_address("unix:/run/skiff/api.sock")->path, "/run/skiff/api.sock");
  for (const std::string wrong :
       {"", "20883", ":20883", "127.0.0.1", "localhost:20883", "127.0.0.1:65536", "127.0.0.1:-1",
        "unix:", "unix:relative", "[::1]", "http://127.0.0.1:20883"}) {
    EXPECT_FALSE(parse_api_address(wrong)) << wrong;
  }
  EXPECT_FALSE(parse_api_address("unix:/" + std::string(200, 'x')));
}

TEST(ListenAddress, MayBeLocalOnlyWhereThatMeansSomething) {
  const auto local = parse_listen_address("local:20881", true);
  ASSERT_TRUE(local);
  EXPECT_TRUE(local->local_only);
  EXPECT_EQ(format_listen_address(*local), "local:20881");
  EXPECT_FALSE(parse_listen_address("local:20882", false));
  EXPECT_FALSE(parse_listen_address("local:99999", true));
  EXPECT_EQ(format_listen_address(*parse_listen_address("[::]:20882", false)), "[::]:20882");
}

TEST(Settings, HaveFlagsAndVariablesNamedAfterTheirKeys) {
  const Setting* setting = find_setting("state_dir");
  ASSERT_NE(setting, nullptr);
  EXPECT_EQ(setting->flag(), "--state-dir");
  EXPECT_EQ(setting->variable(), "SKIFF_STATE_DIR");
  EXPECT_EQ(find_setting("unknown"), nullptr);
}

TEST(Settings, AllAppearInTheConfigurationThatIsShown) {
  const auto json = to_json(AgentConfig());
  EXPECT_EQ(json.size(), settings().size());
  for (const Setting& setting : settings()) EXPECT_TRUE(json.contains(setting.key)) << setting.key;
}

struct WrongValue {
  const char* key;
  const char* value;
};

TEST(Settings, RefuseWhatIsOutOfRangeOrIllTyped) {
  for (const auto& [key, value] :
       std::initializer_list<WrongValue>{{"api", "localhost"},
                                         {"outbound", "local"},
                                         {"inbound", "0.0.0.0"},
                                         {"provider", "127.0.0.1:0"},
                                         {"registry", "etcd://a:1"},
                                         {"registry", "zookeeper://"},
                                         {"advertise", "0.0.0.0"},
                                         {"application", "a b"},
                                         {"application", ""},
                                         {"state_dir", "relative"},
                                         {"workers", "0"},
                                         {"workers", "257"},
                                         {"workers", "two"},
                                         {"log_level", "verbose"},
                                         {"log_format", "xml"},
                                         {"body_limit", "10"},
                                         {"body_limit", "2GiB"},
                                         {"hold_time", "61s"},
                                         {"default_timeout", "0"},
                                         {"connect_timeout", "2h"},
                                         {"heartbeat_interval", "1ms"},
                                         {"drain_timeout", "2h"},
                                         {"drain_timeout", "10"},
                                         {"access_log", "on"},
                                         {"access_log_percent", "101"},
                                         {"access_log_percent", "0"},
                                         {"access_log_slow", "2h"},
                                         {"access_log_format", "xml"},
                                         {"access_log_target", "access.log"},
                                         {"warmup_steps", "1"},
                                         {"warmup_steps", "11"}}) {
    AgentConfig config;
    const auto applied = find_setting(key)->apply(config, {value});
    ASSERT_FALSE(applied) << key << " " << value;
    EXPECT_FALSE(applied.error().message.empty()) << key << " " << value;
  }
}

TEST(ConfigFile, IsReadKeyByKey) {
  const SourceReading reading = parse_config_text(
      "# a comment\nworkers: 3\nregistry:\n  - zookeeper://a:2181\n  - memory\nhold_time: 2s\n",
      "f");
  EXPECT_THAT(reading.errors, IsEmpty());
  ASSERT_EQ(reading.values.size(), 3U);
  EXPECT_EQ(reading.values[1].key, "registry");
  EXPECT_THAT(reading.values[1].values, ElementsAre("zookeeper://a:2181", "memory"));
  EXPECT_EQ(reading.values[1].origin, "f:3");
}

TEST(ConfigFile, MayBeEmpty) {
  for (const char* text : {"", "\n", "# nothing\n", "---\n"}) {
    EXPECT_THAT(parse_config_text(text, "f").errors, IsEmpty()) << text;
  }
}

TEST(ConfigFile, SaysAllThatIsWrongWithItsLine) {
  const SourceReading reading = parse_config_text(
      "workers: many\n"
      "wokers: 2\n"
      "\n"
      "inbound: [a, b]\n"
      "hold_time: {a: 1}\n"
      "drain_timeout:\n"
      "log_level: info\n"
      "log_level: warn\n"
      "registry: [[memory]]\n",
      "skiff.yaml");
  EXPECT_THAT(
      reading.errors,
      ElementsAre("skiff.yaml:1: workers: came \"many\", expected a whole number from 1 to 256",
                  HasSubstr("skiff.yaml:2: unknown key \"wokers\""),
                  "skiff.yaml:4: inbound: came a list, expected one value",
                  "skiff.yaml:5: hold_time: came a map, expected one value",
                  "skiff.yaml:6: drain_timeout: came nothing, expected one value",
                  "skiff.yaml:8: log_level: given twice, first in line 7",
                  HasSubstr("skiff.yaml:9: registry: came a list, expected a value or a")));
}

TEST(ConfigFile, HasStaticRoutes) {
  const SourceReading reading = parse_config_text(
      "workers: 3\n"
      "routes:\n"
      "- {name: a, domains: a.Demo, routes: [{cluster: x}], clusters: [{name: x}]}\n"
      "- {name: b, domains: '*', routes: [{cluster: x}], clusters: [{name: x}]}\n",
      "f");
  EXPECT_THAT(reading.errors, IsEmpty());
  EXPECT_EQ(reading.values.size(), 1U);
  ASSERT_EQ(reading.routes.size(), 2U);
  EXPECT_EQ(reading.routes[1]->name, "b");
  EXPECT_THAT(parse_config_text("routes: []\n", "f").errors, IsEmpty());
  EXPECT_THAT(parse_config_text("routes:\n", "f").errors, IsEmpty());
}

TEST(ConfigFile, SaysWhatIsWrongWithARouteWithItsLine) {
  EXPECT_THAT(
      parse_config_text("workers: 0\n"
                        "routes:\n"
                        "- name: a\n"
                        "  domains: a.Demo\n"
                        "  clusters: [{name: x}, {name: y}]\n"
                        "  routes:\n"
                        "  - weighted_clusters:\n"
                        "    - {name: x, weight: 9}\n"
                        "    - {name: y, weight: 90}\n"
                        "  - {cluster: x, timeout: soon}\n"
                        "routes: []\n",
                        "f")
          .errors,
      ElementsAre(HasSubstr("f:1: workers: came \"0\""),
                  "f:8: routes[0].routes[0].weighted_clusters: weights sum to 99, expected 100",
                  HasSubstr("f:10: routes[0].routes[1].timeout: came 'soon'"),
                  "f:11: routes: given twice, first in line 2"));
}

TEST(ConfigFile, HasNoTwoRoutesForTheSame) {
  EXPECT_THAT(parse_config_text(
                  "routes:\n"
                  "- {name: a, domains: a.Demo, routes: [{cluster: x}], clusters: [{name: x}]}\n"
                  "- {name: b, domains: a.Demo, routes: [{cluster: x}], clusters: [{name: x}]}\n",
                  "f")
                  .errors,
              ElementsAre("f:1: routes: routes a and b are both for the domain a.Demo"));
  EXPECT_THAT(parse_config_text("routes: {a: b}\n", "f").errors,
              ElementsAre("f:1: routes: came a map, expected a list of maps"));
  EXPECT_THAT(parse_config_text("routes: [a]\n", "f").errors,
              ::testing::Contains("f:1: routes[0]: came 'a', expected a map"));
}

TEST(ConfigFile, MustBeAMapInYaml) {
  EXPECT_THAT(parse_config_text("- a\n", "f").errors, ElementsAre(HasSubstr("f:1: came a list")));
  EXPECT_THAT(parse_config_text("a: [\n", "f").errors, ElementsAre(HasSubstr("not YAML")));
  EXPECT_THAT(parse_config_text("a: b: c\n", "f").errors, ElementsAre(HasSubstr("f:1: not YAML")));
}

TEST(ConfigFile, NeverShowsARegistrysPassword) {
  const SourceReading reading =
      parse_config_text("registry: zookeeper://me:secret@a:2181?what=1\n", "f");
  ASSERT_EQ(reading.errors.size(), 1U);
  EXPECT_THAT(reading.errors[0], ::testing::Not(HasSubstr("secret")));
}

TEST(ConfigSources, FlagBeatsEnvironmentBeatsFileBeatsDefault) {
  const TemporaryFile file("workers: 3\nhold_time: 3s\ndrain_timeout: 3s\n");
  ConfigSources sources = sources_without_file();
  sources.file = file.path();
  environment() = {{"SKIFF_WORKERS", "4"}, {"SKIFF_HOLD_TIME", "4s"}};
  sources.flags = {{"workers", {"5"}}};
  const LoadedConfig loaded = load_config(sources);
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_EQ(loaded.file, file.path());
  EXPECT_EQ(loaded.config.forwarder.workers, 5U);
  EXPECT_EQ(loaded.config.forwarder.hold_time, 4s);
  EXPECT_EQ(loaded.config.drain_timeout, 3s);
  EXPECT_EQ(loaded.config.forwarder.connect_timeout, 1s);
}

TEST(ConfigSources, ListsOfALaterSourceReplaceThoseOfAnEarlierOne) {
  const TemporaryFile file("api: [127.0.0.1:1, 127.0.0.1:2]\nregistry: memory\n");
  ConfigSources sources = sources_without_file();
  sources.file = file.path();
  environment() = {{"SKIFF_API", "127.0.0.1:3 unix:/tmp/x"}};
  sources.flags = {{"registry", {"zookeeper://a:1,b:2", "memory"}}};
  const LoadedConfig loaded = load_config(sources);
  EXPECT_THAT(loaded.errors, IsEmpty());
  ASSERT_EQ(loaded.config.api.size(), 2U);
  EXPECT_EQ(loaded.config.api[0].port, 3);
  EXPECT_TRUE(loaded.config.api[1].is_unix());
  EXPECT_THAT(loaded.config.registries, ElementsAre("zookeeper://a:1,b:2", "memory"));
}

TEST(ConfigSources, NameTheSourceOfAWrongValue) {
  ConfigSources sources = sources_without_file();
  environment() = {{"SKIFF_WORKERS", "x"}};
  sources.flags = {{"hold_time", {"y"}}};
  EXPECT_THAT(load_config(sources).errors,
              ElementsAre(HasSubstr("environment variable SKIFF_WORKERS: came \"x\""),
                          HasSubstr("--hold-time: came \"y\"")));
}

TEST(ConfigSources, NeedTheFileThatIsNamedButNotTheDefaultOne) {
  ConfigSources sources = sources_without_file();
  EXPECT_THAT(load_config(sources).errors, IsEmpty());
  sources.file = "/nonexistent/skiff.yaml";
  EXPECT_THAT(load_config(sources).errors,
              ElementsAre(HasSubstr("/nonexistent/skiff.yaml: cannot be read: No such file")));
  sources.file = testing::TempDir();
  EXPECT_THAT(load_config(sources).errors, ElementsAre(HasSubstr("cannot be read")));
}

TEST(ConfigSources, AnEmptyVariableIsAsGoodAsNone) {
  const ConfigSources sources = sources_without_file();
  environment() = {{"SKIFF_WORKERS", ""}};
  EXPECT_THAT(load_config(sources).errors, IsEmpty());
}

TEST(ConfigSources, WarnOfAVariableThatIsNoKey) {
  const ConfigSources sources = sources_without_file();
  environment() = {{"SKIFF_WORKERS", "2"}, {"SKIFF_WOKERS", "2"}, {"SKIFF_X", ""}, {"PATH", "/"}};
  const LoadedConfig loaded = load_config(sources);
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_THAT(loaded.warnings,
              ElementsAre("environment variable SKIFF_WOKERS: no key of the configuration; did you "
                          "mean SKIFF_WORKERS?",
                          "environment variable SKIFF_X: no key of the configuration"));
}

TEST(ConfigSources, LetKubernetesAndOurOwnProgramsSetVariables) {
  const ConfigSources sources = sources_without_file();
  environment() = {{"SKIFF_SERVICE_HOST", "10.0.0.1"},
                   {"SKIFF_SERVICE_PORT_HTTP", "20883"},
                   {"SKIFF_PORT", "tcp://10.0.0.1:20883"},
                   {"SKIFF_PORT_20883_TCP_ADDR", "10.0.0.1"},
                   {"SKIFF_HANDOVER", "3"},
                   {"SKIFF_BINARY", "build/skiff"}};
  EXPECT_THAT(load_config(sources).warnings, IsEmpty());
}

TEST(NearestName, IsWhatWasProbablyMeant) {
  const std::vector<std::string> names = {"status", "run", "ready", "publish", "unpublish"};
  EXPECT_EQ(nearest_name("stauts", names), "status");
  EXPECT_EQ(nearest_name("stat", names), "status");
  EXPECT_EQ(nearest_name("pubish", names), "publish");
  EXPECT_EQ(nearest_name("unpublihs", names), "unpublish");
  EXPECT_EQ(nearest_name("rn", names), "run");
  for (const std::string none : {"", "etcd", "x", "metrics"}) {
    EXPECT_EQ(nearest_name(none, names), std::nullopt) << none;
  }
  EXPECT_EQ(nearest_name(std::string(10'000, 's'), names), std::nullopt);
  EXPECT_EQ(did_you_mean("redy", names), "; did you mean \"ready\"?");
  EXPECT_EQ(did_you_mean("metrics", names), "");
}

TEST(Passwords, AreMaskedInBothSpellings) {
  EXPECT_EQ(mask_password("zookeeper://me:s/e@c@host:2181/x?group=g"),
            "zookeeper://me:***@host:2181/x?group=g");
  EXPECT_EQ(mask_password("zookeeper://host:2181?username=me&password=secret&group=g"),
            "zookeeper://host:2181?username=me&password=***&group=g");
  EXPECT_EQ(mask_password("zookeeper://host:2181?password=a@b:c"),
            "zookeeper://host:2181?password=***");
  EXPECT_EQ(mask_password("zookeeper://a:1,b:2/c"), "zookeeper://a:1,b:2/c");
  EXPECT_EQ(mask_password("memory"), "memory");
}

}  // namespace
}  // namespace skiff::agent
