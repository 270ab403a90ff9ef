#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "dubbo/attachment_splice.h"
#include "dubbo/bytes.h"
#include "dubbo/entry_cutter.h"
#include "dubbo/hessian2_reader.h"
#include "dubbo/request.h"
#include "dubbo/result.h"
#include "dubbo/text.h"

// What RequestReader does, for each serialization: internal to dubbo/. The contracts are those of
// the functions of RequestReader; texts that must be converted go to `arena`.
namespace skiff::dubbo {

// What the encoding of new attachments stands for: the whole map, or what comes before its end.
enum class InsertedAs { kMap, kFirstEntries, kMoreEntries };

// The attachments whose value is read where it is a whole number, too: clients name their timeout
// so, Dubbo for Java from 3.0.6 to 3.1.6 among them, and before and after in `_TO`.
inline bool may_be_number(std::string_view key) { return key == "timeout" || key == "_TO"; }

// How many types a descriptor names ("Ljava/lang/String;I[J": 3); nullopt where it is none.
std::optional<std::uint32_t> count_parameter_types(std::string_view descriptor);

// hessian2_request.cpp
Result<RequestHead> read_hessian2_head(Bytes body, Hessian2Reader& reader, TextArena& arena);
// Where the attachments begin. False where the arguments cannot be skipped (reader.problem()).
bool skip_hessian2_arguments(Bytes body, const RequestHead& head, Hessian2Reader& reader,
                             std::size_t& attachments_begin);
// Where skip_hessian2_arguments() left `reader`; fills in the rest of `place`.
bool read_hessian2_attachments(Hessian2Reader& reader, TextArena& arena, Attachments& out,
                               AttachmentsPlace& place);
std::optional<std::string_view> hessian2_argument(Bytes body, const RequestHead& head,
                                                  const ArgumentWish& wish, Hessian2Reader& reader,
                                                  TextArena& arena);
// Shows all entries of the map at `place` to `cutter`.
Result<void> cut_hessian2_entries(Bytes body, const RequestHead& head,
                                  const AttachmentsPlace& place, Hessian2Reader& reader,
                                  TextArena& arena, EntryCutter& cutter);
void append_hessian2_attachments(NewAttachments added, InsertedAs as, std::string& out);

// fastjson2_request.cpp: each value is a 4-byte size and as many bytes of JSONB.
Result<RequestHead> read_fastjson2_head(Bytes body, TextArena& arena);
Result<AttachmentsPlace> read_fastjson2_attachments(Bytes body, const RequestHead& head,
                                                    TextArena& arena, Attachments& out);
std::optional<std::string_view> fastjson2_argument(Bytes body, const RequestHead& head,
                                                   const ArgumentWish& wish, TextArena& arena);
Result<void> cut_fastjson2_entries(Bytes body, const AttachmentsPlace& place, TextArena& arena,
                                   EntryCutter& cutter);
void append_fastjson2_attachments(NewAttachments added, InsertedAs as, std::string& out);

// fastjson_request.cpp: each value is a line of JSON.
Result<RequestHead> read_fastjson_head(Bytes body, TextArena& arena);
Result<AttachmentsPlace> read_fastjson_attachments(Bytes body, const RequestHead& head,
                                                   TextArena& arena, Attachments& out);
std::optional<std::string_view> fastjson_argument(Bytes body, const RequestHead& head,
                                                  const ArgumentWish& wish, TextArena& arena);
Result<void> cut_fastjson_entries(Bytes body, const AttachmentsPlace& place, TextArena& arena,
                                  EntryCutter& cutter);
void append_fastjson_attachments(NewAttachments added, InsertedAs as, std::string& out);

// java_request.cpp: Java's object stream. Strings of `kJava` and `kCompactedJava` have a 4-byte
// length before Java's own form, those of `kNativeJava` have not.
Result<RequestHead> read_java_head(Serialization serialization, Bytes body, TextArena& arena);
std::optional<std::string_view> java_first_argument(Serialization serialization, Bytes body,
                                                    TextArena& arena);

}  // namespace skiff::dubbo
