// Scripts of the network twin: of epoll.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "testing/net_twin.h"
#include "testing/net_twin_scripts.h"

namespace rollcall {
namespace {

class Epoll {
 public:
  explicit Epoll(Twin& twin) : t_(twin) { t_.Adopt("epoll", t_.calls().EpollCreate()); }

  void Control(int operation, const std::string& name, uint32_t events) {
    epoll_event event = {};
    event.events = events;
    event.data.u64 = names_.size();
    names_.push_back(name);
    t_.Write(absl::StrCat("epoll_ctl ", operation, " ", name),
             t_.calls().EpollCtl(t_.fd("epoll"), operation, t_.fd(name), &event));
  }

  void Wait(int count, absl::Duration timeout) {
    std::vector<epoll_event> events(count);
    const int result = t_.calls().EpollWait(t_.fd("epoll"), events.data(), count, timeout);
    t_.Write("epoll_wait", result);
    for (int i = 0; i < result; ++i) {
      t_.Write(
          absl::StrCat("  ", names_[events[i].data.u64], " ", ReadinessText(events[i].events)));
    }
  }
  void Look() { Wait(8, absl::ZeroDuration()); }
  void Await() { Wait(8, absl::Seconds(10)); }

 private:
  Twin& t_;
  std::vector<std::string> names_;
};

void EpollLevel(Twin& t) {
  t.MakePair(Twin::kNonblocking);
  Epoll epoll(t);
  epoll.Control(EPOLL_CTL_ADD, "server", EPOLLIN | EPOLLRDHUP);
  epoll.Control(EPOLL_CTL_ADD, "server", EPOLLIN);
  epoll.Control(EPOLL_CTL_MOD, "client", EPOLLIN);
  epoll.Control(EPOLL_CTL_DEL, "client", 0);
  epoll.Look();
  epoll.Wait(8, absl::Milliseconds(5));
  t.Send("client", "abc");
  epoll.Await();
  epoll.Look();
  t.Recv("server", 2);
  epoll.Look();
  t.Recv("server", 2);
  epoll.Look();
  epoll.Control(EPOLL_CTL_MOD, "server", EPOLLIN | EPOLLOUT | EPOLLRDHUP);
  epoll.Look();
  epoll.Control(EPOLL_CTL_MOD, "server", 0);
  t.Close("client");
  t.Await("server", POLLRDHUP);
  epoll.Look();
  epoll.Control(EPOLL_CTL_MOD, "server", EPOLLIN | EPOLLRDHUP);
  epoll.Look();
  t.Recv("server");
  epoll.Look();
  epoll.Control(EPOLL_CTL_DEL, "server", 0);
  epoll.Look();
}

void EpollEnds(Twin& t) {
  t.MakePair(Twin::kNonblocking);
  Epoll epoll(t);
  epoll.Control(EPOLL_CTL_ADD, "server", EPOLLIN | EPOLLOUT | EPOLLRDHUP);
  epoll.Control(EPOLL_CTL_ADD, "listener", EPOLLIN);
  epoll.Look();
  t.Shutdown("client", SHUT_WR);
  t.Await("server", POLLRDHUP);
  epoll.Look();
  t.SetLinger("client", 0);
  t.Close("client");
  t.Await("server", POLLHUP);
  epoll.Look();
  t.SockError("server");
  epoll.Look();
  t.Close("server");
  epoll.Look();
}

void EpollAccepts(Twin& t) {
  t.Socket("l", Twin::kNonblocking);
  t.Bind("l", kLocal);
  t.Listen("l", 4);
  Epoll epoll(t);
  epoll.Control(EPOLL_CTL_ADD, "l", EPOLLIN);
  epoll.Look();
  t.Socket("c");
  t.Connect("c", kLocal, "l");
  t.Socket("d");
  t.Connect("d", kLocal, "l");
  epoll.Await();
  t.Accept("l", "a");
  t.Await("l", POLLIN);
  epoll.Look();
  t.Accept("l", "b");
  epoll.Look();
  t.Accept("l", "none");
}

void EpollOrder(Twin& t) {
  for (const char* name : {"e0", "e1", "e2"}) t.Adopt(name, t.calls().EventFd());
  Epoll epoll(t);
  for (const char* name : {"e0", "e1", "e2"}) epoll.Control(EPOLL_CTL_ADD, name, EPOLLIN);
  t.calls().EventFdSignal(t.fd("e2"));
  t.calls().EventFdSignal(t.fd("e0"));
  t.calls().EventFdSignal(t.fd("e1"));
  epoll.Look();
  epoll.Wait(1, absl::ZeroDuration());
  epoll.Wait(1, absl::ZeroDuration());
  epoll.Wait(2, absl::ZeroDuration());
  t.calls().EventFdDrain(t.fd("e0"));
  epoll.Look();
  epoll.Wait(0, absl::ZeroDuration());
  t.Close("e1");
  epoll.Look();
}

void EpollEdgeAndOneShot(Twin& t) {
  t.MakePair(Twin::kNonblocking);
  Epoll epoll(t);
  epoll.Control(EPOLL_CTL_ADD, "server", EPOLLIN | EPOLLET);
  t.Send("client", "a");
  epoll.Await();
  epoll.Look();
  t.Send("client", "b");
  epoll.Await();
  epoll.Look();
  epoll.Control(EPOLL_CTL_MOD, "server", EPOLLIN | EPOLLONESHOT);
  epoll.Look();
  epoll.Look();
  epoll.Control(EPOLL_CTL_MOD, "server", EPOLLIN | EPOLLONESHOT);
  epoll.Look();
}

void EpollOfUnconnected(Twin& t) {
  t.Socket("s", Twin::kNonblocking);
  Epoll epoll(t);
  epoll.Control(EPOLL_CTL_ADD, "s", EPOLLIN);
  epoll.Look();
  epoll.Control(EPOLL_CTL_ADD, "epoll", EPOLLIN);
  KeepPort(t, "nobody");
  t.Connect("s", kLocal, "nobody");
  t.Await("s", POLLHUP);
  epoll.Look();
  epoll.Control(EPOLL_CTL_MOD, "nobody", EPOLLIN);
}

constexpr TwinScript kScripts[] = {
    {"EpollLevel", &EpollLevel},
    {"EpollEnds", &EpollEnds},
    {"EpollAccepts", &EpollAccepts},
    {"EpollOrder", &EpollOrder},
    {"EpollEdgeAndOneShot", &EpollEdgeAndOneShot},
    {"EpollOfUnconnected", &EpollOfUnconnected},
};

}  // namespace

absl::Span<const TwinScript> TwinEpollScripts() { return kScripts; }

}  // namespace rollcall
