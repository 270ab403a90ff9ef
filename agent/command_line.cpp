#include "agent/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/client_commands.h"
#include "agent/config_sources.h"
#include "agent/log_lines.h"
#include "agent/nearest_name.h"
#include "agent/predecessor.h"
#include "agent/run.h"
#include "agent/settings.h"
#include "agent/text.h"
#include "agent/top_command.h"
#include "agent/version.h"

namespace skiff::agent {
namespace {

constexpr int kDone = 0;
constexpr int kNotDone = 1;
constexpr int kWrongUse = 2;

ConfigSources environment_sources(const std::string& file) {
  ConfigSources sources;
  if (!file.empty()) sources.file = file;
  sources.environment = process_variable;
  sources.variables = process_variables;
  return sources;
}

void print_errors(const std::vector<std::string>& errors) {
  for (const std::string& error : errors) std::fprintf(stderr, "skiff: %s\n", error.c_str());
}

std::string joined(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) {
    if (!text.empty()) text += "; ";
    text += sentence;
  }
  return text;
}

// A subcommand: adds its options to the command line, and runs once that was read.
class Command {
 public:
  explicit Command(CLI::App* app) : app_(app) {}
  virtual ~Command() = default;
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  bool was_given() const { return app_->parsed(); }
  virtual int run() = 0;

 protected:
  CLI::App* app_;
};

std::string help_of(const Setting& setting) {
  std::string help = setting.plain_help();
  if (!setting.allowed.empty()) help += "; " + setting.allowed;
  const bool is_fixed = !setting.default_value.empty();
  std::string by_default(is_fixed ? setting.default_value : setting.default_note);
  std::erase(by_default, '`');
  return help + " (default " + by_default + ")";
}

class RunCommand final : public Command {
 public:
  explicit RunCommand(CLI::App& root)
      : Command(root.add_subcommand("run", "Run the agent, in the foreground")) {
    app_->add_option(
        "--config", file_,
        std::string("Configuration file; ") + kDefaultConfigFile + " by default, if it exists");
    for (const Setting& setting : settings()) {
      CLI::Option* option =
          app_->add_option(setting.flag(), flags_[std::string(setting.key)], help_of(setting));
      option->type_name(std::string(setting.placeholder));
      // Each may be repeated, but takes one word at a time.
      option->expected(1)->allow_extra_args(false);
      option->multi_option_policy(setting.is_list ? CLI::MultiOptionPolicy::TakeAll
                                                  : CLI::MultiOptionPolicy::TakeLast);
    }
  }

  int run() override {
    ConfigSources sources = environment_sources(file_);
    sources.flags = flags_;
    auto predecessor = Predecessor::from_environment();
    LoadedConfig loaded = load_config(sources);
    const LogStyle style = style_of_stderr(loaded.config.log_format);
    for (const std::string& error : loaded.errors) {
      std::fputs(error_line(style, error).c_str(), stderr);
    }
    if (!loaded.errors.empty()) {
      if (predecessor) predecessor->give_up("its configuration is wrong: " + joined(loaded.errors));
      return kWrongUse;
    }
    return run_agent(std::move(loaded), sources, std::move(predecessor));
  }

 private:
  std::string file_;
  std::map<std::string, std::vector<std::string>> flags_;
};

// A command that talks to a running agent.
class ClientCommand : public Command {
 protected:
  explicit ClientCommand(CLI::App* app) : Command(app) {
    app_->add_option("--api", api_,
                     "The agent's API: address:port or unix:/path; by default as it is configured "
                     "on this machine")
        ->type_name("ADDRESS");
  }

  // Runs `call` with the agent's address, or fails where --api is wrong.
  template <typename Call>
  int with_api(Call call) {
    ConfigSources sources = environment_sources("");
    if (!api_.empty()) {
      const auto address = parse_api_address(api_);
      if (!address) {
        print_errors({"--api: " + address.error().message});
        return kWrongUse;
      }
      return call(*address);
    }
    // What else may be wrong in the agent's configuration does not matter here.
    return call(load_config(sources).config.api.front());
  }

 private:
  std::string api_;
};

// A verb of the API, with the flags that it takes.
class VerbCommand final : public ClientCommand {
 public:
  VerbCommand(CLI::App& root, const std::string& verb, const std::string& help)
      : ClientCommand(root.add_subcommand(verb, help)) {
    arguments_.verb = verb;
    interface_ = app_->add_option("--interface", arguments_.interface, "The service's interface");
    for (CLI::Option* which : {
             app_->add_option("--group", arguments_.group, "Its group"),
             app_->add_option("--version", arguments_.version, "Its version"),
             app_->add_option("--port", arguments_.port,
                              "Where the provider listens on this machine"),
         }) {
      which->needs(interface_);
    }
    app_->add_option("--wait", arguments_.wait,
                     "How long to wait until it is done (0 to 60s, default 3s)");
    app_->add_flag("--json", arguments_.json, "Print the agent's answer as it is");
  }

