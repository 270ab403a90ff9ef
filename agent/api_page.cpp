#include "agent/api_page.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "agent/text.h"

namespace skiff::agent {
namespace {

constexpr int kNotModified = 304;

std::string content_type_of(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, const char*>, 4> kTypes = {{
      {".html", "text/html; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".mjs", "text/javascript; charset=utf-8"},
      {".svg", "image/svg+xml"},
  }};
  for (const auto& [ending, type] : kTypes) {
    if (name.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

ApiResponse file_response(const PageFile& file, const std::string& if_none_match) {
  ApiResponse response;
  response.content_type = content_type_of(file.name);
  response.etag = file.etag;
  if (if_none_match == file.etag) {
    response.status = kNotModified;
  } else {
    response.body = file.text;
  }
  return response;
}

ApiResponse respond_with(std::string_view name, const ApiCall& call) {
  const auto files = page_files();
  const auto file = std::ranges::find(files, name, &PageFile::name);
  if (file == files.end()) {
    return error_response(404,
                          "path: came " + in_quotes(call.request.path) + ", no file of the page");
  }
  return file_response(*file, call.request.if_none_match);
}

}  // namespace

ApiResponse get_page(const ApiCall& call) { return respond_with("index.html", call); }

ApiResponse get_page_file(const ApiCall& call) { return respond_with(call.argument, call); }

}  // namespace skiff::agent
