// What a client says first, so that both sides know whom they talk to.
#ifndef ROLLCALL_STORE_CLIENT_GREETING_H_
#define ROLLCALL_STORE_CLIENT_GREETING_H_

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "net/connection.h"
#include "net/env.h"
#include "store/client/channel.h"
#include "store/client/target.h"

namespace rollcall::client {

// In a modern dialect the greeting is VALIDATE and PING, in one piece, and the ping's answer, which
// says what the server can do; older ones have none. Nothing else is sent along with it: a greeting
// that is cut off is said again, and who joins must not be counted twice. With TLS its handshake
// comes before the greeting, and for a server that asks for a token that comes behind it.

// The connection of a new store object: looks the name up, connects and greets, again and again,
// with back-off, until all of it succeeds or the deadline comes; `started` is when the call began
// that it is for. Its error is CONNECT_REFUSED, CONNECT_NO_ANSWER, UNREACHABLE, NAME_LOOKUP,
// NOT_A_STORE or RESOURCE_EXHAUSTED, at the deadline; or at once, where trying again is of no use:
// UNREACHABLE for what a local rule forbids, CONNECTION_LOST if somebody else in this process has
// closed the descriptor, TLS_FAILED (at the deadline too, for a server that does not go on with the
// handshake), TOKEN_REJECTED. All but that begin in torch's words.
absl::StatusOr<std::unique_ptr<Channel>> OpenFirstChannel(net::Env& env, const Target& target,
                                                          absl::Time started, absl::Time deadline);

// By which another thread can end an opening that is under way. Thread-safe.
class OpeningWatch {
 public:
  virtual ~OpeningWatch() = default;
  // The connection may be shut down by another thread from now on, until Release. False: give up.
  virtual bool Hold(net::Connection* connection) = 0;
  virtual void Release(net::Connection* connection) = 0;
  // Sleeps, unless it is to give up.
  virtual void SleepUntil(absl::Time time) = 0;
};

// A further connection to a server that was there a moment ago: if it is gone, that should be known
// at once. Tries again only where the greeting was cut off, as an overflowing backlog does. `rank`
// is that as which this client has joined: the server is told it in the greeting, which has the
// same length with it.
absl::StatusOr<std::unique_ptr<Channel>> OpenFurtherChannel(net::Env& env, const Target& target,
                                                            std::optional<int> rank,
                                                            absl::Time deadline,
                                                            OpeningWatch& watch);

}  // namespace rollcall::client

#endif  // ROLLCALL_STORE_CLIENT_GREETING_H_
