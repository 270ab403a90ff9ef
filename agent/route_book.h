#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/saved_routes.h"
#include "dubbo/result.h"
#include "governance/static_routes/static_routes.h"

namespace skiff::agent {

// The static routes and filters of the configuration file.
struct FileRoutes {
  std::string file;  // "" without one
  std::vector<governance::VirtualHostPtr> hosts;
  std::vector<governance::FilterEntryPtr> filters = {};  // of all services
};

// All static routes: those of the configuration file, with its filters, and those that the API was
// given, which are remembered. A change is taken over as a whole or not at all. Lives on the
// control thread.
class RouteBook {
 public:
  // Told of each change, and of the first ones where there are any. A virtual host that did not
  // change stays the same object.
  using Listener = std::function<void(std::shared_ptr<const governance::StaticRoutes>)>;

  // Of all texts that the API gave.
  static constexpr std::size_t kMaxTextBytes = std::size_t{16} << 20;

  struct Route {
    governance::VirtualHostPtr host;
    bool is_from_file = false;
    std::string text;  // as the API was given it
  };
  enum class Change { kCreated, kChanged, kUnchanged };

  // `store`, if not null, must outlive it. Routes that were remembered and do not go together with
  // those of the file any more are given up, with a line in the log.
  RouteBook(FileRoutes file, RouteStore* store, Listener listener);

  // Takes the routes that the file has now; returns whether they differ. Fails with
  // kInvalidArgument and all that is wrong, and changes nothing then.
  Result<bool> set_file_routes(FileRoutes file);
  // `text` is what `host` was read from. Fails with kInvalidArgument or kTooLarge.
  Result<Change> put(governance::VirtualHostPtr host, std::string text);
  // Fails with kNotFound, or with kInvalidArgument where it is one of the file.
  Result<void> remove(std::string_view name);
  // Calls `done` when all changes so far are stored, or cannot be.
  void when_stored(std::function<void()> done);

  // By name.
  const std::map<std::string, Route, std::less<>>& routes() const { return routes_; }
  const std::string& file() const { return file_; }

 private:
  using Routes = std::map<std::string, Route, std::less<>>;

  void restore(const SavedRoutes& saved);
  using Filters = std::vector<governance::FilterEntryPtr>;
  Result<std::shared_ptr<const governance::StaticRoutes>> checked(const Routes& routes,
                                                                  const Filters& filters) const;
  // Returns whether anything differs.
  Result<bool> take_over(Routes routes, Filters filters);
  std::size_t text_bytes() const;
  void save();
  tl::unexpected<Error> belongs_to_file(std::string_view name, const char* what_to_do) const;

  std::string file_;
  std::vector<governance::FilterEntryPtr> filters_;  // of the file
  Routes routes_;
  RouteStore* const store_;
  const Listener listener_;
};

}  // namespace skiff::agent
