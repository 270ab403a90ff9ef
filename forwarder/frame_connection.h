#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "dubbo/bytes.h"
#include "dubbo/frame.h"
#include "forwarder/connection_store.h"
#include "forwarder/event_loop.h"
#include "forwarder/frame.h"
#include "forwarder/handover.h"
#include "forwarder/output_queue.h"
#include "forwarder/socket.h"

namespace skiff::forwarder {

// Where a connection counts its bytes.
struct ByteCounts {
  std::uint64_t* received = nullptr;  // null: nowhere
  std::uint64_t* sent = nullptr;
};

// A non-blocking socket that carries Dubbo frames both ways: copes with any split of the bytes it
// reads, and writes what was appended in a turn of the loop with one call at its end. LIFECYCLE.md
// has the states. Lives on its worker's thread.
class FrameConnection : public EventHandler {
 public:
  ~FrameConnection() override;
  FrameConnection(const FrameConnection&) = delete;
  FrameConnection& operator=(const FrameConnection&) = delete;

  void on_events(std::uint32_t events) final;
  void on_flush() final;

  bool is_connecting() const { return state_ == State::kConnecting; }
  bool is_closed() const { return state_ == State::kClosed; }

  // Appends whole frames, which lie in the loop's TurnMemory.
  void append_output(std::span<std::byte> frames) {
    if (state_ == State::kClosed) return;
    if (!flush_scheduled_) schedule_flush();
    output_.append(frames);
  }
  void append_copy(dubbo::Bytes frames);
  // Appends the answer to something that the peer may send without end and without reading: false,
  // and nothing is appended, where more than limits::kReplyQueueMaxBytes wait for it.
  bool append_reply(dubbo::Bytes bytes);
  std::size_t output_size() const { return output_.size(); }

  // Stops and resumes reading: back-pressure on the peer.
  void pause_reading() { reading_paused_ = true; }
  void resume_reading();
  bool reading_paused() const { return reading_paused_; }

  // Closes at once; on_closed() is called with the reason.
  void close(const std::string& reason);
  // Closes when everything appended was written and the peer has had limits::kLingerTime to read
  // it, or when it takes nothing for limits::kFinishStallTime; reads nothing more. A connecting one
  // with something to write is connected first. What is appended once all was written is dropped.
  void finish();

  // --- to a successor in another process (handover.h)
  // Whether it may be carried there: it neither ends nor is about to.
  bool can_be_carried() const {
    return (state_ == State::kOpen || state_ == State::kConnecting) && !input_ignored_ &&
           !input_ended_ && !finish_when_connected_;
  }
  // Where it may be: writes what can be written, then stops, and says what the successor goes on
  // with. What is appended from now on waits. Empty where it failed meanwhile.
  std::optional<CarriedSocket> carry();
  // There is no successor after all: goes on as if nothing had happened.
  void carry_back();

  // When bytes last came in.
  TimePoint last_read() const { return last_read_; }

 protected:
  // What follows a frame over the limit: the next one, or nothing that could be trusted.
  enum class OversizedFrame { kSkipIt, kIgnoreAllInput };

  // A connected socket, or one that is connecting; start() must follow.
  FrameConnection(EventLoop& loop, Fd fd, bool connecting, std::uint32_t body_limit,
                  ByteCounts byte_counts = {});
  // Registers with the loop. Fails where the kernel refuses.
  Result<void> start();
  // The same for one that goes on where a predecessor stopped; `carried` without its descriptor.
  Result<void> start_from(const CarriedSocket& carried);
  // Of one that was carried: what was appended since then goes to `fd`, as does what will be.
  void go_on_with(Fd fd);
  // Of one that was carried: closes it here alone.
  void leave_to_successor();

  // Keeps it in `store`, where there is one that takes it: before start().
  void keep_in(ConnectionStore* store);
  bool is_kept() const { return mark_ != nullptr; }
  // Whether what was read are whole frames, and all that was appended is written.
  bool is_at_boundary() const { return output_.empty() && !is_within_frame(); }
  // Calls on_output_drained() at the end of the turn, or when what waits was written.
  void ask_for_drained() {
    if (!flush_scheduled_) schedule_flush();
  }
  // Closes one that is kept here alone: the next process that has the store goes on with it.
  void leave_to_store();

  EventLoop& loop() { return loop_; }
  int fd() const { return fd_.get(); }
  // The connection failed, or the peer ended it in the middle of a frame.
  bool broke() const { return broke_; }
  // What was appended. Stays readable when closed, until the end of the turn.
  OutputQueue& output() { return output_; }

  virtual void on_connected() {}
  virtual void on_frame(const Frame& frame) = 0;
  // A frame with a body over the limit: its header is here, its body is not read into memory.
  virtual OversizedFrame on_oversized(const dubbo::FrameHeader& header) = 0;
  // The bytes that should begin a frame do not; the connection is closed afterwards.
  virtual void on_foreign_bytes(dubbo::Bytes bytes) = 0;
  // The peer will send nothing more; answers may still be written to it.
  virtual void on_end_of_input() { close("closed by the peer"); }
  // All output was written.
  virtual void on_output_drained() {}
  // Called once, whoever closed.
  virtual void on_closed(const std::string& reason) = 0;

 private:
  enum class State : std::uint8_t { kConnecting, kOpen, kFinishing, kLingering, kCarried, kClosed };

  bool takes_frames() const { return state_ == State::kOpen && !input_ignored_; }
  void schedule_flush();
  void finish_connecting();
  void read_frames();
  // One read; returns false when there is nothing more to read for now.
  bool read_once();
  bool read_into_turn();
  bool read_into_partial();
  bool handle_read_result(std::int64_t got, std::size_t asked);
  void discard_input();
  // Takes frames off `bytes`; keeps what is left of them as the beginning of the next frame.
  void take_frames(std::span<std::byte> bytes);
  bool take_frame(std::span<std::byte>& bytes);
  bool take_no_frame(std::span<std::byte>& bytes);
  void keep_partial(std::span<const std::byte> bytes);
  bool is_within_frame() const {
    return partial_size_ > 0 || discard_left_ > 0 || input_ignored_ || output_.half_sent() > 0;
  }
  void note_boundary();
  void note_write();
  void leave_in_store();
  void enter_finishing();
  void enter_linger();
  static void on_closing_time(void* self);

  EventLoop& loop_;
  Fd fd_;
  State state_;
  bool reading_paused_ = false;
  bool input_ignored_ = false;
  bool input_ended_ = false;
  bool broke_ = false;
  bool read_until_end_ =
      false;  // the peer closed or failed: a short read does not mean that all was read
  bool finish_when_connected_ = false;
  bool was_connecting_ = false;     // when it was carried
  std::size_t carried_output_ = 0;  // bytes
  bool flush_scheduled_ = false;
  bool write_blocked_ = false;
  std::uint32_t body_limit_;
  ByteCounts byte_counts_;
  PooledBlock partial_;  // the beginning of a frame
  std::size_t partial_size_ = 0;
  std::size_t partial_frame_size_ = 0;  // of the whole frame, 0 while its header is not complete
  std::size_t discard_left_ = 0;        // bytes of an oversized body still to come
  OutputQueue output_;
  ConnectionStore* store_ = nullptr;
  StreamMark* mark_ = nullptr;  // null: it is not kept
  std::uint64_t written_ = 0;   // of one that is kept: its stream's position
  TimePoint last_read_;
  Timer closing_timer_;  // finishing: until the peer must take something; lingering: the end
};

}  // namespace skiff::forwarder
