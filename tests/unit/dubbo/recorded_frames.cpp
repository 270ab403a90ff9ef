#include "dubbo/recorded_frames.h"

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace skiff::dubbo::testing {
namespace {

std::string frames_folder() { return std::string(SKIFF_TEST_DATA) + "/frames/"; }

std::vector<std::byte> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const Bytes bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

RecordedRequest request_of(const nlohmann::json& entry) {
  RecordedRequest request;
  request.protocol_version = entry.at("dubbo");
  request.path = entry.at("path");
  request.version = entry.at("version");
  request.method = entry.at("method");
  request.parameter_types = entry.at("desc");
  request.arguments = entry.at("arguments");
  if (entry.contains("attachments")) request.attachments = entry.at("attachments");
  return request;
}

std::vector<RecordedFrame> load() {
  std::ifstream file(frames_folder() + "frames.json");
  std::vector<RecordedFrame> frames;
  for (const auto& entry : nlohmann::json::parse(file)) {
    RecordedFrame frame;
    const std::string name = entry.at("file");
    frame.name = name.substr(0, name.rfind('.'));
    frame.bytes = read_file(frames_folder() + name);
    frame.flags = entry.at("flags");
    frame.status = entry.at("status");
    frame.id = static_cast<std::uint64_t>(std::stoll(entry.at("id").get<std::string>()));
    frame.body_size = entry.at("body_size");
    if (entry.contains("path")) frame.request = request_of(entry);
    frames.push_back(std::move(frame));
  }
  return frames;
}

}  // namespace

const std::vector<RecordedFrame>& recorded_frames() {
  static const std::vector<RecordedFrame> frames = load();
  return frames;
}

const RecordedFrame& recorded_frame(std::string_view name) {
  for (const RecordedFrame& frame : recorded_frames()) {
    if (frame.name == name) return frame;
  }
  throw std::runtime_error("no recorded frame " + std::string(name));
}

std::vector<std::byte> bytes_of(std::string_view hex) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < hex.size();) {
    if (hex[i] == ' ') {
      ++i;
    } else if (hex[i] == '\'') {
      for (++i; hex.at(i) != '\''; ++i) bytes.push_back(static_cast<std::byte>(hex[i]));
      ++i;
    } else {
      bytes.push_back(
          static_cast<std::byte>(std::stoul(std::string(hex.substr(i, 2)), nullptr, 16)));
      i += 2;
    }
  }
  return bytes;
}

}  // namespace skiff::dubbo::testing
