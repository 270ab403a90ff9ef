#include "support/zookeeper_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>

namespace skiff::registry {
namespace {

constexpr std::chrono::seconds kStartLimit{60};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::uint16_t free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof(address);
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(fd);
  if (!bound) throw std::runtime_error("no free port on loopback");
  return ntohs(address.sin_port);
}

std::filesystem::path new_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "skiff-zookeeper-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  return name;
}

// In the child, between fork and exec: only what is safe there.
[[noreturn]] void become_server(const char* configuration, const char* log) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int output = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execlp("java", "java", "-Xmx64m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp",
         "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar",
         "org.apache.zookeeper.server.quorum.QuorumPeerMain", configuration,
         static_cast<char*>(nullptr));
  _exit(127);
}

}  // namespace

ZookeeperServer::ZookeeperServer() : folder_(new_folder()), port_(free_port()) {
  write_configuration();
  start();
}

ZookeeperServer::~ZookeeperServer() {
  if (process_ > 0) {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void ZookeeperServer::write_configuration() const {
  std::ofstream(folder_ / "zoo.cfg") << "tickTime=500\n"
                                     << "dataDir=" << (folder_ / "data").string() << "\n"
                                     << "clientPort=" << port_ << "\n"
                                     << "clientPortAddress=127.0.0.1\n"
                                     << "admin.enableServer=false\n"
                                     << "4lw.commands.whitelist=*\n"
                                     << "maxClientCnxns=0\n"
                                     << "minSessionTimeout=1000\n"
                                     << "maxSessionTimeout=60000\n";
}

// While it is away its port may be taken for a while, by a connection of anybody: a client that
// calls it again and again may even be given the port for its own end.
void ZookeeperServer::start() {
  const auto deadline = std::chrono::steady_clock::now() + kStartLimit;
  launch();
  while (!answers()) {
    if (waitpid(process_, nullptr, WNOHANG) == process_) {
      process_ = -1;
      if (!found_its_port_taken()) throw std::runtime_error("the ZooKeeper server ended at once");
      launch();
    }
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("the ZooKeeper server did not come up");
    }
    poll(nullptr, 0, 20);  // between two questions
  }
}

void ZookeeperServer::launch() {
  const std::string configuration = folder_ / "zoo.cfg";
  const std::string log = folder_ / "server.log";
  std::filesystem::remove(log);
  process_ = fork();
  if (process_ < 0) throw std::runtime_error("cannot fork");
  if (process_ == 0) become_server(configuration.c_str(), log.c_str());
}

bool ZookeeperServer::found_its_port_taken() const {
  std::ifstream log(folder_ / "server.log");
  const std::string text{std::istreambuf_iterator<char>(log), std::istreambuf_iterator<char>()};
  return text.find("Address already in use") != std::string::npos;
}

void ZookeeperServer::stop() {
  kill(process_, SIGTERM);
  waitpid(process_, nullptr, 0);
  process_ = -1;
}

void ZookeeperServer::wipe_data() { std::filesystem::remove_all(folder_ / "data"); }

// "imok" comes too early: a server that says it may still lose a client's greeting.
bool ZookeeperServer::answers() const {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port_);
  const timeval limit{.tv_sec = 2, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  const bool is_asked =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
      send(fd, "srvr", 4, MSG_NOSIGNAL) == 4;
  std::string answer;
  std::array<char, 1024> buffer{};
  while (is_asked) {
    const ssize_t size = recv(fd, buffer.data(), buffer.size(), 0);
    if (size <= 0) break;
    answer.append(buffer.data(), static_cast<std::size_t>(size));
  }
  close(fd);
  return answer.find("Mode: standalone") != std::string::npos;
}

}  // namespace skiff::registry
