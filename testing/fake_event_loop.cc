#include "testing/fake_event_loop.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "net/net_error.h"

namespace rollcall {
namespace {

constexpr uint16_t kFirstFreePort = 29500;

}  // namespace

class FakeStream final : public net::Stream {
 public:
  FakeStream(FakeEventLoop* loop, std::shared_ptr<FakePeer> peer)
      : loop_(loop),
        number_(++loop->streams_made_),
        peer_(std::move(peer)),
        peer_address_(
            peer_->address_.is_valid()
                ? peer_->address_
                : net::SocketAddress::LoopbackV4(static_cast<uint16_t>(40000 + number_ % 20000))) {
    loop_->streams_[number_] = this;
  }

  ~FakeStream() override {
    Close();
    loop_->streams_.erase(number_);
  }

  void MoveTo(net::EventLoop* loop) override {
    CHECK(handler_ == nullptr) << "a stream stays where it was started";
    loop_->streams_.erase(number_);
    loop_ = static_cast<FakeEventLoop*>(loop);
    number_ = ++loop_->streams_made_;
    loop_->streams_[number_] = this;
  }

  void Start(net::StreamHandler* handler) override {
    handler_ = handler;
    peer_->read_from_ = true;
  }

  void Write(absl::string_view bytes) override {
    if (closed_ || failed_) return;
    ++peer_->writes_;
    if (peer_->reset_) {
      failed_ = true;
      return;
    }
    unsent_.append(bytes.data(), bytes.size());
    Transfer();
    drain_due_ = !unsent_.empty();
  }

  size_t unsent_bytes() const override { return unsent_.size(); }
  void PauseReading() override { peer_->read_from_ = false; }
  void ResumeReading() override { peer_->read_from_ = true; }

  void Close() override {
    closed_ = true;
    handler_ = nullptr;
    unsent_.clear();
    peer_->closed_by_server_ = true;
  }

  const net::SocketAddress& peer_address() const override { return peer_address_; }

  // One event at most. False if there was none.
  bool Serve() {
    if (handler_ == nullptr) return false;
    if (peer_->reset_ || failed_) return Fail();
    if (ended_) return Drain();
    if (Drain()) return true;
    if (!peer_->read_from_) return false;
    if (!peer_->sent_.empty()) {
      const std::string bytes = std::move(peer_->sent_.front());
      peer_->sent_.pop_front();
      if (!bytes.empty()) handler_->OnBytes(bytes);
      return true;
    }
    if (!peer_->ended_) return false;
    ended_ = true;
    handler_->OnEnd(absl::OkStatus());
    return true;
  }

 private:
  void Transfer() {
    const size_t taken = std::min(unsent_.size(), peer_->window_bytes_);
    peer_->received_.append(unsent_, 0, taken);
    peer_->window_bytes_ -= taken;
    unsent_.erase(0, taken);
  }

  bool Fail() {
    const bool had_unsent = !unsent_.empty();
    unsent_.clear();
    failed_ = true;
    if (!std::exchange(ended_, true)) {
      handler_->OnEnd(net::NetError("reset by the test", {.kind = net::NetErrorKind::kReset}));
      return true;
    }
    // OnEnd does not come twice: this is how the owner learns that there is nothing to wait for.
    if (had_unsent) handler_->OnDrained();
    return had_unsent;
  }

  bool Drain() {
    if (!drain_due_) return false;
    Transfer();
    if (!unsent_.empty()) return false;
    drain_due_ = false;
    handler_->OnDrained();
    return true;
  }

  FakeEventLoop* loop_;
  uint64_t number_;
  const std::shared_ptr<FakePeer> peer_;
  const net::SocketAddress peer_address_;
  net::StreamHandler* handler_ = nullptr;
  std::string unsent_;
  bool drain_due_ = false;
  bool closed_ = false;
  bool failed_ = false;
  bool ended_ = false;  // OnEnd has been called.
};

class FakeListener final : public net::Listener {
 public:
  FakeListener(FakeEventLoop* loop, std::vector<net::SocketAddress> addresses)
      : loop_(loop), addresses_(std::move(addresses)) {}
  ~FakeListener() override { loop_->listeners_.erase(port()); }
  const std::vector<net::SocketAddress>& addresses() const override { return addresses_; }

