#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "dubbo/bytes.h"
#include "dubbo/frame.h"
#include "dubbo/result.h"
#include "registry/application/metadata_caller.h"
#include "registry/application/metadata_info.h"

namespace skiff::registry {

// The frame of getMetadataInfo(revision) to org.apache.dubbo.metadata.MetadataService, whose group
// is the application (Dubbo: StandardMetadataServiceURLBuilder), in hessian2.
std::vector<std::byte> metadata_request(const MetadataCall& call, std::uint64_t request_id);

// Reads the answer: a MetadataInfo as an object with the fields app, revision and services, a map
// of ServiceInfo objects (name, group, version, protocol, port, path, params). Fails with
// kUnavailable where it is an error or null, and as parse_metadata_json() does.
Result<MetadataInfo> parse_metadata_answer(const dubbo::FrameHeader& header, dubbo::Bytes body,
                                           std::string_view revision);

}  // namespace skiff::registry
