// Prints the reference of all keys, for scripts/reference: settings_reference markdown|manual

#include <cstdio>
#include <string_view>

#include "agent/settings_reference.h"

int main(int argc, char** argv) {
  const std::string_view form = argc == 2 ? argv[1] : "";
  if (form != "markdown" && form != "manual") {
    std::fprintf(stderr, "usage: settings_reference markdown|manual\n");
    return 2;
  }
  const std::string text =
      form == "markdown" ? skiff::agent::settings_markdown() : skiff::agent::settings_manual();
  std::fputs(text.c_str(), stdout);
  return 0;
}
