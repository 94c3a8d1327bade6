// One connection to a server, as an exchange of requests and replies that stays in step.
#ifndef ROLLCALL_STORE_CLIENT_CHANNEL_H_
#define ROLLCALL_STORE_CLIENT_CHANNEL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/connection.h"
#include "store/protocol/features.h"
#include "store/protocol/reply.h"
#include "store/protocol/reply_parser.h"

namespace rollcall::client {

// The protocol has no request numbers: a reply is known only by its place. So the channel keeps a
// list of answers that are still to come for what was given up (the cancelling of a wait, the get
// that was sent ahead of it), and takes them off the stream before it reads what is asked for: a
// call that times out need not wait for them, and the connection stays of use.
//
// One thread at a time, but for SendFromOutside.
class Channel {
 public:
  // `features` are what the server said of itself (protocol/features.h).
  explicit Channel(std::unique_ptr<net::Connection> connection, uint32_t features = 0);
  // A broken one is cut: what the kernel has not delivered of requests that were given up must not
  // reach the server later, after what others have written since.
  ~Channel();

  // In the place of each reply the server may say goodbye (protocol/goodbye.h), if it is one that
  // does: that is told as an error with its code, of the call that meets it, and breaks the
  // channel.

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

  // From now on, replies are preceded by the answer to a CANCEL_WAIT, by `count` one-byte answers,
  // or by a text.
  void OweCancelAnswer();
  void OweSignals(size_t count);
  void OweText();
  size_t owed() const { return owed_.size(); }
  bool owes() const { return owed() > 0; }

  // The first of what is owed: for the answer to a CANCEL_WAIT kStopWaiting if the wait ended
  // before it was cancelled, else kWaitCanceled; for a text nothing of meaning. A time-out leaves
  // the channel as it was. Only if owes().
  absl::StatusOr<uint8_t> ReceiveOwed(absl::Time deadline);

  // The text that is owed last, after all that is owed before it. A time-out leaves the channel as
  // it was: the text is still owed. Only after OweText.
  absl::StatusOr<std::string> ReceiveOwedText(absl::Time deadline);

  // Bytes have come that nobody has asked for yet: the next Receive does not block for its first.
  bool has_unread() const { return read_ < filled_; }

  bool answers_get_of_missing_key() const {
    return (features_ & protocol::kAnswersGetOfMissingKey) != 0;
  }
  bool keeps_journal() const { return (features_ & protocol::kKeepsJournal) != 0; }

  // Whose requests the server takes the numbered ones for (lane.h); empty at first.
  const std::string& session() const { return session_; }
  void SetSession(std::string session) { session_ = std::move(session); }

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
    kText,
    kCancelAnswer,         // WAIT_CANCELED, with a STOP_WAITING before it if the two crossed.
    kCancelAnswerCrossed,  // The STOP_WAITING has come.
  };

  absl::StatusOr<uint8_t> ReceiveByte(absl::Time deadline);
  absl::StatusOr<std::string> ReceiveFirstOwedText(absl::Time deadline);
  // `parser` may go on with it after a time-out, which alone does not break the channel.
  absl::Status Parse(protocol::ReplyParser& parser, size_t bytes_behind, absl::Time deadline);
  // Where a reply begins, which has at least `head_bytes`: an error if it is a goodbye, or if what
  // decides that did not come.
  absl::Status CheckGoodbye(size_t head_bytes, size_t wanted_bytes, absl::Time deadline);
  absl::Status TakeGoodbye(absl::Time deadline);
  // Why a request could not be sent: what the server said before it hung up, else `failure`.
  absl::Status WhyHungUp(absl::Status failure);
  void ShrinkBuffer();
  // At least one unread byte in buffer_, or `bytes_min`, of 8 at most.
  absl::Status Fill(size_t wanted_bytes, absl::Time deadline, size_t bytes_min = 1);
  absl::string_view unread() const {
    return absl::string_view(buffer_.data() + read_, filled_ - read_);
  }

  const std::unique_ptr<net::Connection> connection_;
  const uint32_t features_;
  std::vector<char> buffer_;
  size_t read_ = 0;
  size_t filled_ = 0;
  absl::InlinedVector<Owed, 8> owed_;  // In the order in which they come.
  // Of the text that is owed first, once part of it has been asked for.
  std::unique_ptr<protocol::ReplyParser> text_parser_;
  std::atomic<int> unacknowledged_ = 0;
  bool in_step_ = true;
  std::string session_;
};

}  // namespace rollcall::client

#endif  // ROLLCALL_STORE_CLIENT_CHANNEL_H_
