#include "net/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/address.h"

namespace rollcall::net {
namespace {

using testing::HasSubstr;

SocketAddress Address(absl::string_view host) {
  return SocketAddress::FromNumeric(host, 4711).value();
}

bool Contains(absl::string_view network, absl::string_view host) {
  return Network::Parse(network).value().Contains(Address(host));
}

std::string Complaint(absl::string_view text) {
  return std::string(Network::Parse(text).status().message());
}

TEST(NetworkTest, ContainsTheAddressesWithItsFirstBits) {
  EXPECT_TRUE(Contains("10.0.0.0/8", "10.255.255.255"));
  EXPECT_FALSE(Contains("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(Contains("192.168.4.0/22", "192.168.7.255"));
  EXPECT_FALSE(Contains("192.168.4.0/22", "192.168.8.0"));
  EXPECT_FALSE(Contains("192.168.4.0/22", "192.168.3.255"));
  EXPECT_TRUE(Contains("fd00::/9", "fd7f::1"));
  EXPECT_FALSE(Contains("fd00::/9", "fd80::1"));
}

TEST(NetworkTest, AnAddressIsANetworkOfItsOwn) {
  EXPECT_TRUE(Contains("::1", "::1"));
  EXPECT_FALSE(Contains("::1", "::2"));
  EXPECT_TRUE(Contains("10.0.0.7", "10.0.0.7"));
  EXPECT_FALSE(Contains("10.0.0.7", "10.0.0.6"));
}

TEST(NetworkTest, Version4PeersOfADualStackSocketAreVersion4) {
  EXPECT_TRUE(Contains("10.0.0.0/8", "::ffff:10.1.2.3"));
  EXPECT_FALSE(Contains("10.0.0.0/8", "::ffff:11.1.2.3"));
  EXPECT_TRUE(Contains("::ffff:10.0.0.0/104", "10.1.2.3"));
}

TEST(NetworkTest, AllOfOneVersionIsNothingOfTheOther) {
  EXPECT_TRUE(Contains("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(Contains("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(Contains("::/0", "2001:db8::1"));
  EXPECT_FALSE(Contains("::/0", "203.0.113.9"));
  EXPECT_FALSE(Contains("::/0", "::ffff:203.0.113.9"));
}

TEST(NetworkTest, TheScopeOfAPeerDoesNotMatter) {
  sockaddr_in6 peer = {};
  peer.sin6_family = AF_INET6;
  inet_pton(AF_INET6, "fe80::1", &peer.sin6_addr);
  peer.sin6_scope_id = 7;
  const SocketAddress scoped(reinterpret_cast<const sockaddr*>(&peer), sizeof(peer));
  EXPECT_TRUE(Network::Parse("fe80::/10").value().Contains(scoped));
}

TEST(NetworkTest, WhatIsNoAddressIsInNone) {
  EXPECT_FALSE(Network::Parse("::/0").value().Contains(SocketAddress()));
}

TEST(NetworkTest, WhatIsWrongIsSaid) {
  EXPECT_THAT(Complaint(""), HasSubstr("\"\" is not a numeric address"));
  EXPECT_THAT(Complaint("node0"), HasSubstr("\"node0\" is not a numeric address"));
  EXPECT_THAT(Complaint("10.0.0.0/33"), HasSubstr("must be 0 to 32"));
  EXPECT_THAT(Complaint("::/129"), HasSubstr("must be 0 to 128"));
  EXPECT_THAT(Complaint("10.0.0.0/"), HasSubstr("must be 0 to 32"));
  EXPECT_THAT(Complaint("10.0.0.0/-1"), HasSubstr("must be 0 to 32"));
  EXPECT_THAT(Complaint("10.0.0.0/8/8"), HasSubstr("must be 0 to 32"));
  EXPECT_THAT(Complaint("10.0.0.0/99999999999"), HasSubstr("must be 0 to 32"));
  EXPECT_THAT(Complaint("fe80::%lo/10"), HasSubstr("no interface"));
  EXPECT_THAT(Complaint("10.0.0.1/8"), HasSubstr("bits behind those that count"));
}

TEST(NetworkTest, IsWrittenAsItIsRead) {
  for (const std::string text :
       {"10.0.0.0/8", "0.0.0.0/0", "10.0.0.7", "::1", "fd00::/8", "::/0"}) {
    EXPECT_EQ(Network::Parse(text).value().ToString(), text);
  }
}

TEST(NetworksTest, AreListedWithCommas) {
  const absl::StatusOr<std::vector<Network>> networks = ParseNetworks("10.0.0.0/8, ::1");
  ASSERT_TRUE(networks.ok()) << networks.status();
  ASSERT_EQ(networks->size(), 2u);
  EXPECT_EQ((*networks)[1].ToString(), "::1");
  EXPECT_TRUE(ParseNetworks("").value().empty());
  EXPECT_THAT(std::string(ParseNetworks("::1,,10.0.0.0/8").status().message()),
              HasSubstr("\"\" is not a numeric address"));
}

}  // namespace
}  // namespace rollcall::net
