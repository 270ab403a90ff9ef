#pragma once

#include <chrono>

namespace skiff::registry {

// How far the lists of registries are believed, and how often they are looked after. Set by the
// operator.
struct ListProtection {
  // A list that becomes empty: how long the last one that was not stays in use. 0: not at all.
  std::chrono::milliseconds empty_list_time{600'000};
  // When more than so many percent of a service's providers vanish at once, they are held until a
  // probe says that they are dead. 100: never.
  unsigned vanish_percent = 50;
  // How long a provider that vanished is held at most. 0: not at all.
  std::chrono::milliseconds hold_time{600'000};
  // In so long every list is read again, and every node of ours looked for, once. 0: never.
  std::chrono::milliseconds check_interval{300'000};
};

}  // namespace skiff::registry
