// Whatever the loops do when: each client hears what it would hear from a server with one loop that
// is asked the same in the same order.
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "store/protocol/dialect.h"
#include "store/protocol/wire_text.h"
#include "store/server/loops_scenario.h"
#include "store/server/server_cores.h"
#include "store/server/sole_engine.h"
#include "testing/fake_event_loop.h"

namespace rollcall {
namespace {

using protocol::Dialect;
using Peer = std::shared_ptr<FakePeer>;

constexpr size_t kLoops = 3;
constexpr size_t kClients = 9;
constexpr int kSteps = 300;

// Both servers, and each client twice.
class Twins {
 public:
  Twins() {
    EXPECT_TRUE(one_.Listen({}).ok());
    for (size_t i = 0; i < kClients; ++i) {
      many_peers_.push_back(many_.Connect());
      many_.Settle();
      one_peers_.push_back(loop_.Connect(one_.addresses().front().port()));
      loop_.RunUntilIdle();
      // Every third one watches, which only the old dialect can.
      dialects_.push_back(i % 4 == 3 ? Dialect::kLegacy : Dialect::kModern);
      Say(i, protocol::Greeting(dialects_[i]));
    }
  }

  void Ask(size_t client, const std::string& line) {
    Say(client, protocol::RequestBytes(dialects_[client], line));
  }
  Dialect dialect(size_t client) const { return dialects_[client]; }

  void End(size_t client) {
    many_peers_[client]->EndStream();
    one_peers_[client]->EndStream();
    Run(client);
  }

  void SetDeaf(size_t loop, bool deaf) {
    many_.SetDeaf(loop, deaf);
    many_.loop(loop).RunUntilIdle();
  }

  void Compare() {
    for (size_t loop = 0; loop < kLoops; ++loop) many_.SetDeaf(loop, false);
    many_.Settle();
    for (size_t i = 0; i < kClients; ++i) {
      EXPECT_EQ(protocol::Hex(many_peers_[i]->TakeReceived()),
                protocol::Hex(one_peers_[i]->TakeReceived()))
          << "client " << i;
      EXPECT_EQ(many_peers_[i]->closed_by_server(), one_peers_[i]->closed_by_server());
    }
    EXPECT_EQ(many_.cores().stats().keys, one_.stats().keys);
    EXPECT_EQ(many_.cores().stats().requests, one_.stats().requests);
    EXPECT_EQ(many_.cores().stats().waiting_clients, one_.stats().waiting_clients);
    EXPECT_EQ(many_.engine().client_count(), engine_.engine().client_count());
  }

 private:
  void Say(size_t client, const std::string& bytes) {
    if (bytes.empty()) return;
    many_peers_[client]->Send(bytes);
    one_peers_[client]->Send(bytes);
    Run(client);
  }

  // Only the loop that the client is on.
  void Run(size_t client) {
    many_.loop(client % kLoops).RunUntilIdle();
    loop_.RunUntilIdle();
  }

  Loops many_{kLoops, ServerOptions()};
  FakeEventLoop loop_;
  SoleEngine engine_;
  ServerCores one_{{{.loop = &loop_, .engine = &engine_}}, ServerOptions()};
  std::vector<Peer> many_peers_;
  std::vector<Peer> one_peers_;
  std::vector<Dialect> dialects_;
};

class Dice {
 public:
  explicit Dice(uint64_t seed) : bits_(seed) {}
  size_t Roll(size_t n) { return bits_() % n; }
  std::string Key() { return absl::StrCat("\"/", Roll(4), "\""); }
  std::string Queue() { return absl::StrCat("\"/q", Roll(2), "\""); }

  std::string Request(Dialect dialect, int step) {
    if (dialect != Dialect::kModern) {
      return Roll(2) == 0 ? absl::StrCat("watch_key ", Key()) : absl::StrCat("delete_key ", Key());
    }
    switch (Roll(11)) {
      case 0:
        return absl::StrCat("set ", Key(), " \"", step, "\"");
      case 1:
        return absl::StrCat("add \"/n\" ", step);
      case 2:
        return absl::StrCat("delete_key ", Key());
      case 3:
        return absl::StrCat("wait ", Key(), " ", Key());
      case 4:
        return absl::StrCat("wait ", Queue());
      case 5:
        return "cancel_wait";
      case 6:
        return absl::StrCat("queue_push ", Queue(), " \"", step, "\"");
      case 7:
        return absl::StrCat("queue_pop ", Queue());
      case 8:
        return absl::StrCat("barrier \"/b", Roll(2), "\" 3");
      case 9:
        return absl::StrCat("append ", Key(), " \"", step, "\"");
      default:
        return absl::StrCat("get ", Key());
    }
  }

 private:
  std::mt19937_64 bits_;
};

class ServerCoresRandomTest : public testing::TestWithParam<uint64_t> {};

INSTANTIATE_TEST_SUITE_P(Seeds, ServerCoresRandomTest, testing::Range<uint64_t>(1, 101));

TEST_P(ServerCoresRandomTest, EachClientHearsWhatOneLoopWouldSay) {
  Dice dice(GetParam());
  Twins twins;
  std::vector<bool> gone(kClients);
  for (int step = 0; step < kSteps; ++step) {
    const size_t client = dice.Roll(kClients);
    if (gone[client]) continue;
    if (dice.Roll(5) == 0) twins.SetDeaf(dice.Roll(kLoops), dice.Roll(2) == 0);
    if (dice.Roll(100) == 0) {
      gone[client] = true;
      twins.End(client);
    } else {
      twins.Ask(client, dice.Request(twins.dialect(client), step));
    }
    if (HasFailure()) return;
  }
  twins.Compare();
}

}  // namespace
}  // namespace rollcall
