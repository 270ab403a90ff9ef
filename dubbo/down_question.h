#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dubbo/bytes.h"
#include "dubbo/frame.h"

// What agents ask each other about a port that is open whether or not the providers behind it
// live: which of these services are down? It is our own addition to Dubbo: a heartbeat whose data
// is one hessian2 string,
//
//   question   "skiff.down?" and, each after a line feed, ServiceKey::to_string()
//   answer     "skiff.down" and those of them that are down
//
// Whoever does not know it answers as any heartbeat is answered, with the data that came. Stock
// peers refuse events with much data, so it is for ports of agents alone.
namespace skiff::dubbo {

// What the body of a question or an answer may take; of services beyond it nothing is asked.
inline constexpr std::size_t kMaxDownQuestionBytes = std::size_t{16} * 1024;

// Appends a two-way event.
void append_down_question(std::uint64_t request_id, const std::vector<std::string>& services,
                          std::vector<std::byte>& out);
// The services that the body of an event in hessian2 asks about; empty where it is no question.
std::optional<std::vector<std::string>> parse_down_question(Bytes body);

// Appends the answer to the question of this header.
void append_down_answer(const FrameHeader& question, const std::vector<std::string>& down,
                        std::vector<std::byte>& out);
// The services that are down; none where the body is no answer.
std::vector<std::string> parse_down_answer(Bytes body);

}  // namespace skiff::dubbo
