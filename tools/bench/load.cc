#include "tools/bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "glog/logging.h"
#include "net/tls/tls_context.h"
#include "net/tls/tls_session.h"
#include "tools/bench/dialog.h"

namespace rollcall::bench {
namespace {

constexpr size_t kReadBytes = 256 << 10;
constexpr int kEventsMax = 512;
// Answered entries of Client::awaited_ that are worth the move of the others.
constexpr size_t kAnsweredMax = 64;

absl::Status SocketError(absl::string_view what, int error) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(error)));
}

// So much is encrypted at once; a send takes about as much.
constexpr size_t kEncryptedBytesMax = 256 << 10;

// Their answers show that the server has the connection: until then it stands in a backlog of
// limited length.
std::vector<Call> Greeting(const Dialog& dialog) {
  Call hello = dialog.Hello();
  std::vector<Call> greeting = {hello.answers.empty() ? dialog.Probe() : std::move(hello)};
  if (std::optional<Call> token = dialog.Token()) greeting.push_back(*std::move(token));
  return greeting;
}

std::string HostOf(const sockaddr_in& address) {
  std::array<char, INET_ADDRSTRLEN> text;
  PCHECK(inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size()) != nullptr);
  return text.data();
}

}  // namespace

bool Client::Ask(const Call& call) {
  CHECK(in_place_.empty());
  out_.append(call.bytes);
  return Await(call);
}

bool Client::AskInPlace(const Call& call) {
  CHECK(in_place_.empty());
  in_place_ = call.bytes;
  return Await(call);
}

bool Client::Await(const Call& call) {
  for (size_t i = 0; i < call.answers.size(); ++i) {
    awaited_.push_back({call.answers[i], i + 1 == call.answers.size()});
  }
  return !call.answers.empty();
}

absl::string_view Client::Unsent() const {
  return out_sent_ < out_.size() ? absl::string_view(out_).substr(out_sent_) : in_place_;
}

void Client::Advance(size_t size_bytes) {
  if (out_sent_ == out_.size()) return in_place_.remove_prefix(size_bytes);
  out_sent_ += size_bytes;
  if (out_sent_ < out_.size()) return;
  out_.clear();
  out_sent_ = 0;
}

Load::Load(const Dialog* dialog, Access access, int clients)
    : dialog_(dialog),
      access_(std::move(access)),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      clients_(static_cast<size_t>(clients)),
      buffer_(kReadBytes) {
  PCHECK(epoll_fd_ >= 0);
  // Beside what was received now there may be the beginning of a record, received before.
  if (access_.tls != nullptr) plain_.resize(kReadBytes + 2 * net::TlsSession::kRecordBytesMax);
  for (int i = 0; i < clients; ++i) clients_[static_cast<size_t>(i)].index = i;
}

Load::~Load() {
  for (Client& client : clients_) Close(client);
  close(epoll_fd_);
}

void Load::Connect(Client& client) {
  CHECK(client.fd_ < 0);
  client.fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (client.fd_ < 0) return Fail(SocketError("socket", errno));
  const int yes = 1;
  setsockopt(client.fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  const int connected = connect(client.fd_, reinterpret_cast<const sockaddr*>(&access_.address),
                                sizeof(access_.address));
  if (connected != 0 && errno != EINPROGRESS) return Fail(SocketError("connect", errno));
  epoll_event event = {.events = EPOLLIN, .data = {.ptr = &client}};
  PCHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, client.fd_, &event) == 0);
  if (access_.tls == nullptr) return;
  if (absl::Status begun = BeginTls(client); !begun.ok()) Fail(std::move(begun));
}

absl::Status Load::BeginTls(Client& client) {
  absl::StatusOr<std::unique_ptr<net::TlsSession>> session =
      net::TlsSession::ForClient(access_.tls, HostOf(access_.address), absl::Now());
  if (!session.ok()) return session.status();
  client.tls_ = *std::move(session);
  return client.tls_->Handshake(client.wire_);
}

