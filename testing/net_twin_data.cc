// Scripts of the network twin: of bytes on their way.
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <string>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "testing/net_twin.h"
#include "testing/net_twin_scripts.h"

namespace rollcall {
namespace {

void Unconnected(Twin& t) {
  t.Socket("s");
  t.Recv("s");
  t.Send("s", "x");
  t.Ready("s");
  t.PeerName("s");
  Listener(t, "l", 4);
  t.Recv("l");
  t.Send("l", "x");
  t.PeerName("l");
}

void PeerNeverReads(Twin& t) {
  t.MakePair(Twin::kNonblocking);
  const std::string block(1 << 16, 'x');
  int64_t sent = 0;
  int64_t result = 0;
  do {
    result = t.calls().Send(t.fd("client"), block.data(), block.size(), MSG_NOSIGNAL);
    if (result > 0) sent += result;
  } while (result > 0);
  t.Write("in the end", result);
  t.Write("a lot", sent > 200'000);
  t.Ready("client");
  t.Await("server", POLLIN);
  int64_t received = 0;
  std::string buffer(1 << 20, '\0');
  while (received < sent) {
    result = t.calls().Recv(t.fd("server"), &buffer[0], buffer.size(), 0);
    if (result == -EAGAIN) {
      pollfd polled = {.fd = t.fd("server"), .events = POLLIN, .revents = 0};
      if (t.calls().Poll(&polled, 1, absl::Seconds(10)) <= 0) break;
      continue;
    }
    if (result <= 0) break;
    received += result;
  }
  t.Write("all received", received == sent);
  t.Await("client", POLLOUT);
  t.Recv("server");
}

void SmallBuffers(Twin& t) {
  t.Socket("l");
  t.SetInt("l", SOL_SOCKET, SO_RCVBUF, 4096);
  t.GetInt("l", SOL_SOCKET, SO_RCVBUF);
  t.Bind("l", kLocal);
  t.Listen("l", 4);
  t.Socket("c");
  t.SetInt("c", SOL_SOCKET, SO_SNDBUF, 1);
  t.GetInt("c", SOL_SOCKET, SO_SNDBUF);
  t.SetInt("c", SOL_SOCKET, SO_SNDBUF, 10000);
  t.GetInt("c", SOL_SOCKET, SO_SNDBUF);
  t.Connect("c", kLocal, "l");
  t.Accept("l", "a");
  t.GetInt("a", SOL_SOCKET, SO_RCVBUF);
}

void ReceiveTimeout(Twin& t) {
  t.MakePair();
  t.SetTimeout("client", SO_RCVTIMEO, absl::Milliseconds(10));
  t.Recv("client");
  t.Recv("client", 10, MSG_DONTWAIT);
  t.Send("server", "x");
  t.Recv("client");
  t.SetTimeout("listener", SO_RCVTIMEO, absl::Milliseconds(10));
  t.Accept("listener", "none");
}

void SendTimeout(Twin& t) {
  t.MakePair();
  t.SetTimeout("client", SO_SNDTIMEO, absl::Milliseconds(20));
  const std::string block(16 << 20, 'x');
  const int64_t sent = t.calls().Send(t.fd("client"), block.data(), block.size(), MSG_NOSIGNAL);
  t.Write("part of it", sent > 0 && sent < static_cast<int64_t>(block.size()));
  // A kernel that was slow to hand over what it has takes a little more.
  int64_t more = sent;
  while (more > 0) {
    more = t.calls().Send(t.fd("client"), block.data(), block.size(), MSG_NOSIGNAL);
  }
  t.Write("then", more);
}

void PeekAndWaitAll(Twin& t) {
  t.MakePair();
  t.Send("server", "abcdef");
  t.Await("client", POLLIN);
  t.Recv("client", 3, MSG_PEEK);
  t.Recv("client", 3);
  t.Recv("client", 0);
  t.Send("server", "ghi");
  t.Recv("client", 6, MSG_WAITALL);
  t.Recv("client", 6, MSG_DONTWAIT);
  t.Send("server", "j");
  t.Shutdown("server", SHUT_WR);
  t.Recv("client", 6, MSG_WAITALL);
  t.Recv("client", 6, MSG_WAITALL);
}

void Gather(Twin& t) {
  t.MakePair();
  char one[] = "one";
  char two[] = "two!";
  std::array<iovec, 3> parts = {{{one, 3}, {nullptr, 0}, {two, 4}}};
  msghdr message = {};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  t.Write("sendmsg", t.calls().SendMsg(t.fd("client"), &message, MSG_NOSIGNAL));
  t.Await("server", POLLIN);
  t.Recv("server");
  message.msg_iovlen = 0;
  t.Write("sendmsg of nothing", t.calls().SendMsg(t.fd("client"), &message, MSG_NOSIGNAL));
  t.Shutdown("client", SHUT_WR);
  message.msg_iovlen = 3;
  t.Write("sendmsg after the end", t.calls().SendMsg(t.fd("client"), &message, MSG_NOSIGNAL));
}

constexpr TwinScript kScripts[] = {
    {"Unconnected", &Unconnected},
    {"PeerNeverReads", &PeerNeverReads},
    {"SmallBuffers", &SmallBuffers},
    {"ReceiveTimeout", &ReceiveTimeout},
    {"SendTimeout", &SendTimeout},
    {"PeekAndWaitAll", &PeekAndWaitAll},
    {"Gather", &Gather},
};

}  // namespace

absl::Span<const TwinScript> TwinDataScripts() { return kScripts; }

}  // namespace rollcall
