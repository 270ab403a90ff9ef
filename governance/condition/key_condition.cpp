#include "governance/condition/key_condition.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "governance/shown_rule.h"

namespace skiff::governance {
namespace {

using Source = KeyCondition::Source;

constexpr std::string_view kSpaces = " \t\n\v\f\r";
constexpr std::string_view kSeparators = "&!=,";

bool is_one_of(std::string_view characters, char c) {
  return characters.find(c) != std::string_view::npos;
}

// What stands between '[' and ']' of "attachments[name].more".
std::string_view in_brackets(std::string_view key) {
  const auto open = key.find('[');
  const auto close = key.find(']', open == std::string_view::npos ? 0 : open);
  if (open == std::string_view::npos || close == std::string_view::npos) return {};
  return key.substr(open + 1, close - open - 1);
}

std::optional<std::size_t> index_in(std::string_view text) {
  std::size_t index = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), index);
  const bool is_index = problem == std::errc() && end == text.data() + text.size();
  return is_index ? std::optional(index) : std::nullopt;
}

std::string_view without_side(std::string_view key) {
  for (const std::string_view prefix : {"consumer.", "provider."}) {
    if (key.starts_with(prefix) && key.size() > prefix.size()) key.remove_prefix(prefix.size());
  }
  return key;
}

KeyCondition condition_on(std::string_view key, ConditionSide side) {
  KeyCondition condition;
  condition.key = key;
  if (key.starts_with("attachments")) {
    condition.attachment = in_brackets(key);
    condition.source = condition.attachment.empty() ? Source::kNothing : Source::kAttachment;
  } else if (key.starts_with("arguments")) {
    const auto index = index_in(in_brackets(key));
    condition.argument = index.value_or(0);
    condition.source = index ? Source::kArgument : Source::kNothing;
  } else if (side == ConditionSide::kWhen && (key == "method" || key == "methods")) {
    condition.source = Source::kMethod;
  }
  const bool of_request =
      condition.source == Source::kAttachment || condition.source == Source::kArgument;
  if (of_request && side == ConditionSide::kThen) condition.source = Source::kNothing;
  return condition;
}

// "host = 10.*, 11.*" in steps of a separator and what follows it, as Dubbo's ConditionStateRouter
// takes it apart: separators that nothing follows are skipped.
class Steps {
 public:
  explicit Steps(std::string_view text) : text_(text) {}

  struct Step {
    std::string_view separator;  // "" where a key stands without one
    std::string_view content;
    std::size_t position;  // of the separator
  };
  // nullopt at the end.
  std::optional<Step> next() {
    while (true) {
      skip(kSpaces);
      Step step{.separator = {}, .content = {}, .position = position_};
      step.separator = skip(kSeparators);
      skip(kSpaces);
      if (position_ == text_.size()) return std::nullopt;
      if (is_one_of(kSeparators, text_[position_])) continue;
      const auto end = text_.find_first_of(kSpaceOrSeparator, position_);
      step.content = text_.substr(position_, end - position_);
      position_ = std::min(end, text_.size());
      return step;
    }
  }

 private:
  static constexpr std::string_view kSpaceOrSeparator = " \t\n\v\f\r&!=,";

