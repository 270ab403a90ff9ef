#include "agent/descriptor_limit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "agent/process_figures.h"

namespace skiff::agent {
namespace {

// Of the kernel's table of this process.
std::uint64_t table_size() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "FDSize:") continue;
    std::uint64_t size = 0;
    status >> size;
    return size;
  }
  return 0;
}

TEST(DescriptorLimit, IsRaisedAsFarAsItGoes) {
  const std::uint64_t limit = raise_descriptor_limit();
  EXPECT_EQ(process_figures().max_fds, limit);
  EXPECT_EQ(raise_descriptor_limit(), limit);
}

TEST(DescriptorLimit, ReservesTheTableAndNoDescriptor) {
  constexpr std::uint64_t kWanted = 5'000;
  const std::uint64_t open_before = process_figures().open_fds;
  ASSERT_LT(table_size(), kWanted);
  reserve_descriptors(kWanted);
  EXPECT_GE(table_size(), std::min(kWanted, process_figures().max_fds));
  EXPECT_EQ(process_figures().open_fds, open_before);
}

}  // namespace
}  // namespace skiff::agent
