// The operations of a store, over its connections: no exceptions yet.
#ifndef ROLLCALL_STORE_CLIENT_STORE_CLIENT_H_
#define ROLLCALL_STORE_CLIENT_STORE_CLIENT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "net/address.h"
#include "net/env.h"
#include "net/tls/tls_context.h"
#include "store/atomic_duration.h"
#include "store/client/call.h"
#include "store/client/channel.h"
#include "store/client/channel_set.h"
#include "store/client/lane.h"
#include "store/client/pipeline.h"
#include "store/client/wait_exchange.h"
#include "store/protocol/dialect.h"
#include "store/protocol/limits.h"
#include "store/protocol/operation.h"
#include "store/protocol/reply.h"
#include "store/protocol/reply_parser.h"

namespace rollcall::client {

struct ClientOptions {
  net::Endpoint endpoint;
  protocol::Dialect dialect = protocol::Dialect::kModern;
  // As in Target.
  std::shared_ptr<const net::TlsContext> tls = nullptr;
  std::string server_name = {};
  std::shared_ptr<const std::string> token = nullptr;
  bool resumes = true;
  protocol::Limits limits;
  absl::Duration timeout = absl::Minutes(5);
};

// A store's operations as in store/store.h; every status carries a code and details. Thread-safe.
// `env` must outlive it.
//
// Each call has one absolute deadline. A time-out of zero means "is it there now?": one round trip,
// which may take the store's own time-out, or kZeroTimeoutBudget where that is zero too.
//
// Set, append, multi_set and queue_push have no reply: they return once the kernel has taken them,
// as in torch; a lost server shows in a later call, which then says how many writes were not
// confirmed. A lost connection is reported at once, to every call under way; the next call connects
// anew.
//
// Not so with a server that keeps a journal: a write returns once it is in there, and a call whose
// connection breaks goes on over another one until its deadline, as often as need be. What changes
// something is numbered, so that the server applies it once.
//
// Get is a wait and a get, as in torch: if the key is deleted between them, the value is empty
// (torch's poll server hangs up instead). A server that answers a get of a missing key is sent both
// in one piece, the get first: one round trip for a key that is there and not empty, two otherwise.
// To any other server it is two.
//
// A wait whose time is over is cancelled without waiting for the answer. Where the kernel does not
// take the cancel the connection is given up, and the WAIT_TIMEOUT says how many earlier writes
// were not confirmed.
class StoreClient {
 public:
  static constexpr absl::Duration kZeroTimeoutBudget = absl::Seconds(5);

  StoreClient(net::Env& env, ClientOptions options);
  // Waits, for at most kFarewell, until the server has what was written, where closing at once
  // could make the kernel throw it away.
  ~StoreClient();

  // Before all other calls.
  absl::Status Connect(absl::Time started, absl::Time deadline) {
    return channels_.Connect(started, deadline);
  }

  absl::Status Set(absl::string_view key, absl::string_view value);
  absl::StatusOr<std::string> CompareSet(absl::string_view key, absl::string_view expected,
                                         absl::string_view desired);
  absl::StatusOr<std::string> Get(absl::string_view key, absl::Duration timeout);
  absl::StatusOr<int64_t> Add(absl::string_view key, int64_t delta);
  absl::StatusOr<bool> Check(absl::Span<const std::string> keys);
  absl::Status Wait(absl::Span<const std::string> keys, absl::Duration timeout);
  absl::StatusOr<bool> DeleteKey(absl::string_view key);
  absl::StatusOr<int64_t> NumKeys();
  absl::Status Append(absl::string_view key, absl::string_view value);
  absl::StatusOr<std::vector<std::string>> MultiGet(absl::Span<const std::string> keys);
  absl::Status MultiSet(absl::Span<const std::string> keys, absl::Span<const std::string> values);
  absl::Status QueuePush(absl::string_view key, absl::string_view value);
  absl::StatusOr<std::string> QueuePop(absl::string_view key, bool block, absl::Duration timeout);
  absl::StatusOr<int64_t> QueueLen(absl::string_view key);
  absl::StatusOr<std::vector<std::string>> ListKeys();
  absl::Status Barrier(absl::string_view key, int64_t world_size, absl::Duration timeout);
  absl::Status Ping();

  // Sends what is queued, in its order and in as few pieces as can be, and returns once the server
  // has applied all of it. The pipeline is empty afterwards, whatever came of it. An error is of
  // the whole run; what was answered before it has been told so, the rest is told the error. No
  // request is sent twice. NOT_A_NUMBER where an add ended it.
  absl::Status Run(Pipeline& pipeline, absl::Duration timeout);

  // See TcpStore::Close.
  void Close() { channels_.Close(); }

