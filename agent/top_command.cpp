#include "agent/top_command.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "agent/api_client.h"
#include "agent/text.h"
#include "agent/top_screen.h"
#include "agent/traffic_sample.h"
#include "forwarder/socket.h"

namespace skiff::agent {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kPeriod = 1s;
constexpr auto kPatience = 5s;

struct TimedSample {
  TrafficSample traffic;
  Clock::time_point time;
};

Result<TimedSample> take_sample(const ApiAddress& api) {
  constexpr int kOk = 200;
  const auto answer =
      ask_agent(api, kPatience, [](httplib::ClientImpl& client) { return client.Get("/metrics"); });
  if (!answer) return tl::unexpected(answer.error());
  if (answer->status != kOk) {
    return fail(ErrorCode::kUnavailable, "the agent at " + api.to_string() +
                                             " answers with status " +
                                             std::to_string(answer->status));
  }
  return TimedSample{.traffic = read_traffic(answer->body), .time = Clock::now()};
}

std::string screen_of(const TimedSample& before, const TimedSample& after,
                      const std::optional<ScreenSize>& size) {
  const double seconds = std::chrono::duration<double>(after.time - before.time).count();
  return top_screen(before.traffic, after.traffic, seconds, size);
}

void write_out(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

int failed(const Error& error) {
  std::fprintf(stderr, "skiff: %s\n", error.message.c_str());
  return 1;
}

ScreenSize terminal_size() {
  winsize size{};
  ScreenSize screen;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
    screen = {.rows = size.ws_row, .columns = size.ws_col};
  }
  return screen;
}

// A terminal as a full screen without echo, with the signals that concern it as events; as it was
// before when this ends.
class LiveTerminal {
 public:
  enum class Event { kTick, kResized, kQuit };

  LiveTerminal() {
    sigemptyset(&signals_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH}) {
      sigaddset(&signals_, signal);
    }
    sigprocmask(SIG_BLOCK, &signals_, &old_signals_);
    signal_fd_ = forwarder::Fd(signalfd(-1, &signals_, SFD_CLOEXEC | SFD_NONBLOCK));
    tcgetattr(STDIN_FILENO, &old_settings_);
    termios settings = old_settings_;
    settings.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    settings.c_cc[VSUSP] = _POSIX_VDISABLE;  // it would leave the terminal as it is now
    settings.c_cc[VMIN] = 0;
    settings.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &settings);
    write_out("\x1b[?1049h\x1b[?25l\x1b[2J");  // another screen, no cursor, cleared
  }
  ~LiveTerminal() {
    write_out("\x1b[?25h\x1b[?1049l");
    tcsetattr(STDIN_FILENO, TCSANOW, &old_settings_);
    drain_signals();
    sigprocmask(SIG_SETMASK, &old_signals_, nullptr);
  }
  LiveTerminal(const LiveTerminal&) = delete;
  LiveTerminal& operator=(const LiveTerminal&) = delete;

  // What comes first; kTick at `until`.
  Event wait(Clock::time_point until) {
    while (true) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
      if (left <= 0) return Event::kTick;
      std::array<pollfd, 2> fds = {{{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                                    {.fd = signal_fd_.get(), .events = POLLIN, .revents = 0}}};
      if (poll(fds.data(), fds.size(), static_cast<int>(left)) <= 0) continue;
      if (fds[1].revents != 0) return drain_signals();
      if (fds[0].revents != 0 && quit_was_typed()) return Event::kQuit;
    }
  }

  // Line by line over what is there: nothing flickers.
  static void show(std::string_view screen) {
    std::string out = "\x1b[H";
    bool is_first = true;
    while (!screen.empty()) {
      const auto end = screen.find('\n');
      if (!std::exchange(is_first, false)) out += "\r\n";
      out.append(screen.substr(0, end)).append("\x1b[K");
      screen.remove_prefix(end == std::string_view::npos ? screen.size() : end + 1);
    }
    write_out(out + "\x1b[J");
  }

 private:
  Event drain_signals() {
    Event event = Event::kResized;
    signalfd_siginfo info{};
    while (read(signal_fd_.get(), &info, sizeof(info)) == sizeof(info)) {
      if (info.ssi_signo != SIGWINCH) event = Event::kQuit;
    }
    return event;
  }

  static bool quit_was_typed() {
    std::array<char, 64> typed{};
    const ssize_t size = read(STDIN_FILENO, typed.data(), typed.size());
    if (size <= 0) return true;  // the terminal has gone
    const std::string_view keys(typed.data(), static_cast<std::size_t>(size));
    return keys.find_first_of("qQ") != std::string_view::npos;
  }

  sigset_t signals_{};
  sigset_t old_signals_{};
  termios old_settings_{};
  forwarder::Fd signal_fd_;
};

// "" while the agent answers. The first line is about the agent: where it does not answer, that is
// what it says.
void show(const TimedSample& before, const TimedSample& after, const std::string& problem) {
  ScreenSize size = terminal_size();
  std::string screen;
  if (!problem.empty()) {
    screen = std::string(cut_utf8("NO ANSWER: " + problem, size.columns)) + "\n";
    size.rows -= std::min<std::size_t>(size.rows, 1);
  }
  LiveTerminal::show(screen + screen_of(before, after, size));
}

int show_until_quit(const ApiAddress& api, TimedSample first) {
  LiveTerminal terminal;
  TimedSample after = std::move(first);
  TimedSample before = after;
  before.time -= kPeriod;  // nothing has been counted yet
  std::string problem;
  Clock::time_point next = after.time + kPeriod;
  while (true) {
    show(before, after, problem);
    const auto event = terminal.wait(next);
    if (event == LiveTerminal::Event::kQuit) return 0;
    if (event == LiveTerminal::Event::kResized) continue;
    auto sample = take_sample(api);
    next = Clock::now() + kPeriod;
    problem = sample ? "" : sample.error().message;
    if (!sample) continue;
    before = std::exchange(after, std::move(*sample));
  }
}

int show_once(const ApiAddress& api, const TimedSample& first) {
  std::this_thread::sleep_until(first.time + kPeriod);
  const auto second = take_sample(api);
  if (!second) return failed(second.error());
  write_out(screen_of(first, *second, std::nullopt));
  return 0;
}

}  // namespace

int run_top_command(const ApiAddress& api, bool once) {
  auto first = take_sample(api);
  if (!first) return failed(first.error());
  const bool is_live = !once && isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
  return is_live ? show_until_quit(api, std::move(*first)) : show_once(api, *first);
}

}  // namespace skiff::agent
