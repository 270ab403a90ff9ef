#include "agent/settings_reference.h"

#include <cctype>

#include "agent/settings.h"

namespace skiff::agent {
namespace {

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string default_of(const Setting& setting) {
  return setting.default_value.empty() ? std::string(setting.default_note)
                                       : code(setting.default_value);
}

std::string meaning_of(const Setting& setting) {
  std::string meaning(setting.help);
  if (!setting.details.empty()) meaning += ". " + std::string(setting.details);
  if (setting.is_list) meaning += ". May be given more than once";
  return meaning;
}

// For man(7): what stands in backticks in italics, and dashes that are dashes.
std::string roff(std::string_view text) {
  std::string result;
  bool is_code = false;
  for (const char c : text) {
    if (c == '`') {
      is_code = !is_code;
      result += is_code ? "\\fI" : "\\fR";
    } else if (c == '-') {
      result += "\\-";
    } else {
      result += c;
    }
  }
  return result;
}

std::string sentence(std::string text) {
  if (!text.empty()) {
    text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  }
  return text + ".\n";
}

}  // namespace

std::string settings_markdown() {
  std::string table =
      "| key | flag | environment | default | range | meaning |\n|---|---|---|---|---|---|\n";
  for (const Setting& setting : settings()) {
    table += "| " + code(setting.key) + " | " + code(setting.flag()) + " | " +
             code(setting.variable()) + " | " + default_of(setting) + " | " + setting.allowed +
             " | " + meaning_of(setting) + " |\n";
  }
  return table;
}

std::string settings_manual() {
  std::string text;
  for (const Setting& setting : settings()) {
    text += ".TP\n.BI " + roff(setting.flag()) + "\\~ " + std::string(setting.placeholder) + "\n" +
            roff(sentence(std::string(setting.help)));
    if (!setting.allowed.empty()) text += roff(sentence(setting.allowed));
    text += roff(sentence("By default " + default_of(setting)));
    if (setting.is_list) text += "May be repeated.\n";
  }
  return text;
}

}  // namespace skiff::agent
