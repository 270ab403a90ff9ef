#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "dubbo/bytes.h"
#include "dubbo/frame.h"
#include "forwarder/byte_queue.h"
#include "forwarder/event_loop.h"
#include "forwarder/socket.h"

namespace skiff::forwarder {

// A whole frame in somebody's buffer; valid during the call it is passed to.
struct Frame {
  dubbo::FrameHeader header;
  dubbo::Bytes bytes;  // header and body

  dubbo::Bytes body() const { return bytes.subspan(dubbo::FrameHeader::kSize); }

  // The first of the whole frames in `bytes`, which were read or written before.
  static Frame first_of(dubbo::Bytes bytes) {
    const dubbo::FrameHeader header = dubbo::header_of(bytes);
    return {header, bytes.first(dubbo::FrameHeader::kSize + header.body_size)};
  }
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

  // Room for a frame of `size` bytes at the end of what is to be written; the caller fills it at
  // once.
  std::byte* extend_output(std::size_t size);
  void append_output(dubbo::Bytes bytes);
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

  // When bytes last came in.
  TimePoint last_read() const { return last_read_; }

 protected:
  // What follows a frame over the limit: the next one, or nothing that could be trusted.
  enum class OversizedFrame { kSkipIt, kIgnoreAllInput };

  // A connected socket, or one that is connecting; start() must follow.
  FrameConnection(EventLoop& loop, Fd fd, bool connecting, std::uint32_t body_limit);
  // Registers with the loop. Fails where the kernel refuses.
  Result<void> start();

  EventLoop& loop() { return loop_; }
  // Of what was appended, the whole frames of which not a byte was sent. Stays readable when
  // closed, until destruction.
  dubbo::Bytes unsent_frames() const { return output_.bytes().subspan(sent_of_first_frame_left_); }

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
  enum class State : std::uint8_t { kConnecting, kOpen, kFinishing, kLingering, kClosed };

  bool takes_frames() const { return state_ == State::kOpen && !input_ignored_; }
  void finish_connecting();
  void read_frames();
  // One read; returns false when there is nothing more to read for now.
  bool read_once();
  bool read_into_scratch();
  bool read_into_partial();
  bool handle_read_result(std::int64_t got, std::size_t asked);
  void discard_input();
  // Takes frames off `bytes`; keeps what is left of them as the beginning of the next frame.
  void take_frames(std::span<std::byte> bytes);
  bool take_frame(std::span<std::byte>& bytes);
  void keep_partial(std::span<const std::byte> bytes);
  void note_sent(std::size_t sent);
  void enter_finishing();
  void enter_linger();
  static void on_closing_time(void* self);

  EventLoop& loop_;
  Fd fd_;
  State state_;
  bool reading_paused_ = false;
  bool input_ignored_ = false;
  bool input_ended_ = false;
  bool read_until_end_ =
      false;  // the peer closed or failed: a short read does not mean that all was read
  bool finish_when_connected_ = false;
  bool flush_scheduled_ = false;
  bool write_blocked_ = false;
  std::uint32_t body_limit_;
  PooledBlock partial_;  // the beginning of a frame
  std::size_t partial_size_ = 0;
  std::size_t partial_frame_size_ = 0;  // of the whole frame, 0 while its header is not complete
  std::size_t discard_left_ = 0;        // bytes of an oversized body still to come
  ByteQueue output_;
  std::size_t sent_of_first_frame_left_ =
      0;  // bytes in front of output_ that belong to a frame half sent
  TimePoint last_read_;
  Timer closing_timer_;  // finishing: until the peer must take something; lingering: the end
};

}  // namespace skiff::forwarder
