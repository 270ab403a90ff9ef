#include "forwarder/output_queue.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace skiff::forwarder {
namespace {

constexpr std::size_t kPartsPerWrite = 256;

ssize_t write_parts(int fd, std::span<iovec> parts) {
  if (parts.size() == 1) return send(fd, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL);
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  return sendmsg(fd, &message, MSG_NOSIGNAL);
}

}  // namespace

void OutputQueue::begin_piece(std::span<std::byte> frames) {
  const std::uint32_t added = turn_.add_piece(frames);
  (last_ == TurnMemory::kNoPiece ? first_ : turn_.piece(last_).next) = added;
  last_ = added;
}

OutputQueue::Progress OutputQueue::write_to(int fd) {
  while (!empty()) {
    std::array<iovec, kPartsPerWrite> parts;  // NOLINT(*-member-init): filled as far as it is used
    std::size_t count = 0;
    std::size_t asked = 0;
    const auto add = [&](std::span<std::byte> bytes) {
      parts[count++] = {bytes.data(), bytes.size()};
      asked += bytes.size();
    };
    if (!rest_.empty()) add(rest_.bytes());
    for (std::uint32_t i = first_; i != TurnMemory::kNoPiece && count < parts.size();) {
      const TurnMemory::Piece& piece = turn_.piece(i);
      add({piece.data, piece.size});
      i = piece.next;
    }
    const ssize_t sent = write_parts(fd, std::span(parts).first(count));
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN ? Progress::kBlocked : Progress::kFailed;
    note_sent(static_cast<std::size_t>(sent));
    // The kernel announces room after a short write as it does after EAGAIN.
    if (static_cast<std::size_t>(sent) < asked) return Progress::kBlocked;
  }
  return Progress::kAllWritten;
}

void OutputQueue::note_sent(std::size_t sent) {
  first_frame_left_ = sent == size() ? 0 : frame_end_after(sent) - sent;
  const std::size_t from_rest = std::min(sent, rest_.size());
  rest_.consume(from_rest);
  sent -= from_rest;
  turn_size_ -= sent;
  while (sent > 0) {
    TurnMemory::Piece& piece = turn_.piece(first_);
    const std::size_t from_piece = std::min(sent, piece.size);
    piece.data += from_piece;
    piece.size -= from_piece;
    sent -= from_piece;
    if (piece.size == 0) first_ = piece.next;
  }
  if (first_ == TurnMemory::kNoPiece) last_ = TurnMemory::kNoPiece;
  // Half a frame must not stand at the head of a piece: its rest joins what earlier turns left.
  if (first_frame_left_ > 0 && rest_.empty()) keep_rest();
}

// Where the last frame of which something is among the first `sent` bytes ends. Both count from
// the queue's beginning.
std::size_t OutputQueue::frame_end_after(std::size_t sent) const {
  std::size_t end = first_frame_left_;
  std::size_t part_begin = 0;
  const auto walk = [&](std::span<std::byte> part) {
    while (end < sent && end < part_begin + part.size()) {
      end += Frame::first_of(part.subspan(end - part_begin)).bytes.size();
    }
    part_begin += part.size();
  };
  walk(rest_.bytes());
  for (std::uint32_t i = first_; i != TurnMemory::kNoPiece && end < sent;) {
    const TurnMemory::Piece& piece = turn_.piece(i);
    walk({piece.data, piece.size});
    i = piece.next;
  }
  return end;
}

void OutputQueue::keep_rest() {
  for (std::uint32_t i = first_; i != TurnMemory::kNoPiece; i = turn_.piece(i).next) {
    rest_.append({turn_.piece(i).data, turn_.piece(i).size});
  }
  first_ = last_ = TurnMemory::kNoPiece;
  turn_size_ = 0;
}

void OutputQueue::drop_left(std::size_t size) {
  if (size == 0) return;
  rest_.consume(size);
  first_frame_left_ = 0;
}

void OutputQueue::restore(dubbo::Bytes left, std::size_t half_sent) {
  rest_.append(left);
  first_frame_left_ = half_sent;
}

void OutputQueue::clear() {
  rest_.clear();
  first_ = last_ = TurnMemory::kNoPiece;
  turn_size_ = 0;
  first_frame_left_ = 0;
}

}  // namespace skiff::forwarder
