// A new filter is a file beside this one, and a line here.
#define SKIFF_FILTER_KINDS(X)                    \
  X("fault", read_fault)                         \
  X("rate_limit", read_rate_limit)               \
  X("concurrency_limit", read_concurrency_limit) \
  X("attachments", read_attachments)             \
  X("deadline", read_deadline)                   \
  X("identity", read_identity)                   \
  X("mirror", read_mirror)                       \
  X("access_log", read_access_log)

#include "governance/filters/filter_kinds.h"

#include <array>

namespace skiff::governance {

#define SKIFF_DECLARE(name, read) ReadFilter read;
SKIFF_FILTER_KINDS(SKIFF_DECLARE)
#undef SKIFF_DECLARE

std::span<const FilterKind> filter_kinds() {
#define SKIFF_ENTRY(name, read) FilterKind{name, read},
  static constexpr std::array kKinds = {SKIFF_FILTER_KINDS(SKIFF_ENTRY)};
#undef SKIFF_ENTRY
  return kKinds;
}

}  // namespace skiff::governance
