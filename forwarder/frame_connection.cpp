#include "forwarder/frame_connection.h"

#include <sys/epoll.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "forwarder/limits.h"
#include "forwarder/stream_position.h"

namespace skiff::forwarder {

using dubbo::FrameHeader;

FrameConnection::FrameConnection(EventLoop& loop, Fd fd, bool connecting, std::uint32_t body_limit,
                                 ByteCounts byte_counts)
    : loop_(loop),
      fd_(std::move(fd)),
      state_(connecting ? State::kConnecting : State::kOpen),
      body_limit_(body_limit),
      byte_counts_(byte_counts),
      output_(loop.buffers(), loop.turn_memory()),
      last_read_(loop.now()),
      closing_timer_(&FrameConnection::on_closing_time, this) {}

FrameConnection::~FrameConnection() {
  leave_in_store();
  loop_.forget(*this);
}

Result<void> FrameConnection::start() { return loop_.add(fd_.get(), *this); }

void FrameConnection::on_events(std::uint32_t events) {
  if (state_ == State::kConnecting && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
    finish_connecting();
  }
  const bool is_idle =
      state_ == State::kClosed || state_ == State::kConnecting || state_ == State::kCarried;
  if (is_idle) return;
  if ((events & EPOLLOUT) != 0 && write_blocked_) {
    write_blocked_ = false;
    on_flush();
  }
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) read_until_end_ = true;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) read_frames();
  note_boundary();
}

void FrameConnection::finish_connecting() {
  if (const int error = socket_error(fd_.get()); error != 0) {
    close(errno_text(error));
    return;
  }
  state_ = State::kOpen;
  last_read_ = loop_.now();
  on_connected();
  if (is_closed()) return;
  if (finish_when_connected_) enter_finishing();
  if (!output_.empty()) on_flush();
}

// --- reading

void FrameConnection::resume_reading() {
  if (!reading_paused_) return;
  reading_paused_ = false;
  loop_.revisit(*this);
}

void FrameConnection::read_frames() {
  for (int i = 0; i < limits::kReadsPerTurnMax; ++i) {
    if (input_ignored_) return discard_input();
    if (state_ != State::kOpen || reading_paused_ || input_ended_) return;
    if (!read_once()) return;
  }
  loop_.revisit(*this);
}

bool FrameConnection::read_once() {
  loop_.make_read_room();
  if (state_ != State::kOpen || reading_paused_) return false;
  const bool large = partial_frame_size_ != 0 && partial_size_ > limits::kPartialCopyMax;
  return large ? read_into_partial() : read_into_turn();
}

bool FrameConnection::read_into_turn() {
  TurnMemory& memory = loop_.turn_memory();
  const std::span<std::byte> room = memory.read_room();
  const std::size_t kept = partial_size_;
  if (kept > 0) std::memcpy(room.data(), partial_.data(), kept);
  const std::size_t asked = room.size() - kept;
  const ssize_t got = recv(fd_.get(), room.data() + kept, asked, 0);
  if (got <= 0) return handle_read_result(got, asked);
  partial_size_ = 0;
  partial_.release();
  last_read_ = loop_.now();
  const std::size_t size = kept + static_cast<std::size_t>(got);
  memory.commit(size);
  take_frames(room.first(size));
  return handle_read_result(got, asked);
}

// The rest of a large frame goes where its beginning is; what follows it goes to the turn's memory.
bool FrameConnection::read_into_partial() {
  // Memory follows the bytes that came, not what a header promises.
  if (partial_size_ == partial_.capacity()) {
    PooledBlock larger =
        loop_.buffers().take(std::min(partial_frame_size_, 2 * partial_.capacity()));
    std::memcpy(larger.data(), partial_.data(), partial_size_);
    partial_ = std::move(larger);
  }
  TurnMemory& memory = loop_.turn_memory();
  const std::span<std::byte> behind = memory.read_room();
  const std::size_t room = std::min(partial_.capacity(), partial_frame_size_) - partial_size_;
  const bool reaches_end = partial_size_ + room == partial_frame_size_;
  std::array<iovec, 2> parts{iovec{partial_.data() + partial_size_, room},
                             iovec{behind.data(), behind.size()}};
  const std::size_t asked = room + (reaches_end ? behind.size() : 0);
  const ssize_t got = readv(fd_.get(), parts.data(), reaches_end ? 2 : 1);
  if (got <= 0) return handle_read_result(got, asked);
  last_read_ = loop_.now();
  const auto size = static_cast<std::size_t>(got);
  partial_size_ += std::min(size, room);
  if (partial_size_ == partial_frame_size_) {
    std::span<std::byte> frame(partial_.data(), std::exchange(partial_size_, 0));
    memory.keep(std::move(partial_));
    partial_frame_size_ = 0;
    memory.commit(size - room);
    take_frame(frame);
    take_frames(behind.first(size - room));
  }
  return handle_read_result(got, asked);
}