  bool HasExtendedApi() const;
  absl::Duration timeout() const { return timeout_.Get(); }
  void SetTimeout(absl::Duration timeout) { timeout_.Set(timeout); }

  const ClientOptions& options() const { return options_; }
  const std::string& peer() const { return peer_; }
  ChannelSet& channels() { return channels_; }

 private:
  static constexpr absl::Duration kFarewell = absl::Seconds(1);

  Call Begin(absl::string_view operation, absl::Duration timeout) const;
  Call Begin(absl::string_view operation) const { return Begin(operation, timeout()); }
  Call Begin(absl::string_view operation, const absl::string_view& key) const;

  // How the server ended the connection under a request.
  enum class HangUp : uint8_t { kNone, kOrderly };

  // Runs `attempt` on a channel that `open` gives, and again on the next one if that broke and the
  // server keeps a journal. What comes of it, as the user is told. `hang_up` may be null.
  absl::Status OnChannel(const Call& call, bool changes_something, HangUp* hang_up,
                         absl::FunctionRef<absl::StatusOr<ChannelSet::Lease>()> open,
                         absl::FunctionRef<absl::Status(ChannelSet::Lease& channel)> attempt);
  // As above, on the primary channel.
  absl::Status OnPrimary(const Call& call, bool changes_something, HangUp* hang_up,
                         absl::FunctionRef<absl::Status(Channel& channel)> attempt);
  // `written` is what a request writer said. `hang_up` may be null.
  absl::StatusOr<protocol::OwnedReply> Exchange(const Call& call, const absl::Status& written,
                                                absl::string_view request, bool changes_something,
                                                protocol::ReplyKind kind, size_t texts = 0,
                                                HangUp* hang_up = nullptr);
  // For requests without a reply. `value` is the request's end, where it is sent apart.
  absl::Status SendOnly(const Call& call, const absl::Status& written, absl::string_view request,
                        absl::string_view value = "");
  absl::Status SendAndConfirm(const Call& call, Channel& channel, Lane::Number& number,
                              absl::string_view request, absl::string_view value);
  absl::Status SendKeyValue(protocol::Operation operation, absl::string_view key,
                            absl::string_view value);

  absl::Status WaitFor(const Call& call, absl::Span<const std::string> wire_keys);
  // `value`: what a get of the one key found on the way, left empty if nothing. May be null.
  absl::Status WaitOnServer(const Call& call, absl::Span<const std::string> wire_keys,
                            std::string* value = nullptr);
  // A get with a time-out of zero.
  absl::StatusOr<std::string> GetIfThere(const Call& call, const std::string& wire_key);
  absl::StatusOr<bool> AllThere(const Call& call, absl::Span<const std::string> wire_keys);
  absl::StatusOr<std::string> GetNow(const Call& call, absl::string_view wire_key);
  // delete_key, queue_len
  absl::StatusOr<int64_t> NumberOf(protocol::Operation operation, absl::string_view key,
                                   bool changes_something);
  absl::StatusOr<WaitPlan> PlanWait(const Call& call,
                                    absl::Span<const std::string> wire_keys) const;
  absl::Status WaitTimeout(const Call& call, const std::vector<bool>& missing,
                           int unacknowledged = 0) const;

  // As ExplainHangUp, of a pipeline of which so many items were answered.
  absl::Status ExplainRun(const Call& call, const std::vector<Pipeline::Item>& items,
                          size_t answered, const absl::Status& failed, bool is_orderly);
  // Returns once the server has applied what was written on the primary channel.
  absl::Status Flush(const Call& call);
  absl::StatusOr<WaitOutcome> RunBarrier(const Call& call, const WaitPlan& plan, HangUp& hang_up);
  absl::StatusOr<WaitOutcome> AttemptBarrier(const Call& call, const WaitPlan& plan,
                                             Channel& channel, Lane* lane, Lane::Number& number);
  // A server can only hang up on an add or barrier of what is no number: finds out whether that was
  // it. NOT_A_NUMBER, or `failed` as it is, also where the connection was cut: then the request may
  // have been applied, whatever is under the key by now.
  absl::Status ExplainHangUp(const Call& call, const absl::Status& failed, HangUp hang_up);

  absl::Status NotSent(const Call& call, const absl::Status& why) const;
  absl::Status Failed(const Call& call, const absl::Status& why, bool changes_something,
                      int unacknowledged);
  absl::Status Unsupported(const Call& call) const;

  net::Env& env_;
  const ClientOptions options_;
  const std::string peer_;
  AtomicDuration timeout_;
  ChannelSet channels_;
};

}  // namespace rollcall::client

#endif  // ROLLCALL_STORE_CLIENT_STORE_CLIENT_H_
