#pragma once

#include <chrono>
#include <optional>
#include <string>

// What systemd is told of a service of Type=notify; without systemd nothing happens.
namespace skiff::agent {

void notify_ready(const std::string& status);
void notify_stopping();
void notify_watchdog();
// How often notify_watchdog() is wanted; empty where it is not.
std::optional<std::chrono::milliseconds> watchdog_interval();

}  // namespace skiff::agent
