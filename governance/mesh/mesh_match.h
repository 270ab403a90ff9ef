#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "governance/matching/text_match.h"
#include "governance/request_view.h"
#include "governance/router.h"
#include "governance/yaml_fields.h"

namespace skiff::governance {

// What a mesh rule asks of a number: Dubbo's DoubleMatch. `range` is half open: [start, end).
class NumberMatch {
 public:
  static NumberMatch read(const YamlFields& fields);
  bool matches(double number) const;

 private:
  std::optional<double> exact_;
  std::optional<double> modulus_;  // with exact_: what is left of a division by it
  bool has_range_ = false;
  std::optional<double> start_;
  std::optional<double> end_;
};

// What a mesh rule asks of one argument: Dubbo's DubboMethodArg. Requests are compared by what
// their arguments read like (ArgumentTexts), so the number 5 is also the text "5".
class ArgumentMatch {
 public:
  static ArgumentMatch read(const YamlFields& fields);
  // Of an argument that is not there, or cannot be read: false. (Dubbo fails the call.)
  bool matches(const RequestView& request) const;

 private:
  std::size_t index_ = 0;
  std::optional<TextMatchList> text_;
  std::optional<std::vector<NumberMatch>> numbers_;
  std::optional<bool> boolean_;
};

// What one entry of `match` asks: Dubbo's DubboMatchRequest; all of it must hold.
class MeshMatch {
 public:
  // Adds errors where it asks for what the agent does not know, or what Dubbo reads without ever
  // asking for it, so that more would match than the rule says: argc, argp, headers.
  static MeshMatch read(const YamlFields& fields);

  // `sourceLabels`: parameters of the consumer.
  bool is_from(const RuleScope& scope) const;
  bool is_method(std::string_view method) const { return !method_ || method_->matches(method); }
  bool reads_more_than_method() const { return !arguments_.empty() || !attachments_.empty(); }
  // What all requests that it matches meet, where such a thing is known. Of the match.
  std::optional<AttachmentDemand> demand() const;
  // Of requests for a method that is_method() holds for.
  bool matches(const RequestView& request) const;

 private:
  void read_method(const YamlFields& fields);
  void read_attachments(const YamlFields& fields);

  std::optional<TextMatch> method_;
  std::vector<ArgumentMatch> arguments_;
  std::map<std::string, std::string> source_labels_;
  std::vector<std::pair<std::string, TextMatch>> attachments_;
  bool never_ = false;  // it asks for a tracing context, which takes a plug-in of Dubbo's to know
};

}  // namespace skiff::governance
