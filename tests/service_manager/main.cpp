// Runs a service as systemd runs one of Type=notify with Restart=always and a descriptor store:
//   service_manager FOLDER PROGRAM [ARGUMENT...]
// FOLDER is where $NOTIFY_SOCKET is made. Each line on standard output is an event:
//   started PID      a process of the service
//   ended PID, status N (or signal N)
//   main PID         another process is the service now, as the one before said
//   stored NAME...   what is stored, after a change, sorted
// SIGHUP restarts the service, SIGTERM stops it and ends this process.
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "descriptors.h"

namespace skiff::service_manager {
namespace {

using forwarder::Fd;

constexpr int kFirstDescriptor = 3;  // SD_LISTEN_FDS_START
constexpr int kPollMilliseconds = 10;

class Service {
 public:
  Service(std::string notify_path, std::vector<char*> arguments)
      : notify_path_(std::move(notify_path)),
        arguments_(std::move(arguments)),
        notify_socket_(notify_path_) {}

  void start() {
    const pid_t pid = fork();
    if (pid == 0) become_program();
    main_ = pid;
    std::printf("started %d\n", pid);
  }
  void signal(int number) const { kill(main_, number); }
  // Returns whether the main process has ended.
  bool reap() const {
    bool has_ended = false;
    int status = 0;
    for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
      std::printf(WIFSIGNALED(status) ? "ended %d, signal %d\n" : "ended %d, status %d\n", pid,
                  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
      has_ended = has_ended || pid == main_;
    }
    return has_ended;
  }
  int notify_fd() const { return notify_socket_.fd(); }

  void take_notification() {
    Notification said = notify_socket_.receive();
    if (said.sender != main_) return;  // NotifyAccess=main
    if (said.has("FDSTORE=1")) store_.add(said.value("FDNAME"), std::move(said.descriptors));
    if (said.has("FDSTOREREMOVE=1")) store_.remove(said.value("FDNAME"));
    if (const std::string pid = said.value("MAINPID"); !pid.empty()) {
      main_ = std::stoi(pid);
      std::printf("main %d\n", main_);
    }
    tell_stored();
  }
  void look_at_store() {
    store_.drop_hung_up();
    tell_stored();
  }

 private:
  [[noreturn]] void become_program() {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    std::string names;
    // Above those that they become.
    std::vector<Fd> passed;
    const int above = kFirstDescriptor + static_cast<int>(store_.all().size());
    for (const Store::Stored& one : store_.all()) {
      names += (names.empty() ? "" : ":") + one.name;
      passed.emplace_back(fcntl(one.fd.get(), F_DUPFD_CLOEXEC, above));
    }
    int next = kFirstDescriptor;
    for (const Fd& fd : passed) dup2(fd.get(), next++);
    setenv("NOTIFY_SOCKET", notify_path_.c_str(), 1);
    if (!passed.empty()) {
      setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
      setenv("LISTEN_FDS", std::to_string(passed.size()).c_str(), 1);
      setenv("LISTEN_FDNAMES", names.c_str(), 1);
    }
    execv(arguments_.front(), arguments_.data());
    std::perror(arguments_.front());
    _exit(1);
  }
  void tell_stored() {
    std::vector<std::string> names;
    for (const Store::Stored& one : store_.all()) names.push_back(one.name);
    std::ranges::sort(names);
    if (names == told_) return;
    std::printf("stored");
    for (const std::string& name : names) std::printf(" %s", name.c_str());
    std::printf("\n");
    told_ = std::move(names);
  }

  const std::string notify_path_;
  std::vector<char*> arguments_;
  NotifySocket notify_socket_;
  Store store_;
  std::vector<std::string> told_;
  pid_t main_ = 0;
};

// Until it is asked to stop.
void run(Service& service, int signals) {
  bool is_stopping = false;
  service.start();
  while (true) {
    std::array<pollfd, 2> fds{{{.fd = signals, .events = POLLIN, .revents = 0},
                               {.fd = service.notify_fd(), .events = POLLIN, .revents = 0}}};
    poll(fds.data(), fds.size(), kPollMilliseconds);
    // What a process said comes before its end.
    if (fds[1].revents != 0) {
      service.take_notification();
      continue;
    }
    service.look_at_store();
    signalfd_siginfo info{};
    while (read(signals, &info, sizeof(info)) == sizeof(info)) {
      if (info.ssi_signo == SIGTERM) is_stopping = true;
      if (info.ssi_signo != SIGCHLD) service.signal(SIGTERM);
    }
    if (!service.reap()) continue;
    if (is_stopping) return;
    service.start();
  }
}

}  // namespace
}  // namespace skiff::service_manager

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "service_manager FOLDER PROGRAM [ARGUMENT...]\n");
    return 1;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&signals, number);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  const skiff::forwarder::Fd signal_fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  std::vector<char*> arguments(argv + 2, argv + argc);
  arguments.push_back(nullptr);
  const std::string folder = argv[1];
  skiff::service_manager::Service service(folder + "/notify", std::move(arguments));
  skiff::service_manager::run(service, signal_fd.get());
  return 0;
}