// True where another read may bring more.
bool FrameConnection::handle_read_result(std::int64_t got, std::size_t asked) {
  if (got > 0 && byte_counts_.received != nullptr) {
    *byte_counts_.received += static_cast<std::uint64_t>(got);
  }
  if (state_ == State::kClosed) return false;
  if (got > 0) {
    return static_cast<std::size_t>(got) == asked || read_until_end_ || input_ignored_;
  }
  if (got == 0) {
    input_ended_ = true;
    broke_ = partial_size_ > 0 || discard_left_ > 0;
    on_end_of_input();
    return false;
  }
  if (errno == EINTR) return true;
  if (errno == EAGAIN) return false;
  broke_ = true;
  close(errno_text(errno));
  return false;
}

// Not into the turn's memory: this is called from within the handling of frames that lie there, so
// its output must not be written now to make room.
void FrameConnection::discard_input() {
  std::array<std::byte, limits::kDiscardBytes> thrown_away;  // NOLINT(*-member-init): written first
  for (int i = 0; i < limits::kReadsPerTurnMax; ++i) {
    const ssize_t got = recv(fd_.get(), thrown_away.data(), thrown_away.size(), 0);
    if (got > 0) continue;
    if (got == 0) {
      input_ended_ = true;
      if (state_ == State::kLingering) close("closed by the peer");
      return;
    }
    if (errno != EAGAIN && errno != EINTR) close(errno_text(errno));
    return;
  }
  loop_.revisit(*this);
}

void FrameConnection::take_frames(std::span<std::byte> bytes) {
  while (takes_frames() && !bytes.empty()) {
    if (discard_left_ > 0) {
      const std::size_t skipped = std::min(discard_left_, bytes.size());
      discard_left_ -= skipped;
      bytes = bytes.subspan(skipped);
    } else if (!take_frame(bytes)) {
      break;
    }
  }
  if (takes_frames() && !bytes.empty()) keep_partial(bytes);
}

bool FrameConnection::take_frame(std::span<std::byte>& bytes) {
  partial_frame_size_ = 0;
  if (!dubbo::starts_with_header(bytes, body_limit_)) return take_no_frame(bytes);
  const FrameHeader header = dubbo::header_of(bytes);
  const std::size_t size = FrameHeader::kSize + header.body_size;
  if (bytes.size() < size) {
    partial_frame_size_ = size;
    return false;
  }
  const std::span<std::byte> frame = bytes.first(size);
  bytes = bytes.subspan(size);
  on_frame(Frame{header, frame});
  return true;
}

// What does not begin with a header that may be taken: an incomplete one, one of a body over the
// limit, or something else than a frame. True where more frames may follow.
bool FrameConnection::take_no_frame(std::span<std::byte>& bytes) {
  const ErrorCode why = dubbo::frame_header_error(bytes, body_limit_).code;
  if (why == ErrorCode::kIncomplete) return false;
  if (why == ErrorCode::kTooLarge) {
    const FrameHeader oversized = dubbo::header_of(bytes);
    bytes = bytes.subspan(FrameHeader::kSize);
    discard_left_ = oversized.body_size;
    if (on_oversized(oversized) == OversizedFrame::kIgnoreAllInput) input_ignored_ = true;
    return takes_frames();
  }
  on_foreign_bytes(bytes);
  close("not a Dubbo frame");
  return false;
}

void FrameConnection::keep_partial(std::span<const std::byte> bytes) {
  partial_ = loop_.buffers().take(bytes.size());
  std::memcpy(partial_.data(), bytes.data(), bytes.size());
  partial_size_ = bytes.size();
}

// --- writing

void FrameConnection::schedule_flush() {
  flush_scheduled_ = true;
  loop_.mark_dirty(*this);
}

void FrameConnection::append_copy(dubbo::Bytes frames) {
  append_output(loop_.turn_memory().copy(frames));
}

bool FrameConnection::append_reply(dubbo::Bytes bytes) {
  if (output_.size() > limits::kReplyQueueMaxBytes) return false;
  append_copy(bytes);
  return true;
}

void FrameConnection::on_flush() {
  flush_scheduled_ = false;
  if (state_ == State::kLingering) return output_.clear();
  if (state_ == State::kClosed) return;
  const bool must_wait =
      state_ == State::kConnecting || state_ == State::kCarried || write_blocked_;
  if (must_wait) return output_.keep_rest();
  const std::size_t before = output_.size();
  note_write();
  const OutputQueue::Progress progress = output_.write_to(fd_.get());
  written_ += before - output_.size();
  note_boundary();
  if (byte_counts_.sent != nullptr) *byte_counts_.sent += before - output_.size();
  if (progress == OutputQueue::Progress::kFailed) {
    broke_ = true;
    return close(errno_text(errno));
  }
  if (state_ == State::kFinishing && output_.size() < before) {
    loop_.arm(closing_timer_, limits::kFinishStallTime);
  }
  if (progress == OutputQueue::Progress::kBlocked) {
    write_blocked_ = true;
    return output_.keep_rest();
  }
  if (state_ == State::kFinishing) return enter_linger();
  on_output_drained();
}

// --- to a successor

