// The echo limit: what the kernel costs, and no more.
//
// One epoll loop in one thread that reads what is there, and answers each request with as many
// bytes as a TCPStore would, all answers to what one read brought in one write. It looks at ten
// bytes of a request (echo_frame.h), keeps nothing of it, and allocates nothing for it. So for each
// workload it does the same accepts, reads and writes as the best possible store with one thread:
//
//   join, round trips, throughput   one read and one write for whatever came together
//   fan-out, barrier                one write for each client that is let through
//   queue hand-over                 the same for one client
//   big value set                   reads into the same buffer again and again: no copy is kept
//   big value get                   writes from a buffer as long as the value
//   idle memory                     a descriptor's entry in a table
//   vanishing clients               a read that says so, and a close
#ifndef ROLLCALL_TOOLS_BENCH_ECHO_SERVER_H_
#define ROLLCALL_TOOLS_BENCH_ECHO_SERVER_H_

namespace rollcall::bench {

// Serves what connects to `listen_fd`, a listening socket, for as long as the process lives.
[[noreturn]] void ServeEcho(int listen_fd);

}  // namespace rollcall::bench

#endif  // ROLLCALL_TOOLS_BENCH_ECHO_SERVER_H_
