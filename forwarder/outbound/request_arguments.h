#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "dubbo/request.h"
#include "governance/request_view.h"

namespace skiff::forwarder {

// The arguments of the request that a worker routes, read when a rule or balancer asks for one.
// Lives on its worker's thread.
class RequestArguments final : public governance::ArgumentTexts {
 public:
  explicit RequestArguments(dubbo::RequestReader& reader) : reader_(reader) {}

  // Both must outlive the calls of text().
  void point_to(dubbo::Serialization serialization, dubbo::Bytes body,
                const dubbo::RequestHead& head) {
    serialization_ = serialization;
    body_ = body;
    head_ = &head;
  }

  std::optional<std::string_view> text(std::size_t index) override {
    return reader_.argument(serialization_, body_, *head_, index);
  }

 private:
  dubbo::RequestReader& reader_;
  dubbo::Serialization serialization_ = dubbo::Serialization::kHessian2;
  dubbo::Bytes body_;
  const dubbo::RequestHead* head_ = nullptr;
};

}  // namespace skiff::forwarder
