#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/frame.h"
#include "dubbo/text_writers.h"

namespace skiff::registry {

inline std::string hessian_text(std::string_view text) {
  std::string out;
  dubbo::append_hessian2_string(text, out);
  return out;
}

// A MetadataInfo as Java's hessian writes it: the class's definition, its fields, a HashMap of
// ServiceInfo objects; "`" (0x60) begins an object of the first class, "a" one of the second. Each
// interface is exported at `port` with one parameter, methods.
inline std::string hessian_metadata(const std::string& revision,
                                    const std::vector<std::string>& interfaces,
                                    std::uint16_t port) {
  const std::string info = "org.apache.dubbo.metadata.MetadataInfo";
  std::string out = "C" + hessian_text(info) + "\x93" + hessian_text("app") +
                    hessian_text("revision") + hessian_text("services") + "`" +
                    hessian_text("shop") + hessian_text(revision) + "H";
  bool is_defined = false;
  for (const std::string& interface : interfaces) {
    out += hessian_text(interface + ":dubbo");
    if (!is_defined) {
      is_defined = true;
      out += "C" + hessian_text(info + "$ServiceInfo") + "\x97";
      for (const char* field : {"name", "group", "version", "protocol", "port", "path", "params"}) {
        out += hessian_text(field);
      }
    }
    out += "a" + hessian_text(interface) + "N" + "N" + hessian_text("dubbo") + "I";
    out += {'\0', '\0', static_cast<char>(port >> 8U), static_cast<char>(port & 0xffU)};
    out += hessian_text(interface) + "H" + hessian_text("methods") + hessian_text("sayHello") + "Z";
  }
  return out + "Z";
}

// A whole answer with `body`.
inline std::string answer_frame(std::uint64_t id, const std::string& body,
                                dubbo::Status status = dubbo::Status::kOk) {
  std::string frame(dubbo::FrameHeader::kSize, '\0');
  dubbo::FrameHeader header;
  header.request_id = id;
  header.body_size = static_cast<std::uint32_t>(body.size());
  header.status = status;
  dubbo::write_frame_header(header, reinterpret_cast<std::byte*>(frame.data()));
  return frame + body;
}

}  // namespace skiff::registry
