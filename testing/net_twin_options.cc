// Scripts of the network twin: of descriptors, their flags and options.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "testing/net_twin.h"
#include "testing/net_twin_scripts.h"

namespace rollcall {
namespace {

void Descriptors(Twin& t) {
  t.Socket("a");
  t.Socket("b");
  t.Socket("c");
  const int middle = t.fd("b");
  t.Close("b");
  t.Socket("d");
  t.Write("the lowest free number", t.fd("d") == middle);
  for (const int fd : {-1, 100000}) {
    char byte = 'x';
    t.Write("recv", t.calls().Recv(fd, &byte, 1, 0));
    t.Write("send", t.calls().Send(fd, &byte, 1, MSG_NOSIGNAL));
    t.Write("close", t.calls().Close(fd));
    t.Write("listen", t.calls().Listen(fd, 1));
    t.Write("shutdown", t.calls().Shutdown(fd, SHUT_RD));
    t.Write("flags", t.calls().GetFlags(fd));
    t.Write("epoll_ctl", t.calls().EpollCtl(fd, EPOLL_CTL_DEL, t.fd("a"), nullptr));
  }
  pollfd polled = {.fd = 100000, .events = POLLIN, .revents = 0};
  t.Write("poll", t.calls().Poll(&polled, 1, absl::ZeroDuration()));
  t.Write(ReadinessText(static_cast<uint16_t>(polled.revents)));
  polled.fd = -1;
  t.Write("poll", t.calls().Poll(&polled, 1, absl::Milliseconds(1)));
  t.Adopt("event", t.calls().EventFd());
  t.Recv("event");
  t.Listen("event", 1);
  t.Write("socket", t.calls().Socket(AF_INET, SOCK_STREAM, 99));
  t.Write("socket", t.calls().Socket(12345, SOCK_STREAM, 0));
}

void Flags(Twin& t) {
  const auto write_flags = [&t](const std::string& name) {
    t.Write(absl::StrCat("flags of ", name),
            t.calls().GetFlags(t.fd(name)) & (O_NONBLOCK | O_ACCMODE));
  };
  Listener(t, "l", 4);
  write_flags("l");
  t.calls().SetFlags(t.fd("l"), O_RDWR | O_NONBLOCK);
  write_flags("l");
  t.Socket("c", Twin::kNonblocking);
  write_flags("c");
  t.Connect("c", kLocal, "l");
  t.Await("l", POLLIN);
  t.Accept("l", "a");
  write_flags("a");
  t.Write("close-on-exec", t.calls().SetCloseOnExec(t.fd("a")));
}

void Options(Twin& t) {
  t.Socket("s");
  constexpr std::array<std::array<int, 2>, 11> kOptions = {{{SOL_SOCKET, SO_TYPE},
                                                            {SOL_SOCKET, SO_DOMAIN},
                                                            {SOL_SOCKET, SO_REUSEADDR},
                                                            {SOL_SOCKET, SO_KEEPALIVE},
                                                            {SOL_SOCKET, SO_RCVLOWAT},
                                                            {IPPROTO_TCP, TCP_NODELAY},
                                                            {IPPROTO_TCP, TCP_KEEPIDLE},
                                                            {IPPROTO_TCP, TCP_KEEPINTVL},
                                                            {IPPROTO_TCP, TCP_KEEPCNT},
                                                            {IPPROTO_TCP, TCP_USER_TIMEOUT},
                                                            {SOL_SOCKET, SO_PROTOCOL}}};
  for (const auto& [level, option] : kOptions) t.GetInt("s", level, option);
  t.SetInt("s", SOL_SOCKET, SO_KEEPALIVE, 7);
  t.GetInt("s", SOL_SOCKET, SO_KEEPALIVE);
  t.SetInt("s", IPPROTO_TCP, TCP_KEEPIDLE, 0);
  t.SetInt("s", IPPROTO_TCP, TCP_KEEPCNT, 128);
  t.SetInt("s", IPPROTO_TCP, TCP_USER_TIMEOUT, -1);
  t.SetInt("s", SOL_SOCKET, 9999, 1);
  t.GetInt("s", IPPROTO_TCP, 9999);
  t.GetInt("s", 12345, 1);
  char small = 1;
  t.Write("too short", t.calls().SetSockOpt(t.fd("s"), SOL_SOCKET, SO_REUSEADDR, &small, 1));
}

void OptionsAreInherited(Twin& t) {
  t.Socket("l");
  t.SetInt("l", IPPROTO_TCP, TCP_NODELAY, 1);
  t.SetInt("l", SOL_SOCKET, SO_KEEPALIVE, 1);
  t.SetInt("l", IPPROTO_TCP, TCP_KEEPIDLE, 20);
  t.SetInt("l", IPPROTO_TCP, TCP_USER_TIMEOUT, 60000);
  t.SetInt("l", SOL_SOCKET, SO_REUSEADDR, 1);
  t.SetTimeout("l", SO_RCVTIMEO, absl::Milliseconds(30));
  t.Bind("l", kLocal);
  t.Listen("l", 4);
  t.Socket("c");
  t.Connect("c", kLocal, "l");
  t.Accept("l", "a");
  t.GetInt("a", IPPROTO_TCP, TCP_NODELAY);
  t.GetInt("a", SOL_SOCKET, SO_KEEPALIVE);
  t.GetInt("a", IPPROTO_TCP, TCP_KEEPIDLE);
  t.GetInt("a", IPPROTO_TCP, TCP_USER_TIMEOUT);
  t.GetInt("a", SOL_SOCKET, SO_REUSEADDR);
  t.Recv("a");
}

void EventDescriptor(Twin& t) {
  t.Adopt("e", t.calls().EventFd());
  t.Ready("e");
  t.Write("drain", t.calls().EventFdDrain(t.fd("e")));
  t.Write("signal", t.calls().EventFdSignal(t.fd("e")));
  t.Write("signal", t.calls().EventFdSignal(t.fd("e")));
  t.Ready("e");
  t.Write("drain", t.calls().EventFdDrain(t.fd("e")));
  t.Write("drain", t.calls().EventFdDrain(t.fd("e")));
}

constexpr TwinScript kScripts[] = {
    {"Descriptors", &Descriptors},
    {"Flags", &Flags},
    {"Options", &Options},
    {"OptionsAreInherited", &OptionsAreInherited},
    {"EventDescriptor", &EventDescriptor},
};

}  // namespace

absl::Span<const TwinScript> TwinOptionScripts() { return kScripts; }

}  // namespace rollcall
