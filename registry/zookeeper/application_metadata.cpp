#include "registry/zookeeper/application_metadata.h"

#include <zookeeper/zookeeper.h>

#include "dubbo/url.h"
#include "registry/limits.h"
#include "registry/zookeeper/zookeeper_error.h"

namespace skiff::registry {
namespace {

ApplicationFault fault_of(const Error& error) {
  const bool is_of_the_answer =
      error.code == ErrorCode::kMalformed || error.code == ErrorCode::kInvalidArgument;
  if (is_of_the_answer) return ApplicationFault::kMetadata;
  return error.code == ErrorCode::kTooLarge ? ApplicationFault::kLimit
                                            : ApplicationFault::kUnanswered;
}

}  // namespace

ApplicationMetadata::ApplicationMetadata(ApplicationPaths paths, Session& session,
                                         Executor& executor, MetadataCaller& caller,
                                         ApplicationFaults& faults, PickInstance pick,
                                         OnChanged on_changed)
    : paths_(std::move(paths)),
      session_(session),
      executor_(executor),
      caller_(caller),
      faults_(faults),
      pick_(std::move(pick)),
      on_changed_(std::move(on_changed)) {}

void ApplicationMetadata::use(const Id& id) {
  auto [found, is_new] = entries_.try_emplace(
      id, Entry{.info = {}, .backoff = {kFirstMetadataPause, kLongestMetadataPause}});
  ++found->second.users;
  if (!is_new) return;
  attempt_after(std::chrono::milliseconds(0), id);
  executor_.post_after(kMetadataWait, alive_.guard([this, id] {
    const auto entry = entries_.find(id);
    if (entry != entries_.end()) settle(id, entry->second);
  }));
}

void ApplicationMetadata::release(const Id& id) {
  const auto found = entries_.find(id);
  if (found == entries_.end() || --found->second.users != 0) return;
  if (found->second.info) bytes_kept_ -= found->second.info->bytes();
  entries_.erase(found);
}

ApplicationMetadata::Info ApplicationMetadata::find(const Id& id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : found->second.info;
}

bool ApplicationMetadata::is_settled(const Id& id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() || found->second.is_settled;
}

void ApplicationMetadata::on_session_up(SessionStart start) {
  for (auto& [id, entry] : entries_) {
    if (start != SessionStart::kResumed && entry.is_busy && entry.is_remote) {
      entry.is_busy = false;
    }
    if (!entry.info && !entry.is_busy) attempt_after(std::chrono::milliseconds(0), id);
  }
}

void ApplicationMetadata::attempt_after(std::chrono::milliseconds pause, const Id& id) {
  executor_.post_after(pause, alive_.guard([this, id] { attempt(id); }));
}

void ApplicationMetadata::attempt(const Id& id) {
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.info || found->second.is_busy) return;
  Entry& entry = found->second;
  const auto instance = pick_(id);
  if (!instance) {
    on_failed(id, entry, {ErrorCode::kNotFound, "no instance has it any more"});
  } else if (instance->storage == ServiceInstance::Storage::kLocal) {
    call_instance(id, entry, *instance);
  } else if (session_.is_connected()) {  // else on_session_up() comes back to it
    read_remote(id, entry);
  }
}

void ApplicationMetadata::read_remote(const Id& id, Entry& entry) {
  const std::string path = paths_.metadata(id.application, id.revision);
  entry.is_busy = entry.is_remote = true;
  session_.read(path, false,
                [this, id, path, attempt = ++entry.attempt](const OperationResult& result) {
                  if (result.rc != ZOK) {
                    on_result(id, attempt, tl::unexpected<Error>(zookeeper_error(path, result.rc)));
                  } else {
                    on_result(id, attempt, parse_metadata_json(result.data, id.revision));
                  }
                });
}

void ApplicationMetadata::call_instance(const Id& id, Entry& entry,
                                        const ServiceInstance& instance) {
  if (instance.metadata_port == 0) {
    on_failed(id, entry,
              {ErrorCode::kUnsupported,
               "the MetadataService of " + instance.host + " is not exported by protocol dubbo"});
    return;
  }
  entry.is_busy = true;
  entry.is_remote = false;
  caller_.call({.address = dubbo::format_host_port(instance.host, instance.metadata_port),
                .application = id.application,
                .version = instance.metadata_version,
                .revision = id.revision},
               alive_.guard([this, id, attempt = ++entry.attempt](Result<MetadataInfo> result) {
                 on_result(id, attempt, std::move(result));
               }));
}

void ApplicationMetadata::on_result(const Id& id, std::uint64_t attempt,
                                    Result<MetadataInfo> result) {
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.attempt != attempt) return;
  Entry& entry = found->second;
  entry.is_busy = false;
  if (result) {
    keep(id, entry, std::move(*result));
  } else {
    on_failed(id, entry, result.error());
  }
}

void ApplicationMetadata::keep(const Id& id, Entry& entry, MetadataInfo info) {
  if (bytes_kept_ + info.bytes() > kMaxMetadataBytesKept) {
    on_failed(id, entry,
              {ErrorCode::kTooLarge, "all metadata together would be over " +
                                         std::to_string(kMaxMetadataBytesKept) + " bytes"});
    return;
  }
  bytes_kept_ += info.bytes();
  entry.info = std::make_shared<const MetadataInfo>(std::move(info));
  entry.is_settled = true;
  on_changed_(id);
}

void ApplicationMetadata::on_failed(const Id& id, Entry& entry, const Error& error) {
  const std::chrono::milliseconds pause = entry.backoff.next();
  faults_.report(fault_of(error), "the services of application " + id.application + ", revision " +
                                      id.revision + ", cannot be had: " + error.message +
                                      "; trying again in " + std::to_string(pause.count()) + " ms");
  attempt_after(pause, id);
  settle(id, entry);
}

void ApplicationMetadata::settle(const Id& id, Entry& entry) {
  if (!std::exchange(entry.is_settled, true)) on_changed_(id);
}

}  // namespace skiff::registry