  VerbCommand& takes_a_description() {
    interface_->required();
    add_list("--method", arguments_.methods, "A method; may be repeated");
    add_list("--param", arguments_.parameters, "A URL parameter, k=v; may be repeated");
    app_->add_option("--application", arguments_.application, "The application's name");
    return *this;
  }

  VerbCommand& takes_a_check_and_a_lease() {
    VerbArguments::Check& check = arguments_.check;
    app_->add_option("--check", check.type, "How to find out whether it serves (default dubbo)")
        ->type_name("dubbo|tcp|none");
    app_->add_option("--check-interval", check.interval, "Between two checks (default 2s)");
    app_->add_option("--check-timeout", check.timeout, "For each check (default 1s)");
    app_->add_option("--check-failures", check.failures, "In a row to be down (default 3)");
    app_->add_option("--check-successes", check.successes, "In a row to be up again (default 1)");
    app_->add_option("--lease", arguments_.lease,
                     "Withdrawn unless published again within this time (1s to 24h; default: "
                     "stays until it is withdrawn)");
    return *this;
  }

  int run() override {
    return with_api([this](const ApiAddress& api) { return run_verb_command(api, arguments_); });
  }

 private:
  void add_list(const std::string& name, std::vector<std::string>& target,
                const std::string& help) {
    app_->add_option(name, target, help)
        ->expected(1)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }

  VerbArguments arguments_;
  CLI::Option* interface_ = nullptr;
};

class StatusCommand final : public ClientCommand {
 public:
  explicit StatusCommand(CLI::App& root)
      : ClientCommand(root.add_subcommand("status", "What the running agent does")) {
    app_->add_flag("--json", json_, "As JSON");
  }

  int run() override {
    return with_api([this](const ApiAddress& api) { return run_status_command(api, json_); });
  }

 private:
  bool json_ = false;
};

class TopCommand final : public ClientCommand {
 public:
  explicit TopCommand(CLI::App& root)
      : ClientCommand(root.add_subcommand("top", "The traffic of the running agent, live")) {
    app_->add_flag("--once", once_, "One second of it, as where output is no terminal");
  }

  int run() override {
    return with_api([this](const ApiAddress& api) { return run_top_command(api, once_); });
  }

 private:
  bool once_ = false;
};

class UpgradeCommand final : public ClientCommand {
 public:
  explicit UpgradeCommand(CLI::App& root)
      : ClientCommand(root.add_subcommand(
            "upgrade", "Have the program as it is installed now go on for the running agent")) {}

  int run() override { return with_api(run_upgrade_command); }
};

// The whole machine out of service, and back.
class DrainCommand final : public ClientCommand {
 public:
  DrainCommand(CLI::App& root, const std::string& name, const std::string& help,
               const std::string& default_wait)
      : ClientCommand(root.add_subcommand(name, help)) {
    arguments_.path = "/" + name;
    app_->add_option(
        "--wait", arguments_.wait,
        "How long to wait until it is complete (0 to 60s, default " + default_wait + ")");
    app_->add_flag("--json", arguments_.json, "Print the agent's answer as it is");
  }

  int run() override {
    return with_api([this](const ApiAddress& api) { return run_drain_command(api, arguments_); });
  }

 private:
  DrainArguments arguments_;
};

class ExplainCommand final : public ClientCommand {
 public:
  explicit ExplainCommand(CLI::App& root)
      : ClientCommand(root.add_subcommand("explain", "How a request would be routed, and why")) {
    app_->add_option("--interface", arguments_.interface, "The service's interface")->required();
    app_->add_option("--method", arguments_.method, "The method that is called");
    app_->add_option("--group", arguments_.group, "As the request's attachment says");
    app_->add_option("--version", arguments_.version, "As the request says");
    for (CLI::Option* list :
         {app_->add_option("--attachment", arguments_.attachments,
                           "An attachment of the request, k=v; may be repeated"),
          app_->add_option("--argument", arguments_.arguments,
                           "An argument of the call, in order; may be repeated")}) {
      list->expected(1)->allow_extra_args(false)->multi_option_policy(
          CLI::MultiOptionPolicy::TakeAll);
    }
    app_->add_flag("--json", arguments_.json, "As JSON");
  }

  int run() override {
    return with_api([this](const ApiAddress& api) { return run_explain_command(api, arguments_); });
  }

