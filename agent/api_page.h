#pragma once

#include <span>
#include <string_view>

#include "agent/api_views.h"

// The status page for people: files of agent/status_page/, which read the other GET routes.
namespace skiff::agent {

struct PageFile {
  std::string_view name;  // "style.css"
  std::string_view etag;  // with its quotes
  std::string_view text;  // as it was when the program was built
};
std::span<const PageFile> page_files();

ApiResponse get_page(const ApiCall& call);
ApiResponse get_page_file(const ApiCall& call);

}  // namespace skiff::agent
