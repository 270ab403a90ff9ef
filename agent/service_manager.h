#pragma once

#include <chrono>
#include <optional>
#include <string>

// What systemd is told of a service of Type=notify; without systemd nothing happens.
namespace skiff::agent {

void notify_ready(const std::string& status);
// Another status, of a service that is ready.
void notify_status(const std::string& status);
void notify_stopping();
// Between this and notify_ready() it is told that the agent loads anew.
void notify_reloading(const std::string& status);
// The service is another process from now on; returns when that is known.
void notify_successor(int pid);
void notify_watchdog();
// How often notify_watchdog() is wanted; empty where it is not.
std::optional<std::chrono::milliseconds> watchdog_interval();

}  // namespace skiff::agent
