#include "testing/server_scenario.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "gtest/gtest.h"
#include "net/net_error.h"
#include "store/protocol/wire_text.h"

namespace rollcall {
namespace {

constexpr size_t kReadBytes = 64 << 10;

bool IsEndOfConnection(const absl::Status& status) {
  const std::optional<net::NetErrorInfo> info = net::GetNetErrorInfo(status);
  return info.has_value() && (info->kind == net::NetErrorKind::kClosedByPeer ||
                              info->kind == net::NetErrorKind::kReset);
}

}  // namespace

RawPeer::RawPeer(net::Env& env, const net::SocketAddress& server) : env_(env) {
  absl::StatusOr<std::unique_ptr<net::Connection>> connected =
      env_.ConnectAny({server}, env_.Now() + kPatience);
  CHECK(connected.ok()) << connected.status();
  connection_ = *std::move(connected);
}

void RawPeer::Say(absl::string_view bytes) {
  const absl::Status written = connection_->Write(bytes, env_.Now() + kPatience);
  // A server may close before it has read all: what it says then is what counts.
  EXPECT_TRUE(written.ok() || IsEndOfConnection(written)) << written;
}

std::string RawPeer::Hear(size_t size_bytes) {
  std::string heard(size_bytes, '\0');
  size_t have = 0;
  while (have < size_bytes) {
    const absl::StatusOr<size_t> read =
        connection_->Read(heard.data() + have, size_bytes - have, env_.Now() + kPatience);
    if (!read.ok()) {
      ADD_FAILURE() << "after " << have << " of " << size_bytes << " bytes: " << read.status();
      heard.resize(have);
      break;
    }
    have += *read;
  }
  return heard;
}

std::string RawPeer::HearToTheEnd() {
  std::string heard;
  while (true) {
    const size_t before = heard.size();
    heard.resize(before + kReadBytes);
    const absl::StatusOr<size_t> read =
        connection_->Read(heard.data() + before, kReadBytes, env_.Now() + kPatience);
    heard.resize(before + (read.ok() ? *read : 0));
    if (read.ok()) continue;
    EXPECT_TRUE(IsEndOfConnection(read.status())) << read.status();
    return heard;
  }
}

void RawPeer::CloseOwnSide() {
  const absl::Status closed = connection_->ShutdownWrite();
  EXPECT_TRUE(closed.ok()) << closed;
}

ServerScenario::ServerScenario(net::Env& env, ServerOptions options,
                               const ServerEngineFactory& new_engine)
    : env_(env) {
  if (options.host.empty() && options.listen_fd < 0) options.host = "127.0.0.1";
  absl::StatusOr<std::unique_ptr<StoreServer>> started =
      StoreServer::Start(env_, options, new_engine);
  CHECK(started.ok()) << started.status();
  server_ = *std::move(started);
}

RawPeer ServerScenario::Connect() {
  return RawPeer(env_, net::SocketAddress::LoopbackV4(server_->port()));
}

RawPeer ServerScenario::Client(protocol::Dialect dialect) {
  RawPeer peer = Connect();
  const std::string greeting = protocol::Greeting(dialect);
  if (!greeting.empty()) peer.Say(greeting);
  return peer;
}

std::string ServerScenario::Ask(RawPeer& peer, absl::string_view request, absl::string_view reply) {
  peer.Say(Request(request));
  return peer.Hear(Reply(reply).size());
}

void ServerScenario::ExpectServed(RawPeer& peer) {
  EXPECT_EQ(Ask(peer, "ping 20260", "nonce 0"), Reply("nonce 20260"));
}

void ServerScenario::BeginWait(RawPeer& peer, absl::string_view key) {
  // A client that waits is served on: the ping is answered once the wait is known.
  peer.Say(Request(absl::StrCat("wait \"", key, "\"")));
  ExpectServed(peer);
}

std::string ServerScenario::Request(absl::string_view line) {
  return protocol::RequestBytes(protocol::Dialect::kModern, line);
}

std::string ServerScenario::SetRequest(absl::string_view key, absl::string_view value) {
  return Request(absl::StrCat("set \"", key, "\" \"", value, "\""));
}

std::string ServerScenario::LegacyRequest(absl::string_view line) {
  return protocol::RequestBytes(protocol::Dialect::kLegacy, line);
}

std::string ServerScenario::Reply(absl::string_view line) {
  std::string bytes;
  EXPECT_TRUE(protocol::AppendReplyLine(line, bytes).ok()) << line;
  return bytes;
}

std::string ServerScenario::Repeated(absl::string_view bytes, size_t times) {
  std::string result;
  for (size_t i = 0; i < times; ++i) result.append(bytes.data(), bytes.size());
  return result;
}

}  // namespace rollcall
