// Four ranks meet on a store: the whole of what a job needs, in one process. In a real job the
// server runs in one place and each rank is a process of its own; nothing else changes.

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "net/env.h"
#include "store/collectives.h"
#include "store/dist_error.h"
#include "store/factory.h"
#include "store/server/store_server.h"

namespace {

constexpr int kWorldSize = 4;
constexpr absl::Duration kTimeout = absl::Seconds(20);

// What one rank does: joins, tells the others something, and waits until all have come this far.
std::string RunRank(rollcall::net::Env& env, int rank, uint16_t port) {
  auto store = rollcall::CreateC10dStore(env, {.server_addr = "127.0.0.1",
                                               .server_port = port,
                                               .world_size = kWorldSize,
                                               .timeout = kTimeout,
                                               .wait_for_workers = false,
                                               .rank = rank});
  rollcall::Collectives ranks(env, *store, {.rank = rank, .world_size = kWorldSize}, "example");
  const std::vector<std::string> greetings =
      ranks.AllGather("greeting", absl::StrCat("hello from rank ", rank), kTimeout);
  ranks.Barrier("done", kTimeout);
  return absl::StrJoin(greetings, ", ");
}

}  // namespace

int main() {
  rollcall::net::Env& env = rollcall::net::RealEnv();
  auto server = rollcall::StoreServer::Start(env, {.host = "127.0.0.1"});
  if (!server.ok()) {
    std::cerr << server.status() << "\n";
    return EXIT_FAILURE;
  }
  std::cout << "server on " << (*server)->address() << "\n";

  std::vector<std::string> heard(kWorldSize);
  {
    std::vector<std::unique_ptr<rollcall::net::Thread>> threads;
    for (int rank = 0; rank < kWorldSize; ++rank) {
      threads.push_back(env.StartThread(absl::StrCat("rank", rank), [&env, &server, &heard, rank] {
        try {
          heard[rank] = RunRank(env, rank, (*server)->port());
        } catch (const rollcall::DistError& error) {
          heard[rank] = absl::StrCat("failed: ", error.what());
        }
      }));
    }
  }  // Every thread has ended here.

  bool all_agree = true;
  for (int rank = 0; rank < kWorldSize; ++rank) {
    std::cout << "rank " << rank << " heard: " << heard[rank] << "\n";
    all_agree = all_agree && heard[rank] == heard[0];
  }
  return all_agree && heard[0].find("failed") == std::string::npos ? EXIT_SUCCESS : EXIT_FAILURE;
}
