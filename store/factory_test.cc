// The factory beyond its seed: arguments, errors, what it leaves behind, URLs.
#include "store/factory.h"

#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/dist_error.h"
#include "store/store.h"
#include "store/tcp_store.h"
#include "testing/dist_error_matchers.h"
#include "testing/temp_directory.h"

namespace rollcall {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using testing::UnorderedElementsAre;

class Factory : public testing::Test {
 protected:
  C10dStoreOptions ServerOptionsOf() {
    C10dStoreOptions options;
    options.is_server = true;
    options.server_addr = "127.0.0.1";
    options.server_port = 0;
    options.timeout = absl::Seconds(20);
    return options;
  }
  std::string InvalidArgumentOf(const std::function<void()>& call) {
    try {
      call();
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "none";
  }
  std::string InvalidUrl(absl::string_view url, const StoreUrlOptions& options = {}) {
    return InvalidArgumentOf([&] { CreateStore(env_, url, options); });
  }

  net::Env& env_ = net::RealEnv();
};

// --- CreateC10dStore ---

TEST_F(Factory, AnEtcdUrlSaysWhatIsWrongWithIt) {
  EXPECT_THAT(InvalidUrl("etcd:///job"), HasSubstr("names no member"));
  EXPECT_THAT(InvalidUrl("etcd://a,b:2379/job"), HasSubstr("a has no port"));
  EXPECT_THAT(InvalidUrl("etcd://a:2379/job?ttl=1s"), HasSubstr("at least 5s; got 1s"));
  EXPECT_THAT(InvalidUrl("etcd://a:2379/job?ttl=soon"), HasSubstr("ttl must be a duration"));
  EXPECT_THAT(InvalidUrl("etcd://a:2379/job?use_libuv=1"), HasSubstr("unknown parameter"));
  EXPECT_THAT(InvalidUrl("etcd://a:2379/job?user=u"), HasSubstr("given together"));
  EXPECT_THAT(InvalidUrl("etcd://a:2379/job?ca=/no/such/file"), HasSubstr("/no/such/file"));
  EXPECT_THAT(InvalidUrl("tcp://a:1,b:2?rank=0&world_size=1"), HasSubstr("takes one address"));
}

TEST_F(Factory, LeavesTorchsThreeKeysBehind) {
  const auto store = CreateC10dStore(env_, ServerOptionsOf());
  EXPECT_EQ(store->NumKeys(), 3);
  EXPECT_THAT(store->ListKeys(), UnorderedElementsAre("_tcp_store/num_members/num_members",
                                                      "_tcp_store/num_members/last_member"));
  EXPECT_EQ(store->timeout(), absl::Seconds(20));
}

TEST_F(Factory, WithoutWaitingItLeavesNone) {
  C10dStoreOptions options = ServerOptionsOf();
  options.wait_for_workers = false;
  EXPECT_EQ(CreateC10dStore(env_, options)->NumKeys(), 0);
}

TEST_F(Factory, WithoutAPortAServerGetsOneFromTheSystem) {
  C10dStoreOptions options = ServerOptionsOf();
  options.server_port = -1;
  EXPECT_NE(CreateC10dStore(env_, options)->port(), 0);
}

TEST_F(Factory, ContradictingArgumentsAreToldInTorchsWords) {
  C10dStoreOptions options = ServerOptionsOf();
  const auto message = [&] { return InvalidArgumentOf([&] { CreateC10dStore(env_, options); }); };
  options.server_port = -1;
  options.world_size = 4;
  EXPECT_EQ(message(),
            "server_port must be specified when world_size > 1, got server_port=-1, world_size=4");
  options.server_port = 70000;
  EXPECT_THAT(message(), HasSubstr("server_port must be from 0 to 65535"));
  options.server_port = 0;
  options.rank = 4;
  EXPECT_THAT(message(), HasSubstr("rank 4 is not in a world of 4"));
  options.rank = 0;
  options.world_size = -1;
  EXPECT_THAT(message(), HasSubstr("world_size must be at least 1, got -1"));
  options.world_size = 0;
  EXPECT_EQ(message(), "TCPStore world size cannot be 0");
}

TEST_F(Factory, ATakenPortIsNamed) {
  const auto taken = CreateC10dStore(env_, ServerOptionsOf());
  C10dStoreOptions options = ServerOptionsOf();
  options.server_port = taken->port();
  const auto error = DistErrorOf([&] { CreateC10dStore(env_, options); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kAddressInUse);
  EXPECT_THAT(error->what(),
              StartsWith(absl::StrCat("on 127.0.0.1, port: ", taken->port(), " already in use")));
  EXPECT_EQ(error->details().attempts, 1);
}

TEST_F(Factory, FreePorts) {
  const auto socket = GetSocketWithPort(env_);
  EXPECT_TRUE(socket->address().is_loopback());
  EXPECT_NE(socket->address().port(), 0);
  EXPECT_NE(GetFreePort(env_), 0);
}

// --- CreateStore ---

// Sets an environment variable for as long as it lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    setenv(name, value.c_str(), /*overwrite=*/1);
  }
  ~Variable() { unsetenv(name_); }

