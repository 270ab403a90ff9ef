#include "agent/successor.h"

#include <spawn.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>
#include <utility>

#include "agent/handover_state.h"
#include "agent/predecessor.h"

namespace skiff::agent {

using forwarder::errno_text;
using forwarder::Fd;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

constexpr const char* kTaken = "taken";
constexpr int kFirstFree = 3;  // descriptor behind the standard ones
constexpr auto kSendTime = 1s;
constexpr auto kServeTime = 10s;
// Between the end of its socket and of the process.
constexpr auto kEndTime = 1s;

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_with(const std::string& variable) {
  std::vector<std::string> all{variable};
  for (char** one = environ; *one != nullptr; ++one) all.emplace_back(*one);
  return all;
}

// With no descriptors but the standard ones and `kept`, as kFirstFree, and the signals that a
// program is started with.
Result<pid_t> spawn(const Program& program, int kept) {
  std::vector<std::string> arguments = program.arguments;
  std::vector<std::string> environment =
      environment_with(std::string(Predecessor::kVariable) + "=" + std::to_string(kFirstFree));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, kept, kFirstFree);
  // Libraries open some that would go over otherwise.
  posix_spawn_file_actions_addclosefrom_np(&actions, kFirstFree + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  sigset_t ignored_here = none;
  sigaddset(&ignored_here, SIGPIPE);
  sigaddset(&ignored_here, SIGXFSZ);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &ignored_here);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, program.path.c_str(), &actions, &attributes,
                                pointers_to(arguments).data(), pointers_to(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    return fail(ErrorCode::kUnavailable, program.path + " cannot be started: " + errno_text(error));
  }
  return pid;
}

std::string end_of(int status) {
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

std::vector<int> numbers_of(const std::vector<Fd>& descriptors) {
  std::vector<int> numbers;
  numbers.reserve(descriptors.size());
  for (const Fd& fd : descriptors) numbers.push_back(fd.get());
  return numbers;
}

// A file without a name that holds `text`.
Result<Fd> file_of(const std::string& text) {
  Fd file(memfd_create("skiff-connections", MFD_CLOEXEC));
  std::size_t written = 0;
  while (file.valid() && written < text.size()) {
    const ssize_t n = write(file.get(), text.data() + written, text.size() - written);
    if (n < 0) break;
    written += static_cast<std::size_t>(n);
  }
  if (!file.valid() || written < text.size()) {
    return fail(ErrorCode::kUnavailable,
                "the connections cannot be written down: " + errno_text(errno));
  }
  return file;
}

}  // namespace

Program Program::of_this_process() {
  std::array<char, PATH_MAX> path{};
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  Program program;
  if (size > 0) program.path.assign(path.data(), static_cast<std::size_t>(size));
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  for (std::string argument; std::getline(file, argument, '\0');) {
    program.arguments.push_back(argument);
  }
  return program;
}

Result<std::unique_ptr<Successor>> Successor::start(const Program& program,
                                                    std::function<bool()> go_on) {
  auto ends = HandoverChannel::pair();
  if (!ends) return tl::unexpected<Error>(std::move(ends.error()));
  const auto pid = spawn(program, ends->second.fd());
  if (!pid) return tl::unexpected<Error>(pid.error());
  ends->first.while_waiting(std::move(go_on));
  std::unique_ptr<Successor> successor(new Successor(*pid, std::move(ends->first)));
  // With the other end open here, the end of the process would not be noticed.
  { const HandoverChannel closed = std::move(ends->second); }
  if (Result<void> greeted = successor->greet(); !greeted) {
    return tl::unexpected<Error>(successor->explained(std::move(greeted.error())));
  }
  return successor;
}

Successor::~Successor() {
  if (!is_let_go_) end();
}

void Successor::end() {
  kill_process();
  for (const Fd& fd : taken_) shutdown(fd.get(), SHUT_RDWR);
  taken_.clear();
}

// How it had ended before; empty where it had not.
std::optional<int> Successor::kill_process() {
  if (pid_ == 0) return std::nullopt;
  kill(pid_, SIGKILL);
  const auto status = wait_for_end();
  // It cannot, as on a disk that hangs; it does nothing more, either.
  if (!status) spdlog::error("the new process {} does not end", std::exchange(pid_, 0));
  const bool was_running = !status || (WIFSIGNALED(*status) && WTERMSIG(*status) == SIGKILL);
  return was_running ? std::nullopt : status;
}

std::optional<int> Successor::wait_for_end() {
  const auto until = std::chrono::steady_clock::now() + kEndTime;
  do {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = 0;
      return status;
    }
    std::this_thread::sleep_for(5ms);
  } while (std::chrono::steady_clock::now() < until);
  return std::nullopt;
}

Error Successor::explained(Error error) {
  if (error.code != ErrorCode::kUnavailable || pid_ == 0) return error;
  return explained(std::move(error), wait_for_end());
}

Error Successor::explained(Error error, const std::optional<int>& status) {
  if (status) error.message += " (the new process ended with " + end_of(*status) + ")";
  return error;
}

