#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "dubbo/result.h"
#include "forwarder/socket.h"

namespace skiff::agent {

// What an agent and its successor say to each other, over a socket between the two: JSON objects
// whose "type" says what they are, with descriptors. Every call waits for the other side, up to its
// limit. For one thread at a time.
//
//   successor                                  agent
//   hello {protocol: [from, to], version} -->
//                                         <--  welcome {protocol, api: [address]} + its listeners
//   checked                               -->       (the configuration fits)
//                                         <--  state {folder, ...} + the folder's lock
//   prepared                              -->       (it has the sessions and the lists)
//                                         <--  connections {descriptors} + a file of some of them
//                                              + their sockets, as many as fit here
//   taken                                 -->       (and goes on with these; the same with others)
//                                         <--  go   (that was all)
//                                         <--  api_clients + idle connections of the API
//   serving {pause_us}                    -->
//                                         <--  farewell: the successor is the service now
//
// Instead of any of them either side may say "failed" with a reason; until "go" the agent then goes
// on with all that was not taken.
class HandoverChannel {
 public:
  // Which versions of the above this program speaks.
  static constexpr int kProtocolMin = 2;
  static constexpr int kProtocolMax = 2;

  static constexpr std::size_t kMaxTextBytes = std::size_t{64} * 1024;
  static constexpr std::size_t kMaxDescriptors = 250;  // of a message; the kernel takes 253

  struct Message {
    nlohmann::json content;
    std::vector<forwarder::Fd> descriptors;
  };

  // Two ends; each closes on exec.
  static Result<std::pair<HandoverChannel, HandoverChannel>> pair();
  explicit HandoverChannel(forwarder::Fd fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }
  // Called every now and then while it waits; where it returns false, waiting ends with
  // kUnavailable.
  void while_waiting(std::function<bool()> go_on) { go_on_ = std::move(go_on); }

  // Fails with kUnavailable where the other side has gone, with kTimeout where it takes nothing.
  Result<void> send(const nlohmann::json& content, const std::vector<int>& descriptors,
                    std::chrono::milliseconds limit);
  // Fails likewise, with kMalformed where another message came than one of this type, and with what
  // the other side says where it has failed.
  Result<Message> receive(const std::string& type, std::chrono::milliseconds limit);
  // The same where one of several may come.
  Result<Message> receive_one_of(const std::vector<std::string>& types,
                                 std::chrono::milliseconds limit);
  // Descriptors of any number, in several messages.
  Result<void> send_descriptors(const std::vector<int>& descriptors,
                                std::chrono::milliseconds limit);
  Result<std::vector<forwarder::Fd>> receive_descriptors(std::size_t count,
                                                         std::chrono::milliseconds limit);

 private:
  Result<void> wait_until(short events, std::chrono::milliseconds limit) const;
  Result<Message> receive_any(std::chrono::milliseconds limit);

  forwarder::Fd fd_;
  std::function<bool()> go_on_ = [] { return true; };
};

}  // namespace skiff::agent
