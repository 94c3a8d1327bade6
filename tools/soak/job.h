// One job of a soak: its ranks join, work together for some rounds, and leave.
#ifndef ROLLCALL_TOOLS_SOAK_JOB_H_
#define ROLLCALL_TOOLS_SOAK_JOB_H_

#include <string>
#include <vector>

#include "net/env.h"
#include "store/tcp_store.h"

namespace rollcall::soak {

struct JobOptions {
  std::string name;  // No two jobs of one server have the same.
  int world_size = 4;
  int rounds = 5;
  TcpStoreOptions store;  // How each rank reaches the server.
};

// Runs the job to its end, a thread for each rank. Every value that a rank reads is compared with
// what it must be. Returns what went wrong, a line for each rank that saw it; empty: nothing did.
std::vector<std::string> RunJob(net::Env& env, const JobOptions& options);

// Takes away what a job has left on the server that `store` is connected to, failed or not.
void RemoveTraces(Store& store, const JobOptions& options);

}  // namespace rollcall::soak

#endif  // ROLLCALL_TOOLS_SOAK_JOB_H_
