#include "store/server/peer_counts.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "net/address.h"

namespace rollcall {
namespace {

net::SocketAddress Peer(absl::string_view host, uint16_t port) {
  return net::SocketAddress::FromNumeric(host, port).value();
}

TEST(PeerCountsTest, EachAddressHasItsOwnCountWhateverThePort) {
  PeerCounts counts(2);
  const std::optional<PeerCounts::Ticket> first = counts.Admit(Peer("10.0.0.1", 1));
  std::optional<PeerCounts::Ticket> second = counts.Admit(Peer("::ffff:10.0.0.1", 2));
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_FALSE(counts.Admit(Peer("10.0.0.1", 3)).has_value());
  EXPECT_TRUE(counts.Admit(Peer("10.0.0.2", 3)).has_value());
  second.reset();
  EXPECT_TRUE(counts.Admit(Peer("10.0.0.1", 3)).has_value());
}

TEST(PeerCountsTest, ATicketThatIsPassedOnCountsOnce) {
  PeerCounts counts(1);
  PeerCounts::Ticket ticket = *counts.Admit(Peer("::1", 1));
  PeerCounts::Ticket other = std::move(ticket);
  EXPECT_FALSE(counts.Admit(Peer("::1", 2)).has_value());
  other = PeerCounts::Ticket();
  EXPECT_TRUE(counts.Admit(Peer("::1", 2)).has_value());
}

TEST(PeerCountsTest, WithoutALimitNothingIsCounted) {
  PeerCounts counts(0);
  const std::optional<PeerCounts::Ticket> ticket = counts.Admit(Peer("::1", 1));
  ASSERT_TRUE(ticket.has_value());
  EXPECT_TRUE(ticket->is_empty());
  EXPECT_EQ(counts.remembered(), 0u);
}

TEST(PeerCountsTest, WhoHasGoneIsForgottenInTime) {
  PeerCounts counts(1);
  std::vector<PeerCounts::Ticket> staying;
  for (int i = 0; i < 100; ++i)
    staying.push_back(*counts.Admit(Peer(absl::StrCat("fd00::", i), 1)));
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(counts.Admit(Peer(absl::StrCat("fd01::", i), 1)).has_value());
  }
  EXPECT_LE(counts.remembered(), 2 * staying.size() + 1);
  EXPECT_FALSE(counts.Admit(Peer("fd00::7", 2)).has_value());
}

}  // namespace
}  // namespace rollcall
