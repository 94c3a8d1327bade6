#include "net/address.h"

#include <netinet/in.h>

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall::net {
namespace {

using ::testing::HasSubstr;

SocketAddress Numeric(const char* host, uint16_t port) {
  const absl::StatusOr<SocketAddress> address = SocketAddress::FromNumeric(host, port);
  EXPECT_TRUE(address.ok()) << address.status();
  return address.value_or(SocketAddress());
}

TEST(EndpointTest, ParsesWhatAUserWritesAndPrintsItBack) {
  struct Row {
    const char* text;
    const char* host;
    uint16_t port;
  };
  const std::vector<Row> rows = {
      {"node0:29500", "node0", 29500},
      {"127.0.0.1:0", "127.0.0.1", 0},
      {"[::1]:65535", "::1", 65535},
      {"[::ffff:10.0.0.1]:1", "::ffff:10.0.0.1", 1},
      {":80", "", 80},
      {"a-b_c.example.com:1", "a-b_c.example.com", 1},
  };
  for (const Row& row : rows) {
    const absl::StatusOr<Endpoint> endpoint = Endpoint::Parse(row.text);
    ASSERT_TRUE(endpoint.ok()) << endpoint.status();
    EXPECT_EQ(*endpoint, (Endpoint{row.host, row.port}));
    EXPECT_EQ(endpoint->ToString(), row.text);
  }
}

TEST(EndpointTest, SaysWhichPartIsMistyped) {
  struct Row {
    const char* text;
    const char* complaint;
  };
  const std::vector<Row> rows = {
      {"", "it is empty"},
      {"node0", "the port is missing"},
      {"node0:", "the port after the colon is missing"},
      {"node0:http", "the port \"http\" is not a number"},
      {"node0:-1", "the port \"-1\" is not a number"},
      {"node0:+1", "the port \"+1\" is not a number"},
      {"node0: 1", "the port \" 1\" is not a number"},
      {"node0:65536", "the port 65536 is larger than 65535"},
      {"node0:99999999999999999999", "is larger than 65535"},
      {"::1:80", "an IPv6 address needs brackets"},
      {"::1", "an IPv6 address needs brackets"},
      {"[::1", "the closing bracket is missing"},
      {"[::1]", "the port is missing"},
      {"[::1]80", "a colon must follow the closing bracket"},
      {"[]:80", "\"\" in brackets is not an IPv6 address"},
      {"[127.0.0.1]:80", "\"127.0.0.1\" in brackets is not an IPv6 address"},
      {"[::1%nosuchif]:80", "in brackets is not an IPv6 address"},
      {"tcp://node0:80", "it is a URL"},
      {"user@node0:80", "\"@\""},
      {"no de:80", "\" \""},
  };
  for (const Row& row : rows) {
    const absl::StatusOr<Endpoint> endpoint = Endpoint::Parse(row.text);
    ASSERT_FALSE(endpoint.ok()) << row.text;
    EXPECT_EQ(endpoint.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(endpoint.status().message()), HasSubstr(row.complaint));
    EXPECT_THAT(std::string(endpoint.status().message()), HasSubstr("expected HOST:PORT"));
  }
  EXPECT_FALSE(Endpoint::Parse(std::string(254, 'a') + ":80").ok());
}

TEST(SocketAddressTest, PrintsAsAUserWouldWriteIt) {
  EXPECT_EQ(Numeric("127.0.0.1", 80).ToString(), "127.0.0.1:80");
  EXPECT_EQ(Numeric("::1", 80).ToString(), "[::1]:80");
  EXPECT_EQ(Numeric("0:0:0:0:0:0:0:1", 80).host(), "::1");
  EXPECT_EQ(Numeric("fe80::1%1", 80).host(), "fe80::1%1");
  EXPECT_EQ(SocketAddress::AnyV4(1).ToString(), "0.0.0.0:1");
  EXPECT_EQ(SocketAddress::AnyV6(1).ToString(), "[::]:1");
  EXPECT_EQ(SocketAddress().ToString(), "(no address)");
}

TEST(SocketAddressTest, AV4MappedAddressPrintsAsIpv4AndKeepsItsFamily) {
  const SocketAddress mapped = Numeric("::ffff:10.1.2.3", 80);
  EXPECT_EQ(mapped.ToString(), "10.1.2.3:80");
  EXPECT_EQ(mapped.family(), AF_INET6);
}

TEST(SocketAddressTest, KnowsTheLoopbackInEveryForm) {
  EXPECT_TRUE(SocketAddress::LoopbackV4(1).is_loopback());
  EXPECT_TRUE(SocketAddress::LoopbackV6(1).is_loopback());
  EXPECT_TRUE(Numeric("127.255.0.3", 1).is_loopback());
  EXPECT_TRUE(Numeric("::ffff:127.0.0.1", 1).is_loopback());
  EXPECT_FALSE(Numeric("128.0.0.1", 1).is_loopback());
  EXPECT_FALSE(Numeric("::ffff:10.0.0.1", 1).is_loopback());
  EXPECT_FALSE(SocketAddress::AnyV6(1).is_loopback());
  EXPECT_FALSE(SocketAddress().is_loopback());
}

TEST(SocketAddressTest, TakesNumbersOnly) {
  for (const char* host : {"", "localhost", "1.2.3", "1.2.3.4.5", "256.0.0.1", ":::1", "1.2.3.4 ",
                           "::1%nosuchif", "[::1]"}) {
    EXPECT_FALSE(SocketAddress::FromNumeric(host, 1).ok()) << host;
  }
  EXPECT_FALSE(SocketAddress::FromNumeric(absl::string_view("::1\0", 4), 1).ok());
}

TEST(SocketAddressTest, CopiesTheKernelsStructure) {
  sockaddr_in v4 = {};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(7);
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const SocketAddress address(reinterpret_cast<const sockaddr*>(&v4), sizeof(v4));
  EXPECT_EQ(address, SocketAddress::LoopbackV4(7));
  EXPECT_EQ(address.size_bytes(), sizeof(v4));

  EXPECT_FALSE(SocketAddress(nullptr, 16).is_valid());
  EXPECT_FALSE(SocketAddress(reinterpret_cast<const sockaddr*>(&v4), sizeof(v4) - 1).is_valid());
  v4.sin_family = AF_UNIX;
  EXPECT_FALSE(SocketAddress(reinterpret_cast<const sockaddr*>(&v4), sizeof(v4)).is_valid());
}

TEST(SocketAddressTest, EqualMeansSameFamilyAddressAndPort) {
  SocketAddress address = SocketAddress::LoopbackV4(7);
  EXPECT_NE(address, SocketAddress::LoopbackV4(8));
  EXPECT_NE(address, SocketAddress::LoopbackV6(7));
  EXPECT_NE(Numeric("fe80::1%1", 7), Numeric("fe80::1", 7));
  address.set_port(8);
  EXPECT_EQ(address, SocketAddress::LoopbackV4(8));
  EXPECT_EQ(SocketAddress(), SocketAddress());
}

}  // namespace
}  // namespace rollcall::net
