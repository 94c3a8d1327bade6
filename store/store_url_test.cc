#include "store/store_url.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall {
namespace {

using testing::HasSubstr;

// "scheme host port path name=value ...", or the error.
std::string Parsed(absl::string_view text) {
  const absl::StatusOr<StoreUrl> url = StoreUrl::Parse(text);
  if (!url.ok()) return std::string(url.status().message());
  std::string shown = url->scheme;
  for (const StoreAddress& address : url->addresses)
    shown += "|" + address.host + "|" + address.port;
  shown += "|" + url->path;
  for (const auto& [name, value] : url->parameters) shown += "|" + name + "=" + value;
  return shown;
}

TEST(StoreUrl, IsTakenApart) {
  EXPECT_EQ(Parsed("tcp://node0:29500?rank=0&world_size=4"),
            "tcp|node0|29500||rank=0|world_size=4");
  EXPECT_EQ(Parsed("file:///tmp/store?rank=1"), "file|||/tmp/store|rank=1");
  EXPECT_EQ(Parsed("env://"), "env|||");
  EXPECT_EQ(Parsed("TCP://node0"), "tcp|node0||");
  EXPECT_EQ(Parsed("tcp://node0:1/ignored?a=b=c&"), "tcp|node0|1|/ignored|a=b=c");
}

TEST(StoreUrl, TakesSeveralAddresses) {
  EXPECT_EQ(Parsed("etcd://a:2379,[::1]:2380,c/job?ttl=9s"), "etcd|a|2379|::1|2380|c||/job|ttl=9s");
  EXPECT_THAT(Parsed("etcd://a:2379,::1"), HasSubstr("in brackets"));
}

TEST(StoreUrl, TakesIpv6AddressesInBrackets) {
  EXPECT_EQ(Parsed("tcp://[::1]:29500"), "tcp|::1|29500|");
  EXPECT_EQ(Parsed("tcp://[fe80::1%25eth0]"), "tcp|fe80::1%eth0||");
  EXPECT_THAT(Parsed("tcp://::1:29500"), HasSubstr("in brackets: [::1]:29500"));
  EXPECT_THAT(Parsed("tcp://[::1:29500"), HasSubstr("has no \"]\""));
  EXPECT_THAT(Parsed("tcp://[::1]29500"), HasSubstr("only \":port\" can follow"));
}

TEST(StoreUrl, IsPercentDecoded) {
  EXPECT_EQ(Parsed("file:///a%20b%2Fc?r%61nk=%31"), "file|||/a b/c|rank=1");
  EXPECT_THAT(Parsed("file:///100%"), HasSubstr("a % itself is %25"));
  EXPECT_THAT(Parsed("file:///%zz"), HasSubstr("\"%zz\" is no percent-encoded byte"));
}

TEST(StoreUrl, ErrorsNameTheWrongPart) {
  EXPECT_THAT(Parsed("node0:29500"), HasSubstr("must begin with a scheme"));
  EXPECT_THAT(Parsed(""), HasSubstr("invalid store URL \"\""));
  EXPECT_THAT(Parsed("tcp://a:1?rank"), HasSubstr("\"rank\" has no \"=value\""));
  EXPECT_THAT(Parsed("tcp://a:1?rank=1&rank=2"), HasSubstr("\"rank\" is there twice"));
}

}  // namespace
}  // namespace rollcall
