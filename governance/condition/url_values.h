#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "dubbo/url.h"
#include "governance/router.h"

namespace skiff::governance {

// What conditions see of a URL: its parameters, and its parts under "protocol", "username",
// "password", "host", "port", "path" and "address". Reused for many URLs: views live until the next
// call.
class UrlValues {
 public:
  // The values of `key`; none where there are none. A provider's address and port have two, where
  // an agent registered it with another port than its own, and an IPv6 address has two spellings.
  std::span<const std::string_view> of(const dubbo::Url& url, std::string_view key);

 private:
  void add(std::string_view value) { views_[count_++] = value; }
  void add_address(const dubbo::Url& url);
  void add_ports(const dubbo::Url& url);

  std::array<std::string, 4> texts_;
  std::array<std::string_view, 4> views_;
  std::size_t count_ = 0;
};

// The URL of a consumer as conditions see it.
dubbo::Url consumer_url(const RuleScope& scope);

}  // namespace skiff::governance
