#include "governance/mesh/mesh_match.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace skiff::governance {
namespace {

// Adding the limit of what Java counts arguments with keeps rules readable by both.
constexpr std::int64_t kMaxArgumentIndex = 254;

std::optional<double> parse_number(std::string_view text) {
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = problem == std::errc() && end == text.data() + text.size() && !text.empty();
  return whole ? std::optional(number) : std::nullopt;
}

std::optional<double> read_number(const YamlFields& fields, const char* key) {
  const auto text = fields.optional_text(key);
  if (!text) return std::nullopt;
  const auto number = parse_number(*text);
  if (!number) fields.add_error(key, "came '" + *text + "', expected a number");
  return number;
}

void refuse(const YamlFields& fields, const char* key, const char* why) {
  if (fields.has(key)) fields.add_error(key, std::string("is not supported: ") + why);
}

// What a consumer's own URL says, which Dubbo takes for its labels.
std::string_view label_of(const RuleScope& scope, const std::string& key) {
  if (key == "application") return scope.consumer.application;
  if (key == "interface") return scope.interface;
  if (key == "group") return scope.group;
  if (key == "version") return scope.version;
  if (key == "side") return "consumer";
  const auto found = scope.consumer.parameters.find(key);
  return found == scope.consumer.parameters.end() ? std::string_view{} : found->second;
}

}  // namespace

NumberMatch NumberMatch::read(const YamlFields& fields) {
  fields.refuse_others_than({"exact", "mod", "range"});
  NumberMatch match;
  match.exact_ = read_number(fields, "exact");
  match.modulus_ = read_number(fields, "mod");
  if (const auto range = fields.map("range")) {
    match.has_range_ = true;
    match.start_ = read_number(*range, "start");
    match.end_ = read_number(*range, "end");
  }
  return match;
}

bool NumberMatch::matches(double number) const {
  if (exact_ && !modulus_) return number == *exact_;
  if (has_range_) {
    return (start_ || end_) && (!start_ || number >= *start_) && (!end_ || number < *end_);
  }
  return exact_ && std::fmod(number, *modulus_) == *exact_;
}

ArgumentMatch ArgumentMatch::read(const YamlFields& fields) {
  fields.refuse_others_than({"index", "type", "str_value", "num_value", "bool_value"});
  ArgumentMatch match;
  match.index_ = static_cast<std::size_t>(fields.integer("index", 0, 0, kMaxArgumentIndex));
  if (const auto text = fields.map("str_value")) match.text_ = TextMatchList::read(*text);
  if (const auto number = fields.map("num_value")) {
    match.numbers_.emplace();
    for (const YamlFields& one : number->maps("oneof")) {
      match.numbers_->push_back(NumberMatch::read(one));
    }
  }
  if (const auto boolean = fields.map("bool_value"))
    match.boolean_ = boolean->boolean("exact", false);
  if (!match.text_ && !match.numbers_ && !match.boolean_) {
    fields.add_error("expected one of str_value, num_value, bool_value");
  }
  return match;
}

bool ArgumentMatch::matches(const RequestView& request) const {
  const auto argument = request.argument(index_);
  if (!argument) return false;
  if (text_) return text_->matches(*argument);
  if (numbers_) {
    const auto number = parse_number(*argument);
    return number && std::ranges::any_of(*numbers_, [&number](const NumberMatch& one) {
             return one.matches(*number);
           });
  }
  return *argument == (*boolean_ ? "true" : "false");
}

MeshMatch MeshMatch::read(const YamlFields& fields) {
  fields.refuse_others_than({"name", "method", "sourceLabels", "attachments", "headers"});
  refuse(fields, "headers", "Dubbo does not match them; attachments.dubboContext is what it does");
  MeshMatch match;
  if (const auto method = fields.map("method")) match.read_method(*method);
  if (const auto labels = fields.map("sourceLabels")) {
    for (const std::string& key : labels->keys()) {
      match.source_labels_.emplace(key, labels->text(key.c_str()));
    }
  }
  if (const auto attachments = fields.map("attachments")) match.read_attachments(*attachments);
  return match;
}

void MeshMatch::read_method(const YamlFields& fields) {
  fields.refuse_others_than({"name_match", "args", "argc", "argp", "headers"});
  refuse(fields, "argc", "the agent does not count arguments");
  refuse(fields, "argp", "the agent does not read the types of arguments");
  refuse(fields, "headers", "Dubbo does not match them; attachments.dubboContext is what it does");
  if (const auto name = fields.map("name_match")) method_ = TextMatch::read(*name);
  for (const YamlFields& one : fields.maps("args")) {
    arguments_.push_back(ArgumentMatch::read(one));
  }
}

void MeshMatch::read_attachments(const YamlFields& fields) {
  fields.refuse_others_than({"dubboContext", "tracingContext"});
  if (const auto context = fields.map("dubboContext")) {
    for (const std::string& key : context->keys()) {
      const auto match = context->map(key.c_str());
      if (match) {
        attachments_.emplace_back(key, TextMatch::read(*match));
      } else {
        context->add_error(key.c_str(), "expected a match");
      }
    }
  }
  if (const auto tracing = fields.map("tracingContext")) never_ = !tracing->keys().empty();
}

bool MeshMatch::is_from(const RuleScope& scope) const {
  return !never_ && std::ranges::all_of(source_labels_, [&scope](const auto& label) {
    return label_of(scope, label.first) == label.second;
  });
}

std::optional<AttachmentDemand> MeshMatch::demand() const {
  for (const auto& [key, match] : attachments_) {
    const auto text = match.only_text();
    if (text) return AttachmentDemand{.key = key, .texts = {*text}};
  }
  return std::nullopt;
}

bool MeshMatch::matches(const RequestView& request) const {
  return std::ranges::all_of(arguments_,
                             [&](const ArgumentMatch& one) { return one.matches(request); }) &&
         std::ranges::all_of(attachments_, [&](const auto& one) {
           return one.second.matches(request.attachment(one.first));
         });
}

}  // namespace skiff::governance