Result<void> Successor::greet() {
  auto hello = channel_.receive("hello", kStartTime);
  if (!hello) return tl::unexpected<Error>(std::move(hello.error()));
  try {
    version_ = hello->content.at("version");
    const int from = hello->content.at("protocol").at(0);
    const int to = hello->content.at("protocol").at(1);
    if (std::min(to, HandoverChannel::kProtocolMax) >=
        std::max(from, HandoverChannel::kProtocolMin)) {
      return {};
    }
    return fail(ErrorCode::kUnsupported,
                "skiff " + version_ + " takes over in another manner (" + std::to_string(from) +
                    " to " + std::to_string(to) + ") than this version gives (" +
                    std::to_string(HandoverChannel::kProtocolMin) + " to " +
                    std::to_string(HandoverChannel::kProtocolMax) + "): restart the agent instead");
  } catch (const json::exception& error) {
    return fail(ErrorCode::kMalformed, std::string("its greeting cannot be read: ") + error.what());
  }
}

Result<void> Successor::answered(Result<void> sent, const std::string& answer,
                                 std::chrono::milliseconds limit) {
  if (sent) sent = channel_.receive(answer, limit).map([](auto&&) {});
  return sent ? sent : tl::unexpected<Error>(explained(std::move(sent.error())));
}

Result<void> Successor::offer(const HandedListeners& listeners) {
  std::vector<int> api;
  json addresses = json::array();
  for (const HandedListeners::Api& one : listeners.api) {
    api.push_back(one.fd.get());
    addresses.push_back(one.address);
  }
  const json welcome = {{"type", "welcome"},
                        {"protocol", HandoverChannel::kProtocolMax},
                        {"outbound", listeners.ports.outbound.size()},
                        {"inbound", listeners.ports.inbound.size()},
                        {"api", addresses}};
  Result<void> sent = channel_.send(welcome, {}, kSendTime);
  for (const std::vector<int>& part :
       {numbers_of(listeners.ports.outbound), numbers_of(listeners.ports.inbound), api}) {
    if (sent) sent = channel_.send_descriptors(part, kSendTime);
  }
  return answered(std::move(sent), "checked", kStartTime);
}

Result<void> Successor::prepare(const HandedState& state) {
  const json message = {{"type", "state"},
                        {"folder", state.folder},
                        {"lists_frozen", state.lists_frozen},
                        {"descriptors", state.descriptors},
                        {"connected", state.connected}};
  Result<void> sent = channel_.send(message, {state.lock.get()}, kSendTime);
  return answered(std::move(sent), "prepared", kPrepareTime);
}

Result<void> Successor::give(forwarder::CarriedConnections connections) {
  const std::size_t count = connections.consumers.size() + connections.inbound.size();
  HandoverState state = to_handover_state(std::move(connections));
  Result<void> given = send_connections(state);
  if (given) given = channel_.receive(kTaken, kTakeTime).map([](auto&&) {});
  if (!given) {
    const Error error = explained(given.error(), kill_process());
    // It says so before it touches them: if it did just before its end, they end with it.
    if (!channel_.receive(kTaken, 0ms)) return tl::unexpected<Error>(error);
    spdlog::error("upgrade: the new process took connections, and ends all the same: {}",
                  error.message);
  }
  std::ranges::move(state.descriptors, std::back_inserter(taken_));
  connections_taken_ += count;
  return {};
}

Result<void> Successor::send_connections(const HandoverState& state) {
  const auto file = file_of(state.text);
  if (!file) return tl::unexpected<Error>(file.error());
  const json message = {{"type", "connections"}, {"descriptors", state.descriptors.size()}};
  std::vector<int> descriptors = numbers_of(state.descriptors);
  descriptors.insert(descriptors.begin(), file->get());
  // In one message where they fit: whoever is woken by the first one may take this thread's CPU.
  const auto rest =
      descriptors.begin() +
      static_cast<std::ptrdiff_t>(std::min(descriptors.size(), HandoverChannel::kMaxDescriptors));
  Result<void> sent = channel_.send(message, {descriptors.begin(), rest}, kTakeTime);
  return sent ? channel_.send_descriptors({rest, descriptors.end()}, kTakeTime) : sent;
}

Result<void> Successor::let_go() {
  if (pid_ == 0) return fail(ErrorCode::kUnavailable, "the new process has ended");
  Result<void> sent = channel_.send({{"type", "go"}}, {}, kSendTime);
  is_let_go_ = sent.has_value();
  if (is_let_go_) taken_.clear();
  return sent ? sent : tl::unexpected<Error>(explained(std::move(sent.error())));
}

std::optional<std::chrono::microseconds> Successor::serves(const std::vector<Fd>& api_clients) {
  const json message = {{"type", "api_clients"}, {"descriptors", api_clients.size()}};
  if (!channel_.send(message, {}, kSendTime)) return std::nullopt;
  if (!channel_.send_descriptors(numbers_of(api_clients), kSendTime)) return std::nullopt;
  const auto serving = channel_.receive("serving", kServeTime);
  if (!serving) return std::nullopt;
  const auto pause = serving->content.find("pause_us");
  const bool is_number = pause != serving->content.end() && pause->is_number_unsigned();
  return std::chrono::microseconds(is_number ? pause->get<std::uint32_t>() : 0);
}

void Successor::farewell() { (void)channel_.send({{"type", "farewell"}}, {}, kSendTime); }

}  // namespace skiff::agent
