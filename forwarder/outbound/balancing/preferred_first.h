#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "forwarder/outbound/balancing/balancer.h"

namespace skiff::forwarder {

// Some of the members come first, those of our own zone for example, as long as enough of them are
// usable: a few that are left would be overrun by what all of them had.
class PreferredFirst final : public Balancer {
 public:
  // `first` balances the preferred ones, `all` all members.
  PreferredFirst(std::vector<std::uint32_t> members, std::vector<std::uint32_t> preferred,
                 std::uint32_t min_percent, std::unique_ptr<Balancer> first,
                 std::unique_ptr<Balancer> all);

  std::optional<std::size_t> pick(const PickContext& context, Usable usable) override;
  bool is_decided_by(const governance::RequestView& request) const override {
    return all_->is_decided_by(request);
  }
  std::vector<double> shares(TimePoint now, Usable usable) override;

 private:
  bool enough_are(Usable usable) const;

  std::vector<std::uint32_t> members_;
  std::vector<std::uint32_t> preferred_;
  std::size_t enough_;
  std::unique_ptr<Balancer> first_;
  std::unique_ptr<Balancer> all_;
};

}  // namespace skiff::forwarder
