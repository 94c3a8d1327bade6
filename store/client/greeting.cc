#include "store/client/greeting.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "net/backoff.h"
#include "net/connector.h"
#include "net/net_error.h"
#include "net/tls/tls_connection.h"
#include "net/tls/tls_error.h"
#include "net/tls/tls_session.h"
#include "store/client/call.h"
#include "store/dist_error.h"
#include "store/protocol/features.h"
#include "store/protocol/operation.h"
#include "store/protocol/reply.h"
#include "store/protocol/reply_parser.h"
#include "store/protocol/request_writer.h"

namespace rollcall::client {
namespace {

// Bytes of a ping's answer.
constexpr size_t kAnswerBytes = 4;
constexpr int kGreetingsMax = 5;

// A server's words are shown to its user; one that is no server of ours may say anything.
constexpr size_t kShownBytesMax = 200;

bool HasGreeting(protocol::Dialect dialect) { return dialect == protocol::Dialect::kModern; }

// What the last attempts ran into, beyond what net/ can know.
struct Greetings {
  bool connected = false;  // Somebody accepted, at least once.
  bool shaking = false;    // In the TLS handshake with the last one.
  uint32_t features = 0;   // Of the last one to answer.
  bool refuted = false;    // The last one to answer is no store.
  std::string answer;      // The bytes that say so, to be shown.
};

// Reads exactly what belongs to the one reply.
absl::Status ReadReply(net::Connection& connection, absl::Time deadline,
                       protocol::ReplyParser& parser, std::string& answer) {
  while (!parser.done()) {
    char bytes[kAnswerBytes];
    const size_t wanted = std::min(parser.missing_bytes(), sizeof(bytes));
    absl::StatusOr<size_t> got = connection.Read(bytes, wanted, deadline);
    if (!got.ok()) return got.status();
    answer.append(bytes, *got);
    absl::StatusOr<size_t> consumed = parser.Consume(absl::string_view(bytes, *got));
    if (!consumed.ok()) return consumed.status();
  }
  return absl::OkStatus();
}

// Puts one that encrypts in the place of `connection`.
absl::Status ShakeHands(net::Env& env, const Target& target,
                        std::unique_ptr<net::Connection>& connection, absl::Time deadline,
                        Greetings& greetings) {
  const std::string& name = target.server_name.empty() ? target.endpoint.host : target.server_name;
  absl::StatusOr<std::unique_ptr<net::TlsSession>> session =
      net::TlsSession::ForClient(target.tls, name, env.Now());
  if (!session.ok()) return session.status();
  auto encrypted =
      std::make_unique<net::TlsConnection>(&env, std::move(connection), *std::move(session));
  net::TlsConnection& shaking = *encrypted;
  connection = std::move(encrypted);
  greetings.shaking = true;
  absl::Status shaken = shaking.Handshake(deadline);
  greetings.shaking = !shaken.ok();
  return shaken;
}

absl::Status TokenRejected(const Target& target, std::string summary) {
  return StoreStatus(ErrorCode::kTokenRejected, std::move(summary),
                     {.operation = "connect", .peer = target.endpoint.ToString()});
}

absl::Status ShowToken(const Target& target, net::Connection& connection, absl::Time deadline) {
  if (target.token == nullptr) {
    return TokenRejected(target,
                         "the server serves only who has a token, and this client has none");
  }
  std::string request;
  absl::Status written = protocol::AppendCompareSet(protocol::Dialect::kModern, protocol::kTokenKey,
                                                    "", *target.token, request);
  if (!written.ok()) return written;
  if (absl::Status sent = connection.Write(request, deadline); !sent.ok()) return sent;
  protocol::ReplyParser parser(protocol::ReplyKind::kBytes);
  std::string answer;
  if (absl::Status read = ReadReply(connection, deadline, parser, answer); !read.ok()) return read;
  const std::string verdict = std::move(parser.Take().texts[0]);
  if (verdict == protocol::kTokenAccepted) return absl::OkStatus();
  return TokenRejected(target, absl::StrCat("the server did not accept this client's token: ",
                                            absl::CHexEscape(verdict.substr(0, kShownBytesMax))));
}

// `ping` asks for the server's features. `candidate` may be another one afterwards, also on a
// failure.
absl::Status Greet(net::Env& env, const Target& target, uint32_t ping,
                   std::unique_ptr<net::Connection>& candidate, absl::Time deadline,
                   Greetings& greetings) {
  greetings.connected = true;
  greetings.refuted = false;
  if (target.tls != nullptr) {
    absl::Status shaken = ShakeHands(env, target, candidate, deadline, greetings);
    if (!shaken.ok()) return shaken;
  }
  if (!HasGreeting(target.dialect)) return absl::OkStatus();
  net::Connection& connection = *candidate;
  std::string greeting;
  protocol::AppendValidate(greeting);
  absl::Status written = protocol::AppendPing(protocol::Dialect::kModern, ping, greeting);
  if (!written.ok()) return written;
  // In one piece: torch's libuv server cannot read one that is cut.
  if (absl::Status sent = connection.Write(greeting, deadline); !sent.ok()) return sent;
  protocol::ReplyParser parser(protocol::ReplyKind::kNonce);
  std::string answer;
  if (absl::Status read = ReadReply(connection, deadline, parser, answer); !read.ok()) return read;
  const auto number = static_cast<uint32_t>(parser.Take().number);
  if (const std::optional<uint32_t> features = protocol::FeaturesIn(number, ping)) {
    greetings.features = *features;
    if (!target.resumes) greetings.features &= ~protocol::kKeepsJournal;
    if ((*features & protocol::kWantsToken) == 0) return absl::OkStatus();
    return ShowToken(target, connection, deadline);
  }
  if (net::LooksLikeTlsAlert(answer)) {
    return net::NetError(
        "the server's port is one for TLS, and this client came without it",
        {.kind = net::NetErrorKind::kTls, .address = connection.peer_address().ToString()});
  }
  greetings.refuted = true;
  greetings.answer = absl::CHexEscape(answer);
  // Of a kind that is tried again: whoever has the port now may give it up to the store.
  return net::NetError(
      absl::StrCat("wrong answer to the greeting: \"", greetings.answer, "\""),
      {.kind = net::NetErrorKind::kUnknown, .address = connection.peer_address().ToString()});
}

ErrorCode CodeOfFailure(net::NetErrorKind kind, const Greetings& greetings) {
  if (kind == net::NetErrorKind::kTls) return ErrorCode::kTlsFailed;
  if (greetings.shaking && kind != net::NetErrorKind::kBug) return ErrorCode::kTlsFailed;
  switch (kind) {
    case net::NetErrorKind::kRefused:
      return ErrorCode::kConnectRefused;
    case net::NetErrorKind::kNoAnswer:
      return ErrorCode::kConnectNoAnswer;
    case net::NetErrorKind::kUnreachable:
    case net::NetErrorKind::kPermission:
      return ErrorCode::kUnreachable;
    case net::NetErrorKind::kNameLookup:
      return ErrorCode::kNameLookup;
    case net::NetErrorKind::kResourceExhausted:
    case net::NetErrorKind::kAddressNotLocal:  // No local port is left.
      return ErrorCode::kResourceExhausted;
    case net::NetErrorKind::kTimedOut:
      return greetings.connected ? ErrorCode::kNotAStore : ErrorCode::kNameLookup;
    case net::NetErrorKind::kBug:
      // The descriptor is not ours any more, which says nothing about who is at the other end.
      return ErrorCode::kConnectionLost;
    default:
      // Closed, reset or wrong, after we had connected; a reset before it is a refusal.
      return greetings.connected ? ErrorCode::kNotAStore : ErrorCode::kConnectRefused;
  }
}

// In torch's words first: people search for them.
absl::Status ConnectFailed(net::Env& env, const net::Endpoint& endpoint, absl::Time started,
                           absl::Time deadline, const absl::Status& why,
                           const Greetings& greetings) {
  const std::optional<net::NetErrorInfo> info = net::GetNetErrorInfo(why);
  if (!info.has_value()) return why;
  const std::string where = absl::StrCat("(", endpoint.host, ", ", endpoint.port, "). ");
  std::string summary =
      absl::IsDeadlineExceeded(why)
          ? absl::StrCat("The client socket has timed out after ",
                         absl::ToInt64Milliseconds(deadline - started),
                         "ms while trying to connect to ", where)
          : absl::StrCat("The client socket has failed to connect to any network address of ",
                         where);
  const ErrorCode code = CodeOfFailure(info->kind, greetings);
  if (code == ErrorCode::kNotAStore) {
    absl::StrAppend(&summary, greetings.refuted
                                  ? absl::StrCat("Who listens there answered \"", greetings.answer,
                                                 "\", which no store does. ")
                                  : "Who listens there does not answer a store's greeting. ");
  }
  absl::StrAppend(&summary, why.message());
  if (endpoint.port == 0) {
    absl::StrAppend(&summary, "; port 0 names no server: ask the server for the port it picked");
  }
  return StoreStatus(code, std::move(summary),
                     {.operation = "connect",
                      .peer = endpoint.ToString(),
                      .attempts = std::max(info->attempts, 1),
                      .elapsed = env.Now() - started});
}

absl::StatusOr<std::unique_ptr<Channel>> AttemptOnce(net::Env& env, const Target& target,
                                                     uint32_t ping, absl::Time deadline,
                                                     OpeningWatch& watch) {
  const absl::StatusOr<std::vector<net::SocketAddress>> addresses =
      env.Resolve(target.endpoint, deadline);
  if (!addresses.ok()) return addresses.status();
  absl::StatusOr<std::unique_ptr<net::Connection>> connection =
      env.ConnectAny(*addresses, deadline);
  if (!connection.ok()) return connection.status();
  Greetings greetings;
  // What is held stays where it is when it is encrypted, inside another one.
  net::Connection* const held = connection->get();
  if (!watch.Hold(held)) held->Shutdown();
  absl::Status greeted = Greet(env, target, ping, *connection, deadline, greetings);
  watch.Release(held);
  if (!greeted.ok()) return greeted;
  return std::make_unique<Channel>(*std::move(connection), greetings.features);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Channel>> OpenFirstChannel(net::Env& env, const Target& target,
                                                          absl::Time started, absl::Time deadline) {
  Greetings greetings;
  absl::StatusOr<std::unique_ptr<net::Connection>> connection = net::ConnectWithRetry(
      env, target.endpoint, {}, deadline,
      [&](std::unique_ptr<net::Connection>& candidate, absl::Time greet_by) {
        return Greet(env, target, protocol::kAskFeatures, candidate, greet_by, greetings);
      });
  if (connection.ok()) {
    return std::make_unique<Channel>(*std::move(connection), greetings.features);
  }
  return ConnectFailed(env, target.endpoint, started, deadline, connection.status(), greetings);
}

absl::StatusOr<std::unique_ptr<Channel>> OpenFurtherChannel(net::Env& env, const Target& target,
                                                            std::optional<int> rank,
                                                            absl::Time deadline,
                                                            OpeningWatch& watch) {
  const uint32_t ping = protocol::AskFeaturesAs(rank);
  net::Backoff backoff({});
  for (int attempt = 1;; ++attempt) {
    absl::StatusOr<std::unique_ptr<Channel>> channel =
        AttemptOnce(env, target, ping, deadline, watch);
    if (channel.ok() || !IsHangUp(channel.status()) || attempt >= kGreetingsMax) return channel;
    const absl::Time next = env.Now() + backoff.Next(env.RandomBits());
    if (next >= deadline) return channel;
    watch.SleepUntil(next);
  }
}

}  // namespace rollcall::client
