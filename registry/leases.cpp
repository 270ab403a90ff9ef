#include "registry/leases.h"

namespace skiff::registry {

void Leases::renew(const PublicationId& id, std::optional<std::chrono::milliseconds> lease) {
  if (!lease) return end(id);
  Lease& known = leases_[id];
  // The quarter that is under way does not count: a lease lasts no shorter than it says.
  known.quarters_left = kQuarters + 1;
  if (known.length == *lease) return;
  known.length = *lease;
  known.number = ++last_number_;
  known.quarters_left = kQuarters;
  await_quarter(id, known);
}

void Leases::await_quarter(const PublicationId& id, const Lease& lease) {
  executor_.post_after(lease.length / kQuarters,
                       alive_.guard([this, id, number = lease.number] { on_quarter(id, number); }));
}

void Leases::on_quarter(const PublicationId& id, std::uint64_t number) {
  const auto found = leases_.find(id);
  if (found == leases_.end() || found->second.number != number) return;
  if (--found->second.quarters_left > 0) return await_quarter(id, found->second);
  leases_.erase(found);
  on_end_(PublicationId(id));
}

}  // namespace skiff::registry
