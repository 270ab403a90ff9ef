#pragma once

#include <string_view>

#include "dubbo/request.h"

namespace skiff::dubbo {

// The trace that a request belongs to, as its attachments say: the 32 digits of W3C's
// `traceparent`, else the trace id of B3's `b3`, else that of its `X-B3-TraceId`. Names are
// compared without regard to case. "" where they do not say, or say what is none. A view into them.
std::string_view trace_id_of(const Attachments& attachments);

}  // namespace skiff::dubbo