 private:
  FakeEventLoop* const loop_;
  const std::vector<net::SocketAddress> addresses_;
};

void FakePeer::Reset() {
  reset_ = true;
  sent_.clear();
}

FakeEventLoop::~FakeEventLoop() {
  CHECK(streams_.empty()) << "a stream outlives its loop";
  CHECK(listeners_.empty()) << "a listener outlives its loop";
}

std::shared_ptr<FakePeer> FakeEventLoop::Connect(uint16_t port, const net::SocketAddress& from) {
  CHECK_EQ(listeners_.count(port), 1u) << "nobody listens on port " << port;
  auto peer = std::make_shared<FakePeer>();
  peer->address_ = from;
  connecting_.emplace_back(port, peer);
  return peer;
}

void FakeEventLoop::RunUntilIdle() {
  while (RunOneTurn()) {
  }
}

void FakeEventLoop::AdvanceTo(absl::Time when) {
  RunUntilIdle();
  while (!timers_.empty() && timers_.begin()->first.first <= when) {
    now_ = std::max(now_, timers_.begin()->first.first);
    RunUntilIdle();
  }
  now_ = std::max(now_, when);
  RunUntilIdle();
}

void FakeEventLoop::Run() {
  stopped_ = false;
  while (!stopped_) {
    if (RunOneTurn()) continue;
    if (timers_.empty()) return;
    now_ = std::max(now_, timers_.begin()->first.first);
  }
  RunPosted();
}

bool FakeEventLoop::RunOneTurn() {
  const bool posted = RunPosted();
  const bool timers = RunDueTimers();
  const bool accepted = AcceptConnections();
  const bool served = ServeStreams();
  return posted || timers || accepted || served;
}

bool FakeEventLoop::RunPosted() {
  std::deque<absl::AnyInvocable<void()>> posted;
  posted.swap(posted_);
  for (absl::AnyInvocable<void()>& work : posted) work();
  return !posted.empty();
}

bool FakeEventLoop::RunDueTimers() {
  bool ran = false;
  while (!timers_.empty() && timers_.begin()->first.first <= now_) {
    absl::AnyInvocable<void()> work = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    work();
    ran = true;
  }
  return ran;
}

bool FakeEventLoop::AcceptConnections() {
  bool accepted = false;
  while (!connecting_.empty()) {
    auto [port, peer] = std::move(connecting_.front());
    connecting_.pop_front();
    auto stream = std::make_unique<FakeStream>(this, std::move(peer));
    accepted = true;
    // Without a listener the stream closes as it goes out of scope.
    const auto listener = listeners_.find(port);
    if (listener != listeners_.end()) listener->second(std::move(stream));
  }
  return accepted;
}

bool FakeEventLoop::ServeStreams() {
  std::vector<uint64_t> numbers;
  for (const auto& [number, stream] : streams_) numbers.push_back(number);
  bool served = false;
  for (const uint64_t number : numbers) {
    const auto stream = streams_.find(number);
    if (stream != streams_.end() && stream->second->Serve()) served = true;
  }
  return served;
}

net::TimerId FakeEventLoop::RunAt(absl::Time when, absl::AnyInvocable<void()> work) {
  const net::TimerId id = ++last_timer_;
  timers_[{when, id}] = std::move(work);
  return id;
}

void FakeEventLoop::CancelTimer(net::TimerId timer) {
  const auto found = std::find_if(timers_.begin(), timers_.end(),
                                  [&](const auto& entry) { return entry.first.second == timer; });
  if (found != timers_.end()) timers_.erase(found);
}

absl::StatusOr<std::unique_ptr<net::Listener>> FakeEventLoop::Listen(
    const net::ListenOptions& options, net::AcceptCallback on_accept) {
  CHECK_LT(options.adopt_fd, 0) << "a FakeEventLoop adopts no descriptors";
  std::vector<net::SocketAddress> addresses = options.addresses;
  if (addresses.empty()) addresses.push_back(net::SocketAddress::AnyV6(options.port));
  uint16_t port = addresses.front().port();
  if (port == 0) {
    for (port = kFirstFreePort; listeners_.count(port) != 0;) ++port;
  } else if (listeners_.count(port) != 0) {
    return net::NetError(absl::StrCat("listening on port ", port),
                         {.kind = net::NetErrorKind::kAddressInUse});
  }
  for (net::SocketAddress& address : addresses) address.set_port(port);
  listeners_[port] = std::move(on_accept);
  return std::make_unique<FakeListener>(this, std::move(addresses));
}

}  // namespace rollcall
