// The simulated network in virtual time: what the network twin cannot ask a real kernel, because it
// takes minutes or a peer that is gone; names, and faults of calls.
#include "fault_injection/sim_net.h"

#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>

#include <cstdint>
#include <map>
#include <string>

#include "absl/time/time.h"
#include "fault_injection/fault_point.h"
#include "fault_injection/legal_errnos.h"
#include "fault_injection/sim_net_fixture.h"
#include "fault_injection/sim_net_options.h"
#include "gtest/gtest.h"
#include "net/address.h"

namespace rollcall::fault {
namespace {

// --- Time ---

TEST_F(SimNetTest, EveryPacketTakesTheLatency) {
  Connected(
      [&](int fd) {
        EXPECT_EQ(elapsed(), absl::Milliseconds(1) + 2 * kLatency);
        EXPECT_EQ(Send(w0(), fd, "ping"), 4);
        EXPECT_EQ(Recv(w0(), fd), "pong");
        EXPECT_EQ(elapsed(), absl::Milliseconds(1) + 4 * kLatency);
      },
      [&](int fd) {
        EXPECT_EQ(Recv(server(), fd), "ping");
        EXPECT_EQ(Send(server(), fd, "pong"), 4);
      });
  Run();
}

TEST_F(SimNetTest, LatencyIsOfOneDirection) {
  net().SetLatency("w0", "server", absl::Milliseconds(300));
  Connected([&](int) { EXPECT_EQ(elapsed(), absl::Milliseconds(301) + kLatency); });
  Run();
}

TEST_F(SimNetTest, ARateIsKept) {
  net().SetRate("w0", "server", 1'000'000);
  const std::string megabyte(1'000'000, 'x');
  Connected([&](int fd) { EXPECT_EQ(Send(w0(), fd, megabyte), 1'000'000); },
            [&](int fd) {
              size_t received = 0;
              while (received < megabyte.size()) received += Recv(server(), fd, 1 << 20).size();
              EXPECT_EQ(elapsed(), absl::Milliseconds(1001) + 3 * kLatency);
            });
  Run();
}

// --- Names ---

TEST_F(SimNetTest, TheHostTableAnswers) {
  On("w0", [&] {
    addrinfo* list = nullptr;
    EXPECT_EQ(w0().GetAddrInfo("nobody", nullptr, nullptr, &list), EAI_NONAME);
    net().names().Fail("server", EAI_AGAIN, 2);
    EXPECT_EQ(w0().GetAddrInfo("Server", nullptr, nullptr, &list), EAI_AGAIN);
    EXPECT_EQ(w0().GetAddrInfo("server", nullptr, nullptr, &list), EAI_AGAIN);
    net().names().Delay("server", absl::Seconds(7));
    ASSERT_EQ(w0().GetAddrInfo("server", "80", nullptr, &list), 0);
    EXPECT_EQ(elapsed(), absl::Seconds(7));
    EXPECT_EQ(net::SocketAddress(list->ai_addr, list->ai_addrlen).ToString(), "10.0.0.1:80");
    ASSERT_NE(list->ai_next, nullptr);
    EXPECT_EQ(net::SocketAddress(list->ai_next->ai_addr, list->ai_next->ai_addrlen).ToString(),
              "[fd00::1]:80");
    w0().FreeAddrInfo(list);
  });
  Run();
}

// --- Faults of calls ---

class Script final : public FaultInjector {
 public:
  CallFault OnCall(const CallSite& site) override {
    const std::string key = std::string(site.host.data(), site.host.size()) + "/" +
                            std::string(site.call.data(), site.call.size()) + "#" +
                            std::to_string(site.occurrence);
    EXPECT_FALSE(site.legal_errnos.empty()) << key;
    const auto found = faults.find(key);
    return found == faults.end() ? CallFault{} : found->second;
  }
  std::map<std::string, CallFault> faults;
};

TEST_F(SimNetTest, ChosenCallsFailAreShortenedOrHeldUp) {
  Script script;
  CallFault held_up;
  held_up.delay = absl::Seconds(2);
  CallFault shortened;
  shortened.transfer_bytes_max = 3;
  script.faults = {{"w0/socket#1", {.errno_value = EMFILE}},
                   {"w0/connect#1", {.errno_value = EINTR}},
                   {"w0/send#1", shortened},
                   {"w0/send#2", held_up},
                   {"server/recv#1", {.errno_value = EINTR}}};
  net().SetInjector(&script);
  On("server", [&] {
    const int fd = Accept(server(), ListenOn(server()));
    EXPECT_EQ(Recv(server(), fd), Errno(EINTR));
    EXPECT_EQ(Recv(server(), fd), "abc");
    EXPECT_EQ(Recv(server(), fd), "def");
  });
  On("w0", [&] {
    SleepUntil(absl::Seconds(1));
    EXPECT_EQ(NewSocket(w0()), -EMFILE);
    const int fd = NewSocket(w0());
    // Interrupted, it goes on by itself.
    EXPECT_EQ(Connect(w0(), fd), -EINTR);
    SleepUntil(absl::Seconds(2));
    EXPECT_EQ(Send(w0(), fd, "abcdef"), 3);
    EXPECT_EQ(Send(w0(), fd, "def"), 3);
    EXPECT_EQ(elapsed(), absl::Seconds(4));
    EXPECT_EQ(w0().calls(Call::kSend), 2u);
  });
  Run();
}

TEST_F(SimNetTest, ShortTransfersLoseNothingAndRepeat) {
  SimNetOptions options;
  options.short_transfer_percent = 60;
  options.link.jitter = absl::Milliseconds(1);
  std::string text;
  for (int i = 0; i < 20000; ++i) text += static_cast<char>('a' + i % 26);
  std::map<uint64_t, int> fingerprints;
  for (const uint64_t seed : {5u, 5u, 6u}) {
    Restart(options, seed);
    std::string received;
    Connected(
        [&](int fd) {
          size_t sent = 0;
          while (sent < text.size()) {
            const ssize_t result =
                w0().Send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
            ASSERT_GT(result, 0);
            sent += result;
          }
          w0().Close(fd);
        },
        [&](int fd) {
          for (std::string part = Recv(server(), fd, 4000); !part.empty();
               part = Recv(server(), fd, 4000)) {
            received += part;
          }
        });
    Run();
    EXPECT_EQ(received, text);
    ++fingerprints[net().fingerprint()];
  }
  EXPECT_EQ(fingerprints.size(), 2u);
}

TEST_F(SimNetTest, EveryRowOfTheTableIsWhole) {
  for (const CallRow& row : CallTable()) {
    EXPECT_FALSE(row.name.empty());
    EXPECT_FALSE(row.legal_errnos.empty()) << row.name;
  }
  EXPECT_EQ(RowOf(Call::kAccept).name, "accept4");
}

}  // namespace
}  // namespace rollcall::fault
