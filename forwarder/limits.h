#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

// Every bound of the data plane. What happens at each of them stands beside it; each has a metric
// (metrics.h).
namespace skiff::forwarder::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;

// Reading.
// What one worker reads and builds before it writes its output: when no more than the room for a
// read is left, or so much lies in blocks beside it, output is written before more is read. It
// takes four frames of 64 KiB at once, and fits a CPU's second-level cache.
inline constexpr std::size_t kTurnArenaBytes = 320 * kKiB;
inline constexpr std::size_t kReadRoomMinBytes = 192 * kKiB;
inline constexpr std::size_t kTurnSpillBytes = 64 * kKiB;  // such a block, where it is full
inline constexpr std::size_t kTurnKeptMaxBytes = 512 * kKiB;
inline constexpr int kReadsPerTurnMax = 4;  // of one connection, before others have theirs
inline constexpr std::size_t kDiscardBytes = 16 * kKiB;  // a read of what nobody will look at
inline constexpr std::size_t kPartialCopyMax =
    4096;  // a shorter part of a frame is moved in front of the next read

// An answer over the body limit is skipped, so that those behind it still come; what promises more
// than this is rather no frame at all, and its connection is closed.
inline constexpr std::size_t kSkippedBodyMax = 256 * kMiB;

// Writing. A consumer over the high mark is not read from until it has taken what waits for it.
inline constexpr std::size_t kDownstreamHighBytes = kMiB;
// A consumer that takes none of its answers is closed when this much waits for it.
inline constexpr std::size_t kDownstreamQueueMaxBytes = 64 * kMiB;
// A provider that takes nothing gets no answers to its heartbeats and callbacks while this much
// waits for it.
inline constexpr std::size_t kReplyQueueMaxBytes = kMiB;
// Requests for a provider with this much waiting are refused with status 100.
inline constexpr std::size_t kUpstreamQueueMaxBytes = 64 * kMiB;
// The same for a local provider where requests of one inbound connection may go to several. Where
// there is one only, the consumer is not read from instead, from kDownstreamHighBytes on.
inline constexpr std::size_t kLinkQueueMaxBytes = 16 * kMiB;

// Connections that go to a successor at once: so many wait while it takes them up.
inline constexpr std::size_t kHandedOverAtOnce = 128;

// Requests without an answer, of one worker on 20881; more are refused with status 100.
inline constexpr std::uint32_t kInFlightMax = 1U << 18;
// Requests without an answer on one connection of 20882; more are refused with status 100.
inline constexpr std::size_t kInboundPendingMax = 1U << 16;
// A request on 20882 that the provider leaves unanswered is answered with status 31 and forgotten;
// longer than any timeout. Where its connection has kInboundPendingMax of them, what is older than
// the second time makes room: a method that never answers must not cost the others their provider.
inline constexpr std::chrono::milliseconds kAbandonedTime = 3700s;
inline constexpr std::chrono::milliseconds kAbandonedTimeWhenFull = 60s;
// Local ports that one connection of 20882 may use at the same time.
inline constexpr std::size_t kLinksPerInboundMax = 64;

// Requests that wait for the providers of an unknown service, of one worker; more are answered with
// status 60 at once.
inline constexpr std::size_t kHeldRequestsMax = 4096;
inline constexpr std::size_t kHeldBytesMax = 32 * kMiB;

// Requests none of whose providers can be connected to wait for one that can, for so many eighths
// of their timeout: the rest is for the provider's answer, or for ours to come before the consumer
// gives up. As many as above; more are answered with status 80 at once.
inline constexpr int kReconnectEighths = 7;
inline constexpr std::chrono::milliseconds kReconnectPause = 100ms;  // between two attempts

// Connections of one worker and side; more are closed as they come.
inline constexpr std::size_t kConnectionsMax = 200'000;
inline constexpr std::size_t kAcceptsPerTurnMax = 64;  // of one listener, before requests are read
inline constexpr auto kAcceptPause = 100ms;            // after the process ran out of descriptors

