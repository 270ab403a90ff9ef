#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "dubbo/bytes.h"
#include "dubbo/frame.h"

namespace skiff::dubbo {

// Appends a whole frame: this header, with the size of the body, and the body.
void append_frame(FrameHeader header, Bytes body, std::vector<std::byte>& out);

// Appends a whole response frame that carries an error message, as a peer of that serialization
// writes it (protocol.md 1: with a status other than 20 the body is one string in the request's
// serialization). Where we cannot write a serialization the body is empty: the consumer still gets
// its answer, with the status. Messages are cut at 4 KiB (at a character boundary); supplementary
// characters are written as Java's hessian does, as surrogate pairs.
void append_error_response(std::uint64_t request_id, Serialization serialization, Status status,
                           std::string_view message, std::vector<std::byte>& out);

// True where append_error_response() writes a message: hessian2, fastjson2, fastjson, java,
// compactedjava, nativejava.
bool can_write_error(Serialization serialization);

// Events (protocol.md 1). A heartbeat is answered with the body that came, whatever its
// serialization. Appends a heartbeat request in hessian2.
void append_heartbeat_request(std::uint64_t request_id, std::vector<std::byte>& out);
// Appends the answer to a heartbeat with this header and body.
void append_heartbeat_response(const FrameHeader& request, Bytes body, std::vector<std::byte>& out);
// Appends a one-way READONLY event ("R") in hessian2.
void append_readonly_event(std::uint64_t request_id, std::vector<std::byte>& out);
// The same for WRITEABLE ("W"), which takes READONLY back.
void append_writeable_event(std::uint64_t request_id, std::vector<std::byte>& out);

enum class EventKind { kHeartbeat, kReadonly, kWriteable, kUnknown };
// What an event frame says: the string R or W in any serialization whose event strings we know,
// else a heartbeat for a serialized null or an empty body. Bodies over 15 bytes are kUnknown, as at
// stock peers. In a serialization that we do not know every short event is taken for a heartbeat:
// to answer one too many does no harm, while a peer closes the connection for a missing answer.
EventKind event_kind(Serialization serialization, Bytes body);

}  // namespace skiff::dubbo
