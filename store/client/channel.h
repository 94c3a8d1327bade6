// One connection to a server, as an exchange of requests and replies that stays in step.
#ifndef ROLLCALL_STORE_CLIENT_CHANNEL_H_
#define ROLLCALL_STORE_CLIENT_CHANNEL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/connection.h"
#include "store/protocol/reply.h"
#include "store/protocol/reply_parser.h"

namespace rollcall::client {

// The protocol has no request numbers: a reply is known only by its place. So the channel keeps a
// list of one-byte answers that are still to come for what was given up (the cancelling of a wait),
// and takes them off the stream before it reads what is asked for: a call that times out need not
// wait for them, and the connection stays of use.
//
// One thread at a time, but for SendFromOutside.
class Channel {
 public:
  explicit Channel(std::unique_ptr<net::Connection> connection);
  // A broken one is cut: what the kernel has not delivered of requests that were given up must not
  // reach the server later, after what others have written since.
  ~Channel();

  // Hands a request to the kernel. A failure, a time-out too, breaks the channel.
  absl::Status Send(absl::string_view request, absl::Time deadline);

  // Hands over a few bytes while another thread may be receiving. Gives up at once where the kernel
  // has no room; a failure wakes the receiver with an error. Not while another thread sends.
  absl::Status SendFromOutside(absl::string_view request);

  // The next reply. A failure, a time-out too, breaks the channel.
  absl::StatusOr<protocol::OwnedReply> Receive(protocol::ReplyKind kind, size_t texts,
                                               absl::Time deadline);

  // The next one-byte reply. A time-out (NetErrorKind::kTimedOut) leaves the channel as it was.
  absl::StatusOr<uint8_t> ReceiveSignal(absl::Time deadline);

  // From now on, replies are preceded by the answer to a CANCEL_WAIT, or by `count` one-byte
  // answers.
  void OweCancelAnswer();
  void OweSignals(size_t count);
  size_t owed() const { return owed_.size(); }
  bool owes() const { return owed() > 0; }

  // The first of what is owed: for the answer to a CANCEL_WAIT kStopWaiting if the wait ended
  // before it was cancelled, else kWaitCanceled. A time-out leaves the channel as it was. Only if
  // owes().
  absl::StatusOr<uint8_t> ReceiveOwed(absl::Time deadline);

  // Something was written that has no reply: whether it was applied is known only once a later
  // request has been answered. unacknowledged() may be asked by any thread.
  void CountUnacknowledged(int writes) { unacknowledged_ += writes; }
  int unacknowledged() const { return unacknowledged_; }

  // False once the next byte can no longer be told: close it.
  bool in_step() const { return in_step_; }
  void Break() { in_step_ = false; }

  const net::Connection& connection() const { return *connection_; }
  // For Shutdown, which any thread may call.
  net::Connection& connection() { return *connection_; }

 private:
  enum class Owed : uint8_t {
    kSignal,
    kCancelAnswer,         // WAIT_CANCELED, with a STOP_WAITING before it if the two crossed.
    kCancelAnswerCrossed,  // The STOP_WAITING has come.
  };

  absl::StatusOr<uint8_t> ReceiveByte(absl::Time deadline);
  // At least one unread byte in buffer_.
  absl::Status Fill(size_t wanted_bytes, absl::Time deadline);
  absl::string_view unread() const {
    return absl::string_view(buffer_.data() + read_, filled_ - read_);
  }

  const std::unique_ptr<net::Connection> connection_;
  std::vector<char> buffer_;
  size_t read_ = 0;
  size_t filled_ = 0;
  absl::InlinedVector<Owed, 8> owed_;  // In the order in which they come.
  std::atomic<int> unacknowledged_ = 0;
  bool in_step_ = true;
};

}  // namespace rollcall::client

#endif  // ROLLCALL_STORE_CLIENT_CHANNEL_H_