// Attempts to send one request, where nothing of it had been sent before.
inline constexpr int kAttemptsMax = 8;
// Where a request may be sent again after its connection was lost, a copy of it is kept; not of
// larger ones, and of one worker's requests no more than so much (a copy takes 4 KiB at least).
inline constexpr std::size_t kKeptRequestMaxBytes = 64 * kKiB;
inline constexpr std::size_t kKeptMaxBytes = 64 * kMiB;
// Requests sent again after they were sent and lost: of one worker and service, in the last so many
// seconds, no more than this share of its requests, and a few each second whatever their number.
// Others are answered with status 80.
inline constexpr std::size_t kRetryBudgetSeconds = 10;
inline constexpr std::uint32_t kRetryBudgetPercent = 20;
inline constexpr std::uint32_t kRetriesPerSecondMin = 10;
// cluster=failback: a request that failed is sent again after each pause, so often, as in Dubbo;
// where so many of one worker wait, further ones are given up. They do not outlive the agent.
inline constexpr std::chrono::milliseconds kFailbackPause = 5s;
inline constexpr std::uint8_t kFailbackTriesMax = 3;
inline constexpr std::size_t kFailbackRequestsMax = 1024;
inline constexpr std::size_t kFailbackBytesMax = 16 * kMiB;
// What filters change of one request's attachments: more of them, and values of more bytes
// together, are not set; a request of which more are to be removed is refused with status 40.
inline constexpr std::size_t kSetAttachmentsMax = 24;
inline constexpr std::size_t kSetAttachmentBytesMax = 8 * kKiB;
inline constexpr std::size_t kRemovedAttachmentsMax = 64;
// A frame with more attachments of ours, which came back again and again from connections that
// broke, gets no further ones.
inline constexpr std::size_t kAddedAttachmentsMax = 128;
// Records of requests that are over, kept by a worker for the next ones.
inline constexpr std::size_t kFreeRecordsMax = 1024;
// Routes of a service that requests in flight were routed by, kept for the log lines of failures.
inline constexpr std::size_t kEarlierRoutesMax = 4;
// Requests that filters delay, of one worker; more are not delayed.
inline constexpr std::size_t kDelayedRequestsMax = 16'384;
inline constexpr std::size_t kDelayedBytesMax = 64 * kMiB;
inline constexpr std::size_t kDelayedPerTurnMax = 256;  // go on; the others in the next turns
// Copies that filters sent and that have no answer yet, of one worker; more are not sent.
inline constexpr std::size_t kShadowsInFlightMax = 16'384;
// What a worker keeps of a cluster's rules: the routers that concern a method, and sets of
// providers that they leave. Where there are so many, all are worked out anew.
inline constexpr std::size_t kRoutePlansMax = 1024;
inline constexpr std::size_t kSubsetsMax = 1024;
// Paths that an explanation shows: more than people read. Beyond the second number, none is walked.
inline constexpr std::size_t kExplainedPathsMax = 64;
inline constexpr std::size_t kWalkedPathsMax = 4096;
// Providers of the consumer's own zone come first as long as at least this share of them can be
// called.
inline constexpr std::uint32_t kPreferredPercentMin = 50;

// A provider that requests fail at as often in a row (no answer in time, its connection lost, no
// thread for it) is ejected, as is one that cannot be connected to: it gets no requests for a
// pause, and after it one at a time until that is answered. Pauses double up to the maximum.
struct Pause {
  std::chrono::milliseconds min;
  std::chrono::milliseconds max;
};
inline constexpr int kFailuresToEject = 5;
inline constexpr Pause kFailingPause{1s, 30s};
inline constexpr Pause kUnreachablePause{100ms, 5s};
// How long others wait for what becomes of the one.
inline constexpr std::chrono::milliseconds kProbeTime = 5s;
// Of a cluster's connectable providers at most this share is kept out; where more fail, all of them
// get requests again.
inline constexpr std::size_t kFailingPercentMax = 50;
// Connections of one worker to a provider. One is used for each so many bytes of requests and
// answers in flight there; what was not needed for a period is closed.
inline constexpr std::size_t kUpstreamConnectionsMax = 4;
inline constexpr std::size_t kBytesPerUpstreamConnection = 640 * kKiB;
inline constexpr auto kUpstreamWidthPeriod = 10s;
// Points of one consistent hash, of a worker and some providers of a cluster; each takes 8 bytes.
// Dubbo's 160 for each provider fit 400 of them; where there are more, each has fewer points.
inline constexpr std::size_t kHashPointsMax = std::size_t{1} << 16U;
// An upstream connection that stays silent for this many heartbeat intervals is closed.
inline constexpr int kSilentHeartbeatsMax = 3;

// A request's timeout attachment is cut to this.
inline constexpr auto kTimeoutMax = 3600s;

// A connection that is closed by us after an answer is given this long to read it.
inline constexpr auto kLingerTime = 1s;
// One that takes nothing of its last answers for this long is closed without them.
inline constexpr auto kFinishStallTime = 5s;

// Draining: an inbound connection without requests for this long is closed.
inline constexpr auto kDrainQuietTime = 500ms;
inline constexpr auto kDrainPollInterval = 10ms;

// An inbound connection all of whose local providers are down is told so, and closed once it is
// quiet; at the latest after this, unless requests are in flight.
inline constexpr auto kDeadProviderCloseTime = 3s;
inline constexpr auto kDeadProviderPollInterval = 100ms;
// Local ports that an inbound connection is remembered to have used.
inline constexpr std::size_t kUsedPortsMax = 1024;

// Counters by interface and method. The first interfaces that are called have their own, of all
// workers together; each takes 600 bytes of a worker, and about 70 time series where it is read.
// Further ones are counted as "(other)", as are further methods of an interface or of a worker (300
// bytes each), and longer names. So counters take 6 MiB of a worker at most.
inline constexpr std::size_t kMetricInterfacesMax = 1024;
inline constexpr std::size_t kMetricMethodsMax = 16'384;
inline constexpr std::size_t kMethodsPerServiceMax = 256;
inline constexpr std::size_t kMethodNameMaxBytes = 256;
// Endpoints that a worker looks at before it goes on serving, where /metrics asks for their states.
inline constexpr std::size_t kEndpointsPerLookMax = 128;

// Lines of the access log that a worker has written and nobody has taken yet; further ones are
// dropped.
inline constexpr std::size_t kAccessLogRingBytes = kMiB;

// Free buffers that a worker keeps.
inline constexpr std::size_t kPooledBytesMax = 8 * kMiB;

// How long a worker runs where others wait for its CPU. Less than the kernel's own, which is 0.7 to
// 2.8 ms by the number of CPUs; not as little as 100 us, which cuts large batches in pieces.
inline constexpr std::chrono::microseconds kSchedulingSlice = 500us;

// Log lines of one kind: at most one in this time, with the count of what was left out.
inline constexpr auto kLogInterval = 60s;

}  // namespace skiff::forwarder::limits
