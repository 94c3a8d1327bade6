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
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "glog/logging.h"
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

// Its answer shows that the server has the connection: until then it stands in a backlog of limited
// length.
Call Greeting(const Dialog& dialog) {
  Call hello = dialog.Hello();
  return hello.answers.empty() ? dialog.Probe() : hello;
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

Load::Load(const Dialog* dialog, const sockaddr_in& server, int clients)
    : dialog_(dialog),
      server_(server),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      clients_(static_cast<size_t>(clients)),
      buffer_(kReadBytes) {
  PCHECK(epoll_fd_ >= 0);
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
  const int connected =
      connect(client.fd_, reinterpret_cast<const sockaddr*>(&server_), sizeof(server_));
  if (connected != 0 && errno != EINPROGRESS) return Fail(SocketError("connect", errno));
  epoll_event event = {.events = EPOLLIN, .data = {.ptr = &client}};
  PCHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, client.fd_, &event) == 0);
}

void Load::Close(Client& client) {
  if (client.fd_ >= 0) close(client.fd_);
  client.fd_ = -1;
  client.writing_ = false;
  client.out_.clear();
  client.out_sent_ = 0;
  client.in_place_ = {};
  client.in_.clear();
  client.answer_left_ = 0;
  client.awaited_.clear();
  client.answered_ = 0;
  client.step = 0;
}

void Load::Flush(Client& client) {
  if (client.fd_ < 0) return;
  while (client.out_sent_ < client.out_.size() || !client.in_place_.empty()) {
    const bool copied = client.out_sent_ < client.out_.size();
    const absl::string_view bytes =
        copied ? absl::string_view(client.out_).substr(client.out_sent_) : client.in_place_;
    const ssize_t sent = send(client.fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EAGAIN) return WatchForRoom(client, true);
      return Fail(SocketError(absl::StrCat("send of client ", client.index), errno));
    }
    if (copied) {
      client.out_sent_ += static_cast<size_t>(sent);
    } else {
      client.in_place_.remove_prefix(static_cast<size_t>(sent));
    }
  }
  client.out_.clear();
  client.out_sent_ = 0;
  if (client.writing_) WatchForRoom(client, false);
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
  const absl::string_view in(buffer_.data(), static_cast<size_t>(size));
  if (client.in_.empty()) {
    client.in_.assign(std::string(TakeAnswers(client, in, on_answer)));
  } else {
    std::string whole = std::move(client.in_);
    whole.append(in.data(), in.size());
    client.in_.assign(std::string(TakeAnswers(client, whole, on_answer)));
  }
  Flush(client);
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

absl::Status Load::Greet(Client& client) { return Exchange(client, Greeting(*dialog_)); }

absl::Status Load::ConnectAll(int window) {
  const Call hello = Greeting(*dialog_);
  int next = 0;
  int greeted = 0;
  const auto connect_next = [&] {
    Client& client = clients_[static_cast<size_t>(next++)];
    Connect(client);
    client.Ask(hello);
    Flush(client);
  };
  const auto fill = [&] {
    while (next < size() && next - greeted < window && status_.ok()) connect_next();
  };
  fill();
  return Run(
      [&](Client&, absl::string_view) {
        ++greeted;
        fill();
      },
      [&] { return greeted == size(); });
}

void Load::Fail(absl::Status status) {
  if (status_.ok()) status_ = std::move(status);
}

}  // namespace rollcall::bench
