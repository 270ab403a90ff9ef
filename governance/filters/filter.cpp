#include "governance/filters/filter.h"

namespace skiff::governance {

std::string_view application_of(const dubbo::Attachments& attachments) {
  const auto named = attachments.find("remote.application");
  return cut_for_people(named ? *named : attachments.find("application").value_or(""));
}

FilterAnswer Filter::on_request(FilteredRequest& /*request*/) const {
  return FilterAnswer::kContinue;
}

void Filter::on_log(const FinishedRequest& /*request*/, AccessLines& /*lines*/) const {}

}  // namespace skiff::governance
