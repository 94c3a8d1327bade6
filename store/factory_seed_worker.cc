// A worker of DistributedUtilTest.CreateStoreMulti: joins, sets one key, ends.
//
//   factory_seed_worker HOST PORT WORLD_SIZE
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "net/real_env.h"
#include "store/factory.h"

int main(int argc, char** argv) {
  if (argc != 4) return 1;
  rollcall::net::Env& env = rollcall::net::RealEnv();
  try {
    const auto store = rollcall::CreateC10dStore(env, {.is_server = false,
                                                       .server_addr = argv[1],
                                                       .server_port = std::atoi(argv[2]),
                                                       .world_size = std::atoi(argv[3]),
                                                       .timeout = absl::Seconds(20),
                                                       .wait_for_workers = false});
    store->Set(absl::StrCat("test_key/", env.ProcessId()), "test_value");
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 2;
  }
  return 0;
}
