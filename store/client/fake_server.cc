#include "store/client/fake_server.h"

#include "absl/strings/escaping.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace rollcall::client {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(10);
constexpr absl::string_view kValidate("\0\xCE\xF7\x85\x3C", 5);

}  // namespace

std::string FakePeer::Read(size_t size_bytes) {
  std::string bytes(size_bytes, '\0');
  size_t filled = 0;
  while (filled < size_bytes) {
    absl::StatusOr<size_t> got =
        connection_->Read(&bytes[filled], size_bytes - filled, env_.Now() + kPatience);
    if (!got.ok()) break;
    filled += *got;
  }
  bytes.resize(filled);
  return bytes;
}

void FakePeer::Expect(absl::string_view bytes) {
  EXPECT_EQ(absl::BytesToHexString(Read(bytes.size())), absl::BytesToHexString(bytes));
}

void FakePeer::Write(absl::string_view bytes) {
  connection_->Write(bytes, env_.Now() + kPatience).IgnoreError();
}

void FakePeer::Greet() {
  Expect(kValidate);
  Expect("\x0D");
  Write(Read(4));
}

std::string FakePeer::ReadToEnd() {
  std::string bytes;
  for (std::string byte = Read(1); !byte.empty(); byte = Read(1)) bytes += byte;
  return bytes;
}

void FakeServer::Begin() {
  socket_ = env_.Listen({.host = "127.0.0.1", .port = 0}).value();
  thread_ = env_.StartThread("fake_server", [this] {
    for (Script& script : scripts_) {
      absl::StatusOr<std::unique_ptr<net::Connection>> connection =
          socket_->Accept(env_.Now() + kPatience);
      if (!connection.ok()) {
        ADD_FAILURE() << "no client came: " << connection.status();
        return;
      }
      FakePeer peer(env_, *std::move(connection));
      script(peer);
    }
  });
}

}  // namespace rollcall::client
