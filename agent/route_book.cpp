#include "agent/route_book.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "governance/filters/filter_reader.h"

namespace skiff::agent {

using governance::StaticRoutes;
using governance::VirtualHost;
using governance::VirtualHostPtr;

namespace {

// `before` where nothing differs; else `now`, with the filters that are as they were.
VirtualHostPtr keeping_unchanged(const VirtualHostPtr& before, const VirtualHostPtr& now) {
  VirtualHost merged = *now;
  keep_unchanged(before->filters, merged.filters);
  if (merged == *before) return before;
  return std::make_shared<const VirtualHost>(std::move(merged));
}

}  // namespace

RouteBook::RouteBook(FileRoutes file, RouteStore* store, Listener listener)
    : file_(std::move(file.file)),
      filters_(std::move(file.filters)),
      store_(store),
      listener_(std::move(listener)) {
  for (VirtualHostPtr& host : file.hosts) {
    std::string name = host->name;
    routes_.emplace(std::move(name), Route{std::move(host), true, {}});
  }
  if (store_ != nullptr) restore(store_->saved_routes());
  if (routes_.empty() && filters_.empty()) return;
  if (auto all = checked(routes_, filters_)) {
    listener_(std::move(*all));
  } else {  // a file is checked before it comes here
    spdlog::error("no static route is in force: {}", all.error().message);
  }
}

void RouteBook::restore(const SavedRoutes& saved) {
  bool all_restored = true;
  for (const auto& [name, text] : saved) {
    auto host = governance::parse_virtual_host(text, name);
    Routes next = routes_;
    const bool is_new =
        host &&
        next.emplace(name, Route{std::make_shared<const VirtualHost>(*host), false, text}).second;
    const auto together = checked(next, filters_);
    if (is_new && together) {
      routes_ = std::move(next);
      continue;
    }
    all_restored = false;
    std::string why = "it is in " + file_ + " now";
    if (!host) why = host.error().message;
    if (!together) why = together.error().message;
    spdlog::error("the route {}, which the API was given, is given up: {}", name, why);
  }
  if (!all_restored) save();
}

Result<bool> RouteBook::set_file_routes(FileRoutes file) {
  Routes next;
  std::string problems;
  for (const auto& [name, route] : routes_) {
    if (!route.is_from_file) next.emplace(name, route);
  }
  for (VirtualHostPtr& host : file.hosts) {
    const auto known = routes_.find(host->name);
    std::string name = host->name;
    if (known != routes_.end() && known->second.is_from_file) {
      host = keeping_unchanged(known->second.host, host);
    }
    Route route{std::move(host), true, {}};
    if (!next.emplace(name, std::move(route)).second) {
      if (!problems.empty()) problems += "; ";
      problems.append("the API was given a route ").append(name).append(", too: DELETE /routes/");
      problems.append(name).append(", then have the file read again (SIGHUP)");
    }
  }
  if (!problems.empty()) return fail(ErrorCode::kInvalidArgument, std::move(problems));
  keep_unchanged(filters_, file.filters);
  auto taken = take_over(std::move(next), std::move(file.filters));
  if (taken) file_ = std::move(file.file);
  return taken;
}

Result<RouteBook::Change> RouteBook::put(VirtualHostPtr host, std::string text) {
  const auto known = routes_.find(host->name);
  const bool is_new = known == routes_.end();
  if (!is_new && known->second.is_from_file) return belongs_to_file(host->name, "change it there");
  const std::string name = host->name;
  if (!is_new) host = keeping_unchanged(known->second.host, host);
  const bool is_the_same = !is_new && known->second.host == host;
  const std::size_t bytes = text_bytes() - (is_new ? 0 : known->second.text.size()) + text.size();
  if (bytes > kMaxTextBytes) {
    return fail(ErrorCode::kTooLarge, "the routes of the API would have " + std::to_string(bytes) +
                                          " bytes of text, the limit is " +
                                          std::to_string(kMaxTextBytes));
  }
  Routes next = routes_;
  next.insert_or_assign(name, Route{std::move(host), false, std::move(text)});
  if (auto taken = take_over(std::move(next), filters_); !taken) {
    return tl::unexpected<Error>(std::move(taken.error()));
  }
  save();
  if (is_the_same) return Change::kUnchanged;
  spdlog::info("route {}: {} through the API", name, is_new ? "created" : "changed");
  return is_new ? Change::kCreated : Change::kChanged;
}

Result<void> RouteBook::remove(std::string_view name) {
  const auto known = routes_.find(name);
  if (known == routes_.end()) {
    return fail(ErrorCode::kNotFound, "there is no route " + std::string(name));
  }
  if (known->second.is_from_file) return belongs_to_file(name, "take it out there");
  Routes next = routes_;
  next.erase(next.find(name));
  if (auto taken = take_over(std::move(next), filters_); !taken) {
    return tl::unexpected<Error>(std::move(taken.error()));
  }
  save();
  spdlog::info("route {}: removed through the API", name);
  return {};
}

void RouteBook::when_stored(std::function<void()> done) {
  if (store_ == nullptr) return done();
  store_->when_routes_stored(std::move(done));
}

Result<std::shared_ptr<const StaticRoutes>> RouteBook::checked(const Routes& routes,
                                                               const Filters& filters) const {
  std::vector<VirtualHostPtr> hosts;
  hosts.reserve(routes.size());
  for (const auto& [name, route] : routes) hosts.push_back(route.host);
  return StaticRoutes::of(std::move(hosts), filters).map([](StaticRoutes made) {
    return std::make_shared<const StaticRoutes>(std::move(made));
  });
}

Result<bool> RouteBook::take_over(Routes routes, Filters filters) {
  auto all = checked(routes, filters);
  if (!all) return tl::unexpected<Error>(std::move(all.error()));
  const bool is_the_same =
      filters == filters_ &&
      std::equal(routes.begin(), routes.end(), routes_.begin(), routes_.end(),
                 [](const auto& a, const auto& b) { return a.second.host == b.second.host; });
  routes_ = std::move(routes);
  filters_ = std::move(filters);
  if (!is_the_same) listener_(std::move(*all));
  return !is_the_same;
}

std::size_t RouteBook::text_bytes() const {
  std::size_t sum = 0;
  for (const auto& [name, route] : routes_) sum += route.text.size();
  return sum;
}

void RouteBook::save() {
  if (store_ == nullptr) return;
  SavedRoutes saved;
  for (const auto& [name, route] : routes_) {
    if (!route.is_from_file) saved.push_back({name, route.text});
  }
  store_->on_routes_changed(std::move(saved));
}

tl::unexpected<Error> RouteBook::belongs_to_file(std::string_view name,
                                                 const char* what_to_do) const {
  return fail(ErrorCode::kInvalidArgument, "the route " + std::string(name) + " is in " + file_ +
                                               ": " + what_to_do +
                                               ", the agent reads the file again");
}

}  // namespace skiff::agent