 private:
  const char* const name_;
};

TEST_F(Factory, ATcpUrlMakesRankZeroTheServer) {
  const auto store = CreateStore(env_, "tcp://localhost:0?rank=0&world_size=1");
  store->Set("k", "v");
  EXPECT_EQ(store->Get("k"), "v");
  EXPECT_THAT(store->Describe(), HasSubstr("(libuv)"));
  EXPECT_EQ(store->timeout(), absl::Minutes(30));
}

TEST_F(Factory, RankAndWorldSizeMayBeArguments) {
  const auto store = CreateStore(env_, "tcp://127.0.0.1:0?use_libuv=0",
                                 {.rank = 0, .world_size = 1, .timeout = absl::Seconds(5)});
  EXPECT_THAT(store->Describe(), HasSubstr("(epoll)"));
  EXPECT_EQ(store->timeout(), absl::Seconds(5));
}

TEST_F(Factory, UseLibuvMayComeFromTheEnvironment) {
  const Variable use_libuv("USE_LIBUV", "0");
  EXPECT_THAT(CreateStore(env_, "tcp://127.0.0.1:0?rank=0&world_size=1")->Describe(),
              HasSubstr("(epoll)"));
  EXPECT_THAT(CreateStore(env_, "tcp://127.0.0.1:0?rank=0&world_size=1&use_libuv=1")->Describe(),
              HasSubstr("(libuv)"));
}

TEST_F(Factory, MissingPartsOfATcpUrlAreToldInTorchsWords) {
  const std::string begin = "Error initializing torch.distributed using tcp:// rendezvous: ";
  EXPECT_EQ(InvalidUrl("tcp://127.0.0.1?rank=0&world_size=1"), begin + "port number missing");
  EXPECT_EQ(InvalidUrl("tcp://127.0.0.1:23456?world_size=1"), begin + "rank parameter missing");
  EXPECT_EQ(InvalidUrl("tcp://127.0.0.1:23456?rank=0"), begin + "world size parameter missing");
}

TEST_F(Factory, WrongPartsOfAUrlAreNamed) {
  EXPECT_EQ(InvalidUrl("invalid://"),
            "No rendezvous handler for invalid://; there are tcp://, tls://, file://, env:// and "
            "etcd://");
  EXPECT_THAT(InvalidUrl("tcp://h:66000?rank=0&world_size=1"),
              HasSubstr("port must have value from 0 to 65535 but was 66000."));
  EXPECT_THAT(InvalidUrl("tcp://h:x?rank=0&world_size=1"),
              HasSubstr("port must be a decimal number, got \"x\""));
  EXPECT_THAT(InvalidUrl("tcp://h:1?rank=one&world_size=1"), HasSubstr("rank must be"));
  EXPECT_THAT(InvalidUrl("tcp://h:1?rank=1&world_size=1"),
              HasSubstr("rank 1 is not in a world of"));
  EXPECT_THAT(InvalidUrl("tcp://h:1?rank=0&world_size=0"), HasSubstr("cannot be 0"));
  EXPECT_THAT(InvalidUrl("tcp://h:1?rank=0&worldsize=1"),
              HasSubstr("unknown parameter \"worldsize\""));
  EXPECT_THAT(InvalidUrl("tcp://h:1?rank=0&world_size=1&use_libuv=maybe"),
              HasSubstr("use_libuv must be 0 or 1"));
  EXPECT_THAT(InvalidUrl("tcp://h:1?rank=0&world_size=2", {.rank = 1, .world_size = 2}),
              HasSubstr("rank is 1 by argument and 0 in the URL"));
}

TEST_F(Factory, AFileUrlIsAFileStore) {
  const TempDirectory directory;
  const std::string url =
      absl::StrCat("file://", directory.File("a%20store"), "?rank=0&world_size=1");
  const auto store = CreateStore(env_, url);
  store->Set("k", "v");
  EXPECT_EQ(CreateStore(env_, url)->Get("k"), "v");
  const std::string begin = "Error initializing torch.distributed using file:// rendezvous: ";
  EXPECT_EQ(InvalidUrl("file://?rank=0&world_size=1"), begin + "path missing");
  EXPECT_EQ(InvalidUrl("file:///tmp/foo?world_size=1"), begin + "rank parameter missing");
  EXPECT_EQ(InvalidUrl("file:///tmp/foo?rank=0"), begin + "world size parameter missing");
  EXPECT_THAT(InvalidUrl("file://tmp/foo?rank=0&world_size=1"), HasSubstr("file:///tmp/foo"));
}

TEST_F(Factory, AnEnvUrlTakesEverythingFromTheEnvironment) {
  const auto agent = CreateC10dStore(env_, ServerOptionsOf());
  const std::string begin =
      "Error initializing torch.distributed using env:// rendezvous: environment variable ";
  EXPECT_EQ(InvalidUrl("env://"), begin + "RANK expected, but not set");
  const Variable rank("RANK", "0");
  EXPECT_EQ(InvalidUrl("env://"), begin + "WORLD_SIZE expected, but not set");
  const Variable world_size("WORLD_SIZE", "1");
  EXPECT_EQ(InvalidUrl("env://"), begin + "MASTER_ADDR expected, but not set");
  const Variable host("MASTER_ADDR", "127.0.0.1");
  EXPECT_EQ(InvalidUrl("env://"), begin + "MASTER_PORT expected, but not set");
  {
    const Variable port("MASTER_PORT", "0");
    EXPECT_THAT(CreateStore(env_, "env://")->Describe(), HasSubstr("server=["));
    EXPECT_THAT(InvalidUrl("env://?rank=1"), HasSubstr("rank 1 is not in a world of 1"));
  }
  // Where the agent has the store, rank 0 is a client like the others.
  const Variable port("MASTER_PORT", absl::StrCat(agent->port()));
  const Variable use("TORCHELASTIC_USE_AGENT_STORE", "True");
  const auto store = CreateStore(env_, "env://");
  EXPECT_THAT(store->Describe(), HasSubstr("server=none"));
  store->Set("k", "v");
  EXPECT_EQ(agent->Get("k"), "v");
}

}  // namespace
}  // namespace rollcall
