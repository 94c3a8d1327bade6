// Many simulated clients in one thread: sockets that never block, encrypted or not, one epoll,
// answers recognized by the dialog.
#ifndef ROLLCALL_TOOLS_BENCH_LOAD_H_
#define ROLLCALL_TOOLS_BENCH_LOAD_H_

#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/tls/tls_context.h"
#include "net/tls/tls_session.h"
#include "tools/bench/dialog.h"

namespace rollcall::bench {

class Load;

// Where the clients of a load connect to, and how.
struct Access {
  sockaddr_in address = {};
  std::shared_ptr<const net::TlsContext> tls = nullptr;  // Null: in the clear.
};

// One client. A workload's handler asks through it; the rest is the load's.
class Client {
 public:
  // Queues a request, which leaves when the handler returns, together with whatever else it asked.
  // Returns whether it will be answered.
  bool Ask(const Call& call);
  // The same for a long one, whose bytes are not copied: `call` must live until it has left, and
  // nothing may be asked before that.
  bool AskInPlace(const Call& call);

  int index = 0;  // Of a client in its load.
  int step = 0;   // The workload's own.

 private:
  friend class Load;

  struct Awaited {
    Expected answer;
    bool ends_call;
  };

  bool Await(const Call& call);
  // What is to be sent next, as it was asked.
  absl::string_view Unsent() const;
  // So much of Unsent() has left.
  void Advance(size_t size_bytes);

  int fd_ = -1;
  bool writing_ = false;  // Epoll tells when there is room.
  std::string out_;
  size_t out_sent_ = 0;
  absl::string_view in_place_;            // After out_.
  std::unique_ptr<net::TlsSession> tls_;  // Null: in the clear.
  std::string wire_;                      // Encrypted, and to be sent before what was not as yet.
  size_t wire_sent_ = 0;
  std::string in_;            // The beginning of an answer that says too little as yet.
  uint64_t answer_left_ = 0;  // Of a long answer, whose bytes nobody wants.
  std::vector<Awaited> awaited_;
  size_t answered_ = 0;  // The front of awaited_.
};

// What a workload does with its clients. `answer` is the last answer to a call, whole, or empty for
// one that is longer than a read.
using OnAnswer = absl::FunctionRef<void(Client& client, absl::string_view answer)>;

// Not thread-safe.
class Load {
 public:
  // `dialog` must outlive the load.
  Load(const Dialog* dialog, Access access, int clients);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  const Dialog& dialog() const { return *dialog_; }
  int size() const { return static_cast<int>(clients_.size()); }
  Client& client(int index) { return clients_[static_cast<size_t>(index)]; }

  // Connects and does not wait for it: what the client asks is sent as soon as it can be. A failure
  // shows in Run.
  void Connect(Client& client);
  // Closes it, and forgets what it asked.
  void Close(Client& client);
  // Sends what the client asked outside of a handler.
  void Flush(Client& client);

  // Reads answers until `done`, which is asked after each round of events. DeadlineExceeded after
  // `timeout`; Unavailable when a connection ends, DataLoss when an answer is an error or was not
  // asked for.
  absl::Status Run(OnAnswer on_answer, absl::FunctionRef<bool()> done,
                   absl::Duration timeout = absl::Seconds(60));

  // One call of one client, up to its answer.
  absl::Status Exchange(Client& client, const Call& call, std::string* answer = nullptr);
  // Says hello and shows the token, up to the answers, on a connection that was just made.
  absl::Status Greet(Client& client);
  // Connects all, `window` at a time, and lets each say hello (or ask something, where a
  // protocol has no greeting) and show its token, up to the answers.
  absl::Status ConnectAll(int window = 500);

 private:
  absl::Status BeginTls(Client& client);
  // What is to be sent next: of a client with TLS encrypted, and as much as belongs into one send.
  absl::string_view Due(Client& client);
  void Read(Client& client, OnAnswer on_answer);
  // What `in`, which came from the server, is in the clear. Valid until the next call.
  absl::StatusOr<absl::string_view> Decrypt(Client& client, absl::string_view in);
  // Calls `on_answer` for what is whole in `in`. Returns what is left.
  absl::string_view TakeAnswers(Client& client, absl::string_view in, OnAnswer on_answer);
  void EndAnswer(Client& client, absl::string_view answer, OnAnswer on_answer);
  void WatchForRoom(Client& client, bool wanted);
  void Fail(absl::Status status);

  const Dialog* const dialog_;
  const Access access_;
  const int epoll_fd_;
  absl::Status status_;
  std::deque<Client> clients_;
  std::vector<char> buffer_;
  std::vector<char> plain_;  // Of what came with TLS.
};

}  // namespace rollcall::bench

#endif  // ROLLCALL_TOOLS_BENCH_LOAD_H_
