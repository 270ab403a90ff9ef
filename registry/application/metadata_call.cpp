#include "registry/application/metadata_call.h"

#include <string>
#include <utility>

#include "dubbo/hessian2_value.h"
#include "dubbo/response.h"
#include "dubbo/text_writers.h"
#include "registry/limits.h"

namespace skiff::registry {
namespace {

using dubbo::Hessian2References;
using dubbo::Hessian2Value;
using Type = dubbo::Hessian2Value::Type;

constexpr std::string_view kInterface = "org.apache.dubbo.metadata.MetadataService";

// Types of an answer (Dubbo: DubboCodec); those from 3 on have attachments behind the value.
enum AnswerType { kException, kValue, kNull, kExceptionAnd, kValueAnd, kNullAnd };

Error unavailable(std::string_view what, std::string_view text) {
  constexpr std::size_t kMaxShown = 200;
  return {ErrorCode::kUnavailable, std::string(what) + std::string(text.substr(0, kMaxShown))};
}

std::string text_of(const Hessian2Value* value) {
  return value != nullptr && value->type == Type::kText ? value->text : std::string();
}

std::uint16_t port_of(const Hessian2Value* value) {
  const bool is_port = value != nullptr && value->type == Type::kNumber && value->number > 0 &&
                       value->number <= UINT16_MAX;
  return is_port ? static_cast<std::uint16_t>(value->number) : std::uint16_t{0};
}

ServiceInfo read_service(const Hessian2Value& service, const Hessian2References& references) {
  ServiceInfo info{.interface = text_of(service.find("name")),
                   .group = text_of(service.find("group")),
                   .version = text_of(service.find("version")),
                   .protocol = text_of(service.find("protocol")),
                   .port = port_of(service.find("port")),
                   .path = text_of(service.find("path")),
                   .parameters = {}};
  const Hessian2Value* parameters = references.resolve(service.find("params"));
  if (parameters == nullptr || parameters->type != Type::kMap) return info;
  for (std::size_t i = 0; i + 1 < parameters->children.size(); i += 2) {
    std::string key = text_of(&parameters->children[i]);
    std::string value = text_of(&parameters->children[i + 1]);
    if (!key.empty() && !value.empty()) info.parameters.emplace(std::move(key), std::move(value));
  }
  return info;
}

Result<MetadataInfo> read_metadata(const Hessian2Value& metadata, std::string_view revision) {
  const Hessian2References references(metadata);
  const std::string came = text_of(metadata.find("revision"));
  if (!came.empty() && came != revision) return wrong_revision(came, revision);
  const Hessian2Value* all = references.resolve(metadata.find("services"));
  if (all == nullptr || all->type != Type::kMap) {
    return fail(ErrorCode::kMalformed, "the answer has no services");
  }
  const std::size_t count = all->children.size() / 2;
  if (count > kMaxServicesOfApplication) return too_many_services(count);
  std::vector<ServiceInfo> services;
  services.reserve(count);
  std::size_t bytes = 0;
  for (std::size_t i = 1; i < all->children.size(); i += 2) {
    const Hessian2Value* service = references.resolve(&all->children[i]);
    if (service == nullptr || service->type != Type::kObject) continue;
    services.push_back(read_service(*service, references));
    // References let a small answer name one large map many times.
    for (const auto& [key, value] : services.back().parameters) bytes += key.size() + value.size();
    if (bytes > kMaxMetadataBytes) {
      return fail(ErrorCode::kTooLarge, "the services' parameters are over " +
                                            std::to_string(kMaxMetadataBytes) + " bytes");
    }
  }
  return MetadataInfo(std::move(services));
}

}  // namespace

std::vector<std::byte> metadata_request(const MetadataCall& call, std::uint64_t request_id) {
  std::string body;
  const auto append = [&body](std::string_view text) { dubbo::append_hessian2_string(text, body); };
  append("2.0.2");
  append(kInterface);
  append(call.version);
  append("getMetadataInfo");
  append("Ljava/lang/String;");
  append(call.revision);
  body += 'H';
  for (const auto& [key, value] :
       {std::pair<std::string_view, std::string_view>{"path", kInterface},
        {"interface", kInterface},
        {"version", call.version},
        {"group", call.application}}) {
    append(key);
    append(value);
  }
  body += 'Z';

  std::vector<std::byte> frame;
  dubbo::append_frame({.request_id = request_id, .is_request = true, .is_two_way = true},
                      dubbo::as_bytes(body), frame);
  return frame;
}

Result<MetadataInfo> parse_metadata_answer(const dubbo::FrameHeader& header, dubbo::Bytes body,
                                           std::string_view revision) {
  if (header.serialization != dubbo::Serialization::kHessian2) {
    return tl::unexpected<Error>(unavailable("it answered in another serialization", ""));
  }
  dubbo::Hessian2ValueReader reader(body);
  const auto first = reader.read();
  if (!first) return tl::unexpected<Error>(first.error());
  if (header.status != dubbo::Status::kOk) {
    return tl::unexpected<Error>(unavailable("it answered: ", text_of(&*first)));
  }
  if (first->type != Type::kNumber) {
    return fail(ErrorCode::kMalformed, "the answer has no type");
  }
  if (first->number == kNull || first->number == kNullAnd) {
    return tl::unexpected<Error>(unavailable("it does not know this revision", ""));
  }
  const auto value = reader.read();
  if (!value) return tl::unexpected<Error>(value.error());
  if (first->number == kException || first->number == kExceptionAnd) {
    return tl::unexpected<Error>(
        unavailable("it answered: " + value->text + ": ", text_of(value->find("detailMessage"))));
  }
  const bool is_value = first->number == kValue || first->number == kValueAnd;
  if (!is_value || value->type != Type::kObject) {
    return fail(ErrorCode::kMalformed, "the answer is no MetadataInfo");
  }
  return read_metadata(*value, revision);
}

}  // namespace skiff::registry
