#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/result.h"

namespace skiff::agent {

// A route that the API was given, as it came.
struct SavedRoute {
  std::string name;
  std::string text;

  bool operator==(const SavedRoute&) const = default;
};
using SavedRoutes = std::vector<SavedRoute>;

// Remembers the routes of the API over restarts. Lives on the control thread.
class RouteStore {
 public:
  virtual ~RouteStore() = default;
  // What was remembered last.
  virtual SavedRoutes saved_routes() const = 0;
  virtual void on_routes_changed(SavedRoutes routes) = 0;
  // Calls `done` when all changes so far are stored, or cannot be.
  virtual void when_routes_stored(std::function<void()> done) = 0;
};

// The text of their file, JSON. Texts that are not UTF-8 lose what makes them so.
std::string to_text(const SavedRoutes& routes);
// Fails with kMalformed.
Result<SavedRoutes> parse_saved_routes(std::string_view text);

}  // namespace skiff::agent