  std::string_view skip(std::string_view characters) {
    const std::size_t begin = position_;
    position_ = std::min(text_.find_first_not_of(characters, begin), text_.size());
    return text_.substr(begin, position_ - begin);
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

class Parser {
 public:
  Parser(std::string_view text, ConditionSide side) : text_(text), side_(side) {}

  Result<KeyConditions> parse() {
    Steps steps(text_);
    while (const auto step = steps.next()) {
      if (!take(*step)) {
        return fail(ErrorCode::kMalformed, "condition \"" + shown_rule(text_) + "\": '" +
                                               shown_rule(step->separator) + "' at index " +
                                               std::to_string(step->position) + " before \"" +
                                               shown_rule(step->content) + "\" is out of place, " +
                                               std::string(expected(*step)));
      }
    }
    return std::move(conditions_);
  }

 private:
  enum class List { kNone, kWanted, kUnwanted };

  static std::string_view expected(const Steps::Step& step) {
    if (step.separator == ",") return "expected a value before it";
    if (step.separator == "=" || step.separator == "!=") return "expected a key before it";
    return "expected one of '=' '!=' ',' '&'";
  }

  bool take(const Steps::Step& step) {
    if (step.separator.empty() || step.separator == "&") {
      start_key(without_side(step.content), step.separator.empty());
      return true;
    }
    if (conditions_.empty()) return false;
    if (step.separator == "=" || step.separator == "!=") {
      values_of_ = current_;
      list_ = step.separator == "=" ? List::kWanted : List::kUnwanted;
    } else if (step.separator != "," || list_ == List::kNone) {
      return false;
    }
    KeyCondition& condition = conditions_[values_of_];
    (list_ == List::kWanted ? condition.wanted : condition.unwanted).push_back(value(step.content));
    return true;
  }

  // A key that stands without "&" starts anew; behind one it says more of the same key.
  void start_key(std::string_view key, bool anew) {
    const auto known = std::ranges::find(conditions_, key, &KeyCondition::key);
    current_ = static_cast<std::size_t>(known - conditions_.begin());
    if (known == conditions_.end()) {
      conditions_.push_back(condition_on(key, side_));
    } else if (anew) {
      *known = condition_on(key, side_);
    }
  }

  ValuePattern value(std::string_view content) const {
    if (side_ == ConditionSide::kWhen || !content.starts_with('$')) return ValuePattern(content);
    return ValuePattern("$" + std::string(without_side(content.substr(1))));
  }

  std::string_view text_;
  ConditionSide side_;
  KeyConditions conditions_;
  std::size_t current_ = 0;    // the key that was read last
  std::size_t values_of_ = 0;  // the key that got a value last; a list goes on there
  List list_ = List::kNone;
};

}  // namespace

bool KeyCondition::holds(std::span<const std::string_view> values, ConditionSide side) const {
  const auto is_one_of_patterns = [&](const std::vector<ValuePattern>& patterns) {
    return std::ranges::any_of(patterns, [&](const ValuePattern& pattern) {
      return std::ranges::any_of(
          values, [&](std::string_view value) { return pattern.matches(value, side); });
    });
  };
  if (values.empty() || (wanted.empty() && unwanted.empty())) return false;
  return !is_one_of_patterns(unwanted) && (wanted.empty() || is_one_of_patterns(wanted));
}

std::optional<AttachmentDemand> KeyCondition::demand() const {
  if (source != Source::kAttachment || wanted.empty()) return std::nullopt;
  AttachmentDemand demand{.key = attachment, .texts = {}};
  for (const ValuePattern& pattern : wanted) {
    const auto text = pattern.only_text();
    if (!text) return std::nullopt;
    demand.texts.push_back(*text);
  }
  return demand;
}

bool KeyCondition::holds(const RequestView& request) const {
  // What cannot be found is a value that no text is equal to, as in Dubbo, except an attachment
  // that was not sent: of that nothing holds.
  std::optional<std::string_view> value = std::string_view();
  if (source == Source::kMethod) value = request.method;
  if (source == Source::kAttachment) value = request.attachment(attachment);
  if (source == Source::kArgument) value = request.argument(argument).value_or(std::string_view());
  if (!value) return false;
  return holds(std::span<const std::string_view>(&*value, 1), ConditionSide::kWhen);
}

Result<KeyConditions> parse_key_conditions(std::string_view text, ConditionSide side) {
  return Parser(text, side).parse();
}

std::size_t count_values(const KeyConditions& conditions) {
  std::size_t sum = 0;
  for (const KeyCondition& condition : conditions) {
    sum += condition.wanted.size() + condition.unwanted.size();
  }
  return sum;
}

}  // namespace skiff::governance
