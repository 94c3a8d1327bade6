// What the proxy costs, on the loopback of this machine: the time of a round trip and the bytes in
// a second, past it and through it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "fault_injection/proxy/fault_proxy.h"
#include "net/address.h"
#include "net/connection.h"
#include "net/env.h"
#include "net/real_env.h"
#include "net/syscalls.h"

namespace rollcall::fault {
namespace {

constexpr int kRoundTrips = 30'000;
constexpr int64_t kStreamBytes = int64_t{4} << 30;
constexpr size_t kPieceBytes = 256 << 10;

struct Pair {
  std::unique_ptr<net::Connection> client;
  std::unique_ptr<net::Connection> server;
};

Pair ConnectTo(net::Env& env, net::ListeningSocket& listening, uint16_t port) {
  const absl::Time deadline = env.Now() + absl::Seconds(10);
  const std::vector<net::SocketAddress> to = {net::SocketAddress::LoopbackV4(port)};
  Pair pair;
  pair.client = env.ConnectAny(to, deadline).value();
  pair.server = listening.Accept(deadline).value();
  return pair;
}

absl::Duration MedianRoundTrip(net::Env& env, Pair& pair) {
  const std::unique_ptr<net::Thread> echo = env.StartThread("echo", [&] {
    char bytes[64];
    while (true) {
      const auto got = pair.server->Read(bytes, sizeof(bytes), absl::InfiniteFuture());
      if (!got.ok() || !pair.server->Write({bytes, *got}, absl::InfiniteFuture()).ok()) return;
    }
  });
  std::vector<absl::Duration> times;
  times.reserve(kRoundTrips);
  for (int i = 0; i < kRoundTrips; ++i) {
    const absl::Time begin = env.Now();
    char bytes[32] = {};
    if (!pair.client->Write({bytes, sizeof(bytes)}, absl::InfiniteFuture()).ok()) break;
    if (!pair.client->Read(bytes, sizeof(bytes), absl::InfiniteFuture()).ok()) break;
    times.push_back(env.Now() - begin);
  }
  pair.client.reset();
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  return times[times.size() / 2];
}

double MegabytesPerSecond(net::Env& env, Pair& pair) {
  const absl::Time begin = env.Now();
  const std::unique_ptr<net::Thread> writer = env.StartThread("writer", [&] {
    const std::string piece(kPieceBytes, 'x');
    for (int64_t sent = 0; sent < kStreamBytes; sent += static_cast<int64_t>(piece.size())) {
      if (!pair.client->Write(piece, absl::InfiniteFuture()).ok()) return;
    }
  });
  std::vector<char> buffer(kPieceBytes);
  int64_t received = 0;
  while (received < kStreamBytes) {
    const auto got = pair.server->Read(buffer.data(), buffer.size(), absl::InfiniteFuture());
    if (!got.ok()) break;
    received += static_cast<int64_t>(*got);
  }
  return static_cast<double>(received) / 1e6 / absl::ToDoubleSeconds(env.Now() - begin);
}

void Measure() {
  net::Env& env = net::RealEnv();
  const auto listening = env.Listen({.host = "127.0.0.1", .port = 0}).value();
  Route route;
  route.name = "w";
  route.target = {.host = "127.0.0.1", .port = listening->address().port()};
  // The listener is accepted from in order: nothing but what is measured may come there.
  route.keeps_spare = false;
  const auto proxy = FaultProxy::Start(env, &net::RealSyscalls(), {route}).value();
  for (const auto& [what, port] : {std::pair("direct ", listening->address().port()),
                                   std::pair("proxied", proxy->port("w"))}) {
    Pair chat = ConnectTo(env, *listening, port);
    const absl::Duration round_trip = MedianRoundTrip(env, chat);
    Pair stream = ConnectTo(env, *listening, port);
    const double rate = MegabytesPerSecond(env, stream);
    std::printf("%s  round trip %6.1f us (median of %d)  %7.0f MB/s\n", what,
                absl::ToDoubleMicroseconds(round_trip), kRoundTrips, rate);
  }
}

}  // namespace
}  // namespace rollcall::fault

int main() { rollcall::fault::Measure(); }
