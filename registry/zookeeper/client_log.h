#pragma once

namespace skiff::registry {

// Takes the C client's log lines, on its threads: warnings go to our log as warnings, at most
// kMaxClientLines in kClientLineWindow, since it writes some for each attempt to connect, of which
// there may be dozens a second; the rest is for debugging.
void log_client_line(const char* line);

}  // namespace skiff::registry