std::optional<CarriedSocket> FrameConnection::carry() {
  on_flush();
  if (is_closed()) return std::nullopt;
  CarriedSocket carried;
  carried.fd = fd_.duplicate();
  if (!carried.fd.valid()) return std::nullopt;
  carried.is_connecting = was_connecting_ = state_ == State::kConnecting;
  carried.unread.assign(partial_.data(), partial_.data() + partial_size_);
  carried.skipped_left = static_cast<std::uint32_t>(discard_left_);
  const dubbo::Bytes left = output_.left();
  carried.unwritten.assign(left.begin(), left.end());
  carried.half_sent = static_cast<std::uint32_t>(output_.half_sent());
  carried_output_ = left.size();
  loop_.remove(fd_.get());
  state_ = State::kCarried;
  // Before its successor, which may read at once: who finds this mark cannot know.
  if (mark_ != nullptr) mark_->is_within_frame = true;
  return carried;
}

void FrameConnection::carry_back() {
  if (state_ != State::kCarried) return;
  state_ = was_connecting_ ? State::kConnecting : State::kOpen;
  write_blocked_ = !was_connecting_ && !output_.empty();
  note_boundary();
  // The kernel announces anew what it has.
  if (const Result<void> added = start(); !added) close(added.error().message);
}

void FrameConnection::go_on_with(Fd fd) {
  leave_in_store();
  output_.drop_left(carried_output_);
  partial_.release();
  partial_size_ = partial_frame_size_ = discard_left_ = 0;
  fd_ = std::move(fd);
  was_connecting_ = false;
  carry_back();
}

void FrameConnection::leave_to_successor() {
  leave_in_store();
  output_.clear();
  close("its successor goes on with it");
}

Result<void> FrameConnection::start_from(const CarriedSocket& carried) {
  discard_left_ = carried.skipped_left;
  output_.restore(carried.unwritten, carried.half_sent);
  write_blocked_ = !carried.is_connecting && !output_.empty();
  if (Result<void> started = start(); !started) return started;
  if (!carried.unread.empty()) take_frames(loop_.turn_memory().copy(carried.unread));
  note_boundary();
  return {};
}

// --- to the next process, whichever it is

void FrameConnection::keep_in(ConnectionStore* store) {
  store_ = store;
  if (store == nullptr) return;
  const auto written = written_position(fd_.get());
  if (written) mark_ = store->keep(fd_.get());
  if (mark_ == nullptr) return;
  written_ = *written;
  mark_->write_begin = mark_->write_end = written_;
}

// Before each write. Frames that are whole when it ends were whole when they were appended.
void FrameConnection::note_write() {
  if (mark_ == nullptr) return;
  mark_->write_begin.store(written_, std::memory_order_relaxed);
  mark_->write_end.store(written_ + output_.size(), std::memory_order_release);
}

void FrameConnection::note_boundary() {
  if (mark_ == nullptr) return;
  const bool is_within = is_within_frame();
  if (mark_->is_within_frame.load(std::memory_order_relaxed) == is_within) return;
  mark_->is_within_frame.store(is_within, std::memory_order_relaxed);
}

// From now on closing it does not shut it down.
void FrameConnection::leave_in_store() {
  ConnectionStore* store = std::exchange(store_, nullptr);
  if (mark_ != nullptr) store->leave(*std::exchange(mark_, nullptr));
}

void FrameConnection::leave_to_store() {
  leave_in_store();
  close("the next process goes on with it");
}

// --- closing

void FrameConnection::finish() {
  if (state_ == State::kConnecting) {
    finish_when_connected_ = true;
    if (output_.empty()) close("not needed any more");
  } else if (state_ == State::kOpen) {
    enter_finishing();
  }
}

void FrameConnection::enter_finishing() {
  state_ = State::kFinishing;
  input_ignored_ = true;
  note_boundary();
  loop_.arm(closing_timer_, limits::kFinishStallTime);
  if (output_.empty()) enter_linger();
}

// The peer reads the last answers, then sees the end. Closing at once would send a reset where
// unread input is left, and a reset can overtake what we wrote.
void FrameConnection::enter_linger() {
  state_ = State::kLingering;
  shutdown(fd_.get(), SHUT_WR);
  if (input_ended_) return close("finished");
  loop_.arm(closing_timer_, limits::kLingerTime);
  discard_input();
}

void FrameConnection::on_closing_time(void* self) {
  auto* connection = static_cast<FrameConnection*>(self);
  connection->close(connection->state_ == State::kLingering ? "finished"
                                                            : "it does not take the last answers");
}

void FrameConnection::close(const std::string& reason) {
  if (state_ == State::kClosed) return;
  // Another process may have a duplicate: the kernel would go on telling of the connection here.
  if (state_ != State::kCarried) loop_.remove(fd_.get());
  state_ = State::kClosed;
  closing_timer_.cancel();
  if (store_ != nullptr) shutdown(fd_.get(), SHUT_RDWR);
  if (mark_ != nullptr) store_->forget(*std::exchange(mark_, nullptr));
  fd_.reset();
  partial_.release();
  partial_size_ = 0;
  on_closed(reason);
}

}  // namespace skiff::forwarder