void Load::Close(Client& client) {
  if (client.fd_ >= 0) close(client.fd_);
  client.fd_ = -1;
  client.writing_ = false;
  client.out_.clear();
  client.out_sent_ = 0;
  client.in_place_ = {};
  client.tls_.reset();
  client.wire_.clear();
  client.wire_sent_ = 0;
  client.in_.clear();
  client.answer_left_ = 0;
  client.awaited_.clear();
  client.answered_ = 0;
  client.step = 0;
}

void Load::Flush(Client& client) {
  if (client.fd_ < 0) return;
  for (absl::string_view bytes = Due(client); !bytes.empty(); bytes = Due(client)) {
    const ssize_t sent = send(client.fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EAGAIN) return WatchForRoom(client, true);
      return Fail(SocketError(absl::StrCat("send of client ", client.index), errno));
    }
    if (client.tls_ == nullptr) {
      client.Advance(static_cast<size_t>(sent));
    } else {
      client.wire_sent_ += static_cast<size_t>(sent);
    }
  }
  if (client.writing_) WatchForRoom(client, false);
}

absl::string_view Load::Due(Client& client) {
  if (client.tls_ == nullptr) return client.Unsent();
  if (client.wire_sent_ == client.wire_.size()) {
    client.wire_.clear();
    client.wire_sent_ = 0;
    const absl::string_view clear = client.Unsent().substr(0, kEncryptedBytesMax);
    if (clear.empty() || !client.tls_->established()) return {};
    if (absl::Status written = client.tls_->Write(clear, client.wire_); !written.ok()) {
      Fail(std::move(written));
      return {};
    }
    client.Advance(clear.size());
  }
  return absl::string_view(client.wire_).substr(client.wire_sent_);
}

void Load::WatchForRoom(Client& client, bool wanted) {
  if (client.writing_ == wanted) return;
  client.writing_ = wanted;
  epoll_event event = {.events = EPOLLIN, .data = {.ptr = &client}};
  if (wanted) event.events |= EPOLLOUT;
  PCHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, client.fd_, &event) == 0);
}

