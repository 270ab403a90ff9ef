#include "registry/zookeeper/session_ticket.h"

#include <gtest/gtest.h>

namespace skiff::registry {
namespace {

TEST(SessionTicket, IsReadAsItIsWritten) {
  SessionTicket ticket;
  EXPECT_EQ(ticket.to_string(), "");
  for (const std::int64_t id :
       {std::int64_t{1}, std::int64_t{-1}, std::int64_t{0x100010103300001}}) {
    ticket.id = id;
    ticket.password = {'\x00', '\x7f', '\x80', '\xff'};
    EXPECT_EQ(SessionTicket::parse(ticket.to_string()), ticket);
  }
}

TEST(SessionTicket, RefusesOtherTexts) {
  SessionTicket ticket;
  ticket.id = 1;
  const std::string text = ticket.to_string();
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_FALSE(SessionTicket::parse(text.substr(0, length))) << length;
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char wrong : {'-', 'x', ' ', '\0'}) {
      std::string changed = text;
      changed[at] = wrong;
      EXPECT_FALSE(SessionTicket::parse(changed)) << at;
    }
  }
  EXPECT_FALSE(SessionTicket::parse(std::string(16, '0') + ":" + std::string(32, '0')));
}

}  // namespace
}  // namespace skiff::registry
