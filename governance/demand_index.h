#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "governance/request_view.h"
#include "governance/router.h"

namespace skiff::governance {

// Knows of most routers that cannot match a request without asking them, by the attachment that
// they demand. It keeps a bit of 64 for each text that would do, and looks at an attachment once
// for all routers: one more rule about another value costs a comparison of two numbers. A router
// that it lets through may still not match; one that it does not let through never does.
class DemandIndex {
 public:
  // Further keys are let through: a request costs no more than the routers' own look at it.
  static constexpr std::size_t kKeysMax = 7;
  // So many bytes of a text count, the last ones: a request may be megabytes.
  static constexpr std::size_t kHashedBytes = 32;

  // What one router demands.
  struct Demand {
    std::uint64_t texts = ~std::uint64_t{0};
    std::uint32_t key = 0;  // 0: nothing
  };

  // What one request has.
  class Sent {
   public:
    bool may_meet(const Demand& demand) const { return (texts_[demand.key] & demand.texts) != 0; }

   private:
    friend class DemandIndex;
    std::array<std::uint64_t, kKeysMax + 1> texts_ = {};  // by key; of 0 all
  };

  Demand add(const std::optional<AttachmentDemand>& demand);
  Sent look_at(const RequestView& request) const;

 private:
  std::uint32_t number_of(std::string_view key);

  std::vector<std::string_view> keys_;  // from 1
};

}  // namespace skiff::governance
