// A rank publishes what the others must know of it and counts itself in: four requests, one round
// trip.
#include "store/batch.h"

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "net/env.h"
#include "store/server/store_server.h"
#include "store/tcp_store.h"

namespace {

TEST(Batch, PublishesAndLooksInOneRoundTrip) {
  rollcall::net::Env& env = rollcall::net::RealEnv();
  const auto server = rollcall::StoreServer::Start(env, {.host = "127.0.0.1"});
  ASSERT_TRUE(server.ok()) << server.status();
  rollcall::TcpStoreOptions options;
  options.host = "127.0.0.1";
  options.port = (*server)->port();
  options.timeout = absl::Seconds(20);

  for (int rank = 0; rank < 2; ++rank) {
    rollcall::TcpStore store(env, options);
    rollcall::Batch batch(store);
    batch.Set(absl::StrCat("address/", rank), absl::StrCat("10.0.0.", rank, ":4000"));
    batch.Set(absl::StrCat("devices/", rank), "8");
    const rollcall::Batch::Result<int64_t> published = batch.Add("published", 1);
    const rollcall::Batch::Result<std::optional<std::string>> leader = batch.Get("address/0");
    batch.Run();
    EXPECT_EQ(published.value(), rank + 1);
    EXPECT_EQ(leader.value(), "10.0.0.0:4000");
  }
}

}  // namespace