 private:
  ExplainArguments arguments_;
};

class CheckCommand final : public ClientCommand {
 public:
  explicit CheckCommand(CLI::App& root)
      : ClientCommand(root.add_subcommand("check", "Say what is wrong with a configuration")) {
    app_->add_option(
        "--config", file_,
        std::string("Configuration file; ") + kDefaultConfigFile + " by default, if it exists");
    app_->add_flag("--rules", rules_,
                   "Say what is wrong with the rules of registries instead, as the running agent "
                   "knows them");
  }

  int run() override {
    if (rules_) return with_api(run_rules_check_command);
    const LoadedConfig loaded = load_config(environment_sources(file_));
    for (const auto* sentences : {&loaded.errors, &loaded.warnings}) {
      for (const std::string& sentence : *sentences) std::printf("%s\n", sentence.c_str());
    }
    if (!loaded.errors.empty() || !loaded.warnings.empty()) return kNotDone;
    const std::string what = loaded.file.empty() ? "no file, defaults" : loaded.file;
    std::printf("the configuration is in order (%s)\n", what.c_str());
    return kDone;
  }

 private:
  std::string file_;
  bool rules_ = false;
};

class VersionCommand final : public Command {
 public:
  explicit VersionCommand(CLI::App& root)
      : Command(root.add_subcommand("version", "Version, commit, libraries")) {}

  int run() override {
    std::printf("%s", version_text().c_str());
    return kDone;
  }
};

std::vector<std::unique_ptr<Command>> add_commands(CLI::App& app) {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(std::make_unique<RunCommand>(app));
  const auto add_verb = [&](const char* verb, const char* help) -> VerbCommand& {
    auto command = std::make_unique<VerbCommand>(app, verb, help);
    VerbCommand& added = *command;
    commands.push_back(std::move(command));
    return added;
  };
  add_verb("publish", "Offer a service of this machine")
      .takes_a_description()
      .takes_a_check_and_a_lease();
  add_verb("unpublish", "Take a publication back").takes_a_description();
  add_verb("subscribe", "Ask for a service's providers").takes_a_description();
  add_verb("unsubscribe", "Take a subscription back").takes_a_description();
  add_verb("stopping",
           "Before an application stops: take its calls away; without --interface, of all "
           "publications");
  add_verb("ready", "Take stopping back; without --interface, of all publications");
  commands.push_back(
      std::make_unique<DrainCommand>(app, "drain",
                                     "Take this machine out of service: withdraw all publications, "
                                     "wait for the end of their calls",
                                     "30s"));
  commands.push_back(
      std::make_unique<DrainCommand>(app, "undrain", "Take drain back: register them again", "3s"));
  commands.push_back(std::make_unique<StatusCommand>(app));
  commands.push_back(std::make_unique<TopCommand>(app));
  commands.push_back(std::make_unique<UpgradeCommand>(app));
  commands.push_back(std::make_unique<ExplainCommand>(app));
  commands.push_back(std::make_unique<CheckCommand>(app));
  commands.push_back(std::make_unique<VersionCommand>(app));
  return commands;
}

// The words behind the program's name. `help` and `help COMMAND` are the --help that people look
// for first.
std::vector<std::string> words_of(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty() || words.front() != "help") return words;
  words.erase(words.begin());
  words.emplace_back("--help");
  return words;
}

// Says it, and returns true, where the first word is meant to be a command, and is none.
bool is_no_command(const CLI::App& app, const std::string& word) {
  if (word.starts_with("-")) return false;
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  if (std::find(names.begin(), names.end(), word) != names.end()) return false;
  print_errors({"no command " + in_quotes(word) + did_you_mean(word, names)});
  std::fprintf(stderr, "`skiff --help` lists all\n");
  return true;
}

}  // namespace

int run_command_line(int argc, const char* const* argv) {
  CLI::App app("Skiff, a Dubbo agent for every machine", "skiff");
  app.require_subcommand(1);
  const auto text_of_version = [] {
    std::string text = version_text();
    text.pop_back();  // the line's end, which is added
    return text;
  };
  app.set_version_flag("--version", text_of_version, "Version, commit, libraries");
  const auto commands = add_commands(app);
  std::vector<std::string> words = words_of(argc, argv);
  if (words.empty()) {
    std::fprintf(stderr, "%s", app.help().c_str());
    return kWrongUse;
  }
  if (is_no_command(app, words.front())) return kWrongUse;
  std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == kDone ? kDone : kWrongUse;
  }
  for (const auto& command : commands) {
    if (command->was_given()) return command->run();
  }
  return kWrongUse;
}

}  // namespace skiff::agent
