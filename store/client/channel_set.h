// The connections of one store object: one that carries everything in the order of the calls, and
// others for what must not stand in its way.
#ifndef ROLLCALL_STORE_CLIENT_CHANNEL_SET_H_
#define ROLLCALL_STORE_CLIENT_CHANNEL_SET_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "net/address.h"
#include "net/connection.h"
#include "net/env.h"
#include "net/monitor.h"
#include "store/client/channel.h"
#include "store/client/lane.h"
#include "store/client/target.h"
#include "store/client/wait_exchange.h"

namespace rollcall::client {

// Thread-safe. A rank that uses its store from one thread has one connection, waits included: with
// ten thousands of ranks on a server, a second one each would be felt. When a second thread needs
// the primary channel while one waits on it, the waiting one is asked to leave (one CANCEL_WAIT,
// sent by the second thread on its behalf) and goes on waiting on a secondary channel.
class ChannelSet {
 public:
  // `cancel` is the CANCEL_WAIT request; empty where the dialect has none: then nobody may wait on
  // the primary channel.
  ChannelSet(net::Env& env, Target target, std::string cancel);
  ~ChannelSet();

  // The first connection: tries again and again until the deadline, for a call that began
  // at `started`. Before all other calls.
  absl::Status Connect(absl::Time started, absl::Time deadline);

  // This client has joined as `rank`: further connections say so.
  void JoinedAs(int rank) { rank_ = rank; }

  // The use of a channel by one call. Gives it back when destroyed; a channel that is no longer in
  // step is closed, and with it the idle secondary ones, which are of the same server.
  class Lease {
   public:
    Lease(ChannelSet* set, std::unique_ptr<Channel> secondary);
    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&&) = delete;
    ~Lease();

    Channel& operator*() const { return *channel_; }
    Channel* operator->() const { return channel_; }
    // For RunWait; nullptr where nobody else can want the channel.
    WaitGate* gate() const;

   private:
    ChannelSet* set_;  // nullptr once moved from.
    std::unique_ptr<Channel> secondary_;
    Channel* channel_;
  };

  // Waits for its turn on the primary channel, which may be held by a call under way, but not by a
  // wait. If the connection was lost, connects anew, once. A failure is CONNECTION_LOST,
  // REPLY_TIMEOUT, RESOURCE_EXHAUSTED where it is this host that cannot connect, TLS_FAILED or
  // TOKEN_REJECTED, with the reason in its message.
  absl::StatusOr<Lease> Primary(absl::Time deadline);
  // A channel of one's own: an idle one, or a new connection.
  absl::StatusOr<Lease> Secondary(absl::Time deadline);

  // For good: whoever uses a channel is woken by an error, whoever waits for one or asks for one
  // later is told CLOSED. An attempt to connect is the one thing that is not interrupted: it ends
  // by itself, and then with CLOSED.
  void Close();
  bool is_closed();
  // CLOSED.
  static absl::Status Closed();
  // Sleeps, until the set is closed at the latest.
  void SleepUntil(absl::Time time);

  // True if something was written on the primary channel that may not have been applied.
  bool PrimaryHasUnacknowledged();
  // Before destruction, with no call under way: see ~StoreClient.
  void Finish(absl::Time deadline);

  // Whether the server did that was connected to last, and the store's user wants to have it so.
  bool keeps_journal() const { return keeps_journal_.load(std::memory_order_relaxed); }
  // For what is sent on a primary channel whose server keeps a journal.
  Lane& lane() { return *lane_; }
  // For a call on a secondary channel; give it back with ReturnLane.
  std::unique_ptr<Lane> TakeLane();
  void ReturnLane(std::unique_ptr<Lane> lane);

  const net::Endpoint& endpoint() const { return target_.endpoint; }
  const std::string& cancel_request() const { return cancel_; }
  // "127.0.0.1:33000 -> 127.0.0.1:29500"; "not connected".
  std::string Describe();

 private:
  class Gate;
  class Watch;

  static constexpr int kNoRank = -1;

  absl::StatusOr<std::unique_ptr<Channel>> Reconnect(absl::Time deadline);
  // Before a channel is used for the first time.
  void NoteFeatures(const Channel& channel);
  void AskWaiterToLeave() ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  void ReleasePrimary();
  void ReleaseSecondary(std::unique_ptr<Channel> channel);
  void Hold(net::Connection* connection) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);
  void Release(net::Connection* connection) ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_);

  net::Env& env_;
  const Target target_;
  const std::string cancel_;
  const std::unique_ptr<net::Monitor> monitor_;
  const std::unique_ptr<Gate> gate_;
  const std::unique_ptr<Watch> watch_;

  bool in_use_ ABSL_GUARDED_BY(*monitor_) = false;     // The primary channel, by one call.
  bool waiting_ ABSL_GUARDED_BY(*monitor_) = false;    // That call is a wait and may be asked ...
  bool preempted_ ABSL_GUARDED_BY(*monitor_) = false;  // ... to leave, and has been.
  int contenders_ ABSL_GUARDED_BY(*monitor_) = 0;
  bool closed_ ABSL_GUARDED_BY(*monitor_) = false;
  // Written only by the one whose turn it is. nullptr: lost.
  std::unique_ptr<Channel> primary_;
  std::vector<std::unique_ptr<Channel>> idle_ ABSL_GUARDED_BY(*monitor_);
  std::atomic<bool> keeps_journal_ = false;
  std::unique_ptr<Lane> lane_;  // Made once.
  // Of calls that are over. A session of the server's each: kept, so that there are few.
  std::vector<std::unique_ptr<Lane>> spare_lanes_ ABSL_GUARDED_BY(*monitor_);
  // Those that a thread may be blocked on, beside the primary one: of secondary channels in use,
  // and of openings under way.
  std::vector<net::Connection*> held_ ABSL_GUARDED_BY(*monitor_);
  std::atomic<int> rank_ = kNoRank;
};

}  // namespace rollcall::client

#endif  // ROLLCALL_STORE_CLIENT_CHANNEL_SET_H_
