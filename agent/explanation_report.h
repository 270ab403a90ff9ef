#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "forwarder/explanation.h"

// What GET /explain answers, and how `skiff explain` prints it.
namespace skiff::agent {

// Where a value that governs a request to one provider comes from.
struct ProviderValue {
  std::string provider;  // its address
  std::string key;       // "timeout", "weight", ...
  std::string value;
  std::string source;  // "provider URL", "subscription", a configurator's name
};

nlohmann::ordered_json explanation_json(const forwarder::ExplainRequest& asked,
                                        const forwarder::Explanation& explanation,
                                        const std::vector<ProviderValue>& values);

// What is missing in `explanation` is left out, so that a program may ask an agent of another
// version.
std::string explanation_as_text(const nlohmann::ordered_json& explanation);

}  // namespace skiff::agent
