// Scripts of system calls that run on any kernel, real or simulated, and write down what they saw:
// results, errnos, readiness. What they write on the simulated kernel must be what they write on a
// real loopback, line by line; that is what makes the simulated one believable.
//
// Left out, because it takes real minutes or a peer that is really gone: SYN retries,
// retransmission, keep-alive, TCP_USER_TIMEOUT, the end of TIME_WAIT, unreachable hosts, and calls
// that a second thread wakes. SimNetTest has those in virtual time, by what Linux documents.
#ifndef ROLLCALL_TESTING_NET_TWIN_H_
#define ROLLCALL_TESTING_NET_TWIN_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/syscalls.h"

namespace rollcall {

// What scripts are written in. Descriptors go by names, and no number that hangs on the machine is
// written down. Must be used where a call may block: on the simulated kernel, in a fiber.
class Twin {
 public:
  // `calls` must outlive it. Closes what it has opened.
  explicit Twin(net::Syscalls* calls) : calls_(*calls) {}
  ~Twin();
  Twin(const Twin&) = delete;
  Twin& operator=(const Twin&) = delete;

  net::Syscalls& calls() { return calls_; }
  const std::vector<std::string>& lines() const { return lines_; }
  void Write(absl::string_view line) { lines_.emplace_back(line.data(), line.size()); }
  // "what: 0", "what: 3", "what: ECONNREFUSED".
  void Write(absl::string_view what, int64_t result);

  // --- Calls, each of which writes its line ---
  enum Mode { kBlocking, kNonblocking };
  void Socket(const std::string& name, Mode mode = kBlocking, int family = AF_INET);
  // Address `host` of the name's own family ("127.0.0.1", "::1", "::ffff:127.0.0.1"...). `port_of`:
  // the socket whose local port is meant; empty: port 0.
  void Bind(const std::string& name, absl::string_view host, const std::string& port_of = "");
  // As Bind, but writes nothing: for a port that another program may hold. True if it is bound.
  bool TryBind(const std::string& name, absl::string_view host, const std::string& port_of = "");
  void Listen(const std::string& name, int backlog);
  void Connect(const std::string& name, absl::string_view host, const std::string& port_of);
  void Accept(const std::string& listener, const std::string& name, Mode mode = kBlocking);
  void Send(const std::string& name, absl::string_view bytes);
  void Recv(const std::string& name, size_t size_bytes = 100, int flags = 0);
  void Shutdown(const std::string& name, int how);
  void Close(const std::string& name);
  void SetInt(const std::string& name, int level, int option, int value);
  void GetInt(const std::string& name, int level, int option);
  void SetLinger(const std::string& name, int seconds);
  void SetTimeout(const std::string& name, int option, absl::Duration timeout);
  void SockError(const std::string& name) { GetInt(name, SOL_SOCKET, SO_ERROR); }
  void PeerName(const std::string& name);   // Without its port.
  void LocalName(const std::string& name);  // Without its port.

  // What poll shows at once, of all there is.
  void Ready(const std::string& name);
  // Waits until poll shows one of `events`, at most some seconds; then as Ready.
  void Await(const std::string& name, short events);

  // --- For what the above does not say ---
  int fd(const std::string& name) const;
  void Adopt(const std::string& name, int fd) { fds_[name] = fd; }

  // A listener on 127.0.0.1, a client connected to it and the accepted end: "listener", "client",
  // "server". Writes nothing but failures.
  void MakePair(Mode mode = kBlocking);

 private:
  uint16_t PortOf(const std::string& name);
  void Name(const std::string& name, bool peer);
  short Poll(const std::string& name, short events, absl::Duration timeout);

  net::Syscalls& calls_;
  std::map<std::string, int> fds_;
  std::vector<std::string> lines_;
};

// "IN|OUT|RDHUP", "-" for none; of poll and epoll alike.
std::string ReadinessText(uint32_t events);

struct TwinScript {
  absl::string_view name;  // In CamelCase: a test's name.
  void (*run)(Twin&);
};

// Every row of the table of Linux's manners that the simulator stands on, and more.
std::vector<TwinScript> TwinScripts();

// The script's lines.
std::vector<std::string> RunTwinScript(const TwinScript& script, net::Syscalls& calls);

}  // namespace rollcall

#endif  // ROLLCALL_TESTING_NET_TWIN_H_