absl::Status Load::Run(OnAnswer on_answer, absl::FunctionRef<bool()> done, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  std::array<epoll_event, kEventsMax> events;
  while (status_.ok() && !done()) {
    const int ready = epoll_wait(epoll_fd_, events.data(), kEventsMax, 100);
    PCHECK(ready >= 0 || errno == EINTR);
    for (int i = 0; i < ready && status_.ok(); ++i) {
      Client& client = *static_cast<Client*>(events[i].data.ptr);
      if (client.fd_ < 0) continue;  // Closed since, by a handler.
      if ((events[i].events & EPOLLOUT) != 0) Flush(client);
      if ((events[i].events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) Read(client, on_answer);
    }
    if (ready == 0 && absl::Now() > deadline) {
      Fail(absl::DeadlineExceededError(
          absl::StrCat("no answer for ", absl::FormatDuration(timeout))));
    }
  }
  return status_;
}

void Load::Read(Client& client, OnAnswer on_answer) {
  const ssize_t size = recv(client.fd_, buffer_.data(), buffer_.size(), 0);
  if (size < 0 && errno == EAGAIN) return;
  if (size < 0) return Fail(SocketError(absl::StrCat("recv of client ", client.index), errno));
  if (size == 0) {
    return Fail(absl::UnavailableError(
        absl::StrCat("the server hung up on client ", client.index, " in step ", client.step)));
  }
  absl::string_view in(buffer_.data(), static_cast<size_t>(size));
  if (client.tls_ != nullptr) {
    const absl::StatusOr<absl::string_view> plain = Decrypt(client, in);
    if (!plain.ok()) return Fail(plain.status());
    in = *plain;
  }
  if (client.in_.empty()) {
    client.in_.assign(std::string(TakeAnswers(client, in, on_answer)));
  } else {
    std::string whole = std::move(client.in_);
    whole.append(in.data(), in.size());
    client.in_.assign(std::string(TakeAnswers(client, whole, on_answer)));
  }
  Flush(client);
}

absl::StatusOr<absl::string_view> Load::Decrypt(Client& client, absl::string_view in) {
  net::TlsSession& tls = *client.tls_;
  tls.Feed(in);
  if (!tls.established()) {
    if (absl::Status shaken = tls.Handshake(client.wire_); !shaken.ok()) return shaken;
  }
  size_t size_bytes = 0;
  while (tls.established()) {
    const absl::StatusOr<size_t> got =
        tls.Read(absl::MakeSpan(plain_).subspan(size_bytes), client.wire_);
    if (!got.ok()) return got.status();
    if (*got == 0) break;
    size_bytes += *got;
  }
  tls.KeepUnread();
  return absl::string_view(plain_.data(), size_bytes);
}

absl::string_view Load::TakeAnswers(Client& client, absl::string_view in, OnAnswer on_answer) {
  while (!in.empty() && status_.ok()) {
    if (client.answered_ == client.awaited_.size()) {
      Fail(absl::DataLossError(absl::StrCat(
          "client ", client.index,
          " was told what it did not ask: ", absl::CHexEscape(std::string(in.substr(0, 40))))));
      return {};
    }
    if (client.answer_left_ > 0) {
      const uint64_t taken = std::min<uint64_t>(client.answer_left_, in.size());
      in.remove_prefix(taken);
      client.answer_left_ -= taken;
      if (client.answer_left_ == 0) EndAnswer(client, {}, on_answer);
      continue;
    }
    const std::optional<uint64_t> size =
        dialog_->AnswerBytes(client.awaited_[client.answered_].answer, in);
    if (!size) return in;
    if (*size == 0) {
      Fail(absl::DataLossError(absl::StrCat("client ", client.index, " got an error: ",
                                            absl::CHexEscape(std::string(in.substr(0, 80))))));
      return {};
    }
    if (*size > in.size()) {
      // Short ones are kept whole: their handler may want to look.
      if (*size <= kReadBytes / 2) return in;
      client.answer_left_ = *size - in.size();
      return {};
    }
    const absl::string_view answer = in.substr(0, *size);
    in.remove_prefix(*size);
    EndAnswer(client, answer, on_answer);
  }
  return in;
}

void Load::EndAnswer(Client& client, absl::string_view answer, OnAnswer on_answer) {
  const bool ends_call = client.awaited_[client.answered_++].ends_call;
  if (client.answered_ == client.awaited_.size()) {
    client.awaited_.clear();
    client.answered_ = 0;
  } else if (client.answered_ >= kAnsweredMax) {
    client.awaited_.erase(client.awaited_.begin(),
                          client.awaited_.begin() + static_cast<std::ptrdiff_t>(client.answered_));
    client.answered_ = 0;
  }
  if (ends_call) on_answer(client, answer);
}

absl::Status Load::Exchange(Client& client, const Call& call, std::string* answer) {
  bool answered = !client.Ask(call);
  Flush(client);
  return Run(
      [&](Client& from, absl::string_view bytes) {
        if (from.index != client.index) return;
        answered = true;
        if (answer != nullptr) *answer = std::string(bytes);
      },
      [&] { return answered; });
}

absl::Status Load::Greet(Client& client) {
  for (const Call& call : Greeting(*dialog_)) {
    if (absl::Status answered = Exchange(client, call); !answered.ok()) return answered;
  }
  return absl::OkStatus();
}

absl::Status Load::ConnectAll(int window) {
  const std::vector<Call> greeting = Greeting(*dialog_);
  int next = 0;
  int greeted = 0;
  const auto connect_next = [&] {
    Client& client = clients_[static_cast<size_t>(next++)];
    Connect(client);
    client.Ask(greeting.front());
    Flush(client);
  };
  const auto fill = [&] {
    while (next < size() && next - greeted < window && status_.ok()) connect_next();
  };
  fill();
  return Run(
      [&](Client& client, absl::string_view) {
        if (static_cast<size_t>(++client.step) < greeting.size()) {
          client.Ask(greeting[static_cast<size_t>(client.step)]);
          return;
        }
        client.step = 0;
        ++greeted;
        fill();
      },
      [&] { return greeted == size(); });
}

void Load::Fail(absl::Status status) {
  if (status_.ok()) status_ = std::move(status);
}

}  // namespace rollcall::bench
