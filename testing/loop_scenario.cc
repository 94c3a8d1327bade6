#include "testing/loop_scenario.h"

#include <optional>
#include <utility>

#include "glog/logging.h"

namespace rollcall {
namespace {

constexpr absl::Duration kLookInterval = absl::Milliseconds(1);

void SetAndNotify(net::Monitor& monitor, bool& flag) {
  net::MonitorLock lock(&monitor);
  flag = true;
  monitor.NotifyAll();
}

// `flag` is guarded by `monitor`.
void WaitFor(net::Env& env, net::Monitor& monitor, const bool& flag, absl::string_view what) {
  const absl::Time deadline = env.Now() + 2 * kPatience;
  net::MonitorLock lock(&monitor);
  while (!flag) CHECK(monitor.WaitUntil(deadline) || flag) << what;
}

}  // namespace

net::NetErrorKind KindOf(const absl::Status& status) {
  const std::optional<net::NetErrorInfo> info = net::GetNetErrorInfo(status);
  return info.has_value() ? info->kind : net::NetErrorKind::kUnknown;
}

std::string Pattern(size_t size_bytes) {
  std::string bytes(size_bytes, '\0');
  uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

void Session::OnBytes(absl::string_view bytes) {
  received.append(bytes.data(), bytes.size());
  if (on_bytes) on_bytes(bytes);
}

absl::Span<char> Session::Room() {
  room_.assign(room_bytes, '?');
  return absl::MakeSpan(room_);
}

void Session::OnBytesInPlace(size_t count) { received.append(room_, 0, count); }

void Session::OnDrained() {
  ++times_drained;
  if (on_drained) on_drained();
}

void Session::OnEnd(absl::Status status) {
  ++times_ended;
  why = std::move(status);
  if (on_end) on_end();
}

LoopScenario::LoopScenario(net::Env& env, std::unique_ptr<net::EventLoop> loop)
    : env_(env),
      loop_(std::move(loop)),
      monitor_(env.NewMonitor()),
      thread_(env.StartThread("event loop", [this] { loop_->Run(); })) {}

LoopScenario::~LoopScenario() {
  loop_->Stop();
  thread_.reset();
  sessions_.clear();
  listener_.reset();
  loop_.reset();
}

void LoopScenario::OnLoop(const std::function<void()>& work) {
  bool done = false;
  loop_->Post([&] {
    work();
    SetAndNotify(*monitor_, done);
  });
  WaitFor(env_, *monitor_, done, "the loop does not run what is posted");
}

void LoopScenario::Look(const std::function<bool()>& condition, absl::Time deadline,
                        const std::function<void(bool)>& finish) {
  if (condition()) return finish(true);
  if (loop_->Now() >= deadline) return finish(false);
  loop_->RunAt(loop_->Now() + kLookInterval,
               [this, &condition, deadline, &finish] { Look(condition, deadline, finish); });
}

bool LoopScenario::Eventually(const std::function<bool()>& condition) {
  bool done = false;
  bool result = false;
  const std::function<void(bool)> finish = [&](bool found) {
    result = found;
    SetAndNotify(*monitor_, done);
  };
  const absl::Time limit = deadline();
  loop_->Post([&] { Look(condition, limit, finish); });
  WaitFor(env_, *monitor_, done, "the loop does not run its timers");
  return result;
}

void LoopScenario::WhileLoopIsBusy(const std::function<void()>& meanwhile) {
  bool busy = false;
  bool release = false;
  bool released = false;
  loop_->Post([&] {
    SetAndNotify(*monitor_, busy);
    WaitFor(env_, *monitor_, release, "the test does not let the loop go on");
    SetAndNotify(*monitor_, released);
  });
  WaitFor(env_, *monitor_, busy, "the loop does not run what is posted");
  meanwhile();
  SetAndNotify(*monitor_, release);
  WaitFor(env_, *monitor_, released, "the loop does not go on");
}

void LoopScenario::Echo(Session& session) {
  session.on_bytes = [&session](absl::string_view bytes) { session.stream->Write(bytes); };
  session.stream->Start(&session);
}

absl::Status LoopScenario::Listen(const net::ListenOptions& options) {
  absl::Status status;
  OnLoop([&] {
    absl::StatusOr<std::unique_ptr<net::Listener>> listener =
        loop_->Listen(options, [this](std::unique_ptr<net::Stream> stream) {
          Session& session = *sessions_.emplace_back(std::make_unique<Session>());
          session.stream = std::move(stream);
          on_accept(session);
        });
    status = listener.status();
    if (listener.ok()) listener_ = *std::move(listener);
  });
  return status;
}

void LoopScenario::Listen() {
  const absl::Status listens = Listen({.addresses = {net::SocketAddress::LoopbackV4(0)}});
  CHECK(listens.ok()) << listens;
}

net::Listener& LoopScenario::listener() {
  CHECK(listener_ != nullptr) << "nobody listens";
  return *listener_;
}

void LoopScenario::CloseListener() {
  OnLoop([this] { listener_.reset(); });
}

bool LoopScenario::HaveSessions(size_t count) {
  return Eventually([&] { return sessions_.size() >= count; });
}

void LoopScenario::EndSessions() {
  OnLoop([this] { sessions_.clear(); });
}

absl::StatusOr<std::unique_ptr<net::Connection>> LoopScenario::TryConnect(
    const net::SocketAddress& address) {
  return env_.ConnectAny({address}, deadline());
}

std::unique_ptr<net::Connection> LoopScenario::Connect() {
  absl::StatusOr<std::unique_ptr<net::Connection>> connection =
      TryConnect(listener().addresses().front());
  CHECK(connection.ok()) << connection.status();
  return *std::move(connection);
}

std::unique_ptr<net::Connection> LoopScenario::ConnectAndMeet() {
  size_t before = 0;
  OnLoop([&] { before = sessions_.size(); });
  std::unique_ptr<net::Connection> connection = Connect();
  CHECK(HaveSessions(before + 1)) << "the connection was not accepted";
  return connection;
}

void LoopScenario::Send(net::Connection& connection, absl::string_view bytes) {
  const absl::Status sent = connection.Write(bytes, deadline());
  CHECK(sent.ok()) << sent;
}

std::string LoopScenario::Receive(net::Connection& connection, size_t size_bytes) {
  std::string received(size_bytes, '\0');
  size_t end = 0;
  while (end < size_bytes) {
    const absl::StatusOr<size_t> count =
        connection.Read(received.data() + end, size_bytes - end, deadline());
    if (!count.ok()) {
      CHECK(KindOf(count.status()) != net::NetErrorKind::kTimedOut) << count.status();
      break;
    }
    end += *count;
  }
  received.resize(end);
  return received;
}

std::string LoopScenario::ReceiveAll(net::Connection& connection) {
  constexpr size_t kPieceBytes = 64 << 10;
  std::string received;
  for (;;) {
    const std::string piece = Receive(connection, kPieceBytes);
    received += piece;
    if (piece.size() < kPieceBytes) return received;
  }
}

std::unique_ptr<net::Thread> LoopScenario::StartThread(absl::AnyInvocable<void()> body) {
  return env_.StartThread("test", std::move(body));
}

}  // namespace rollcall
