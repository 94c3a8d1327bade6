// Scripts of the network twin: of connections that come about, or do not.
#include <poll.h>
#include <sys/socket.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "testing/net_twin.h"
#include "testing/net_twin_scripts.h"

namespace rollcall {
namespace {

void NobodyListens(Twin& t) {
  KeepPort(t, "nobody");
  t.Socket("c");
  t.Ready("c");
  t.Connect("c", kLocal, "nobody");
  t.Ready("c");
  t.SockError("c");
  t.PeerName("c");
  t.Connect("c", kLocal, "nobody");
  t.Send("c", "x");
  t.Recv("c");
  t.Close("c");
}

void NobodyListensNonblocking(Twin& t) {
  KeepPort(t, "nobody");
  t.Socket("c", Twin::kNonblocking);
  t.Connect("c", kLocal, "nobody");
  t.Await("c", POLLOUT);
  t.PeerName("c");
  t.SockError("c");
  t.SockError("c");
  t.Ready("c");
  t.Connect("c", kLocal, "nobody");
  t.Ready("c");
  t.Connect("c", kLocal, "nobody");
  t.Await("c", POLLOUT);
  t.Connect("c", kLocal, "nobody");
  t.Ready("c");
}

void RefusedThenRead(Twin& t) {
  KeepPort(t, "nobody");
  t.Socket("c", Twin::kNonblocking);
  t.Connect("c", kLocal, "nobody");
  t.Await("c", POLLHUP);
  t.Recv("c");
  t.Recv("c");
  t.Send("c", "x");
  t.Socket("d", Twin::kNonblocking);
  t.Connect("d", kLocal, "nobody");
  t.Await("d", POLLHUP);
  t.Send("d", "x");
  t.Send("d", "x");
}

void ConnectsNonblocking(Twin& t) {
  Listener(t, "l", 8);
  t.Ready("l");
  t.Socket("c", Twin::kNonblocking);
  t.Connect("c", kLocal, "l");
  t.Await("c", POLLOUT);
  t.SockError("c");
  t.PeerName("c");
  t.Connect("c", kLocal, "l");
  t.Connect("c", kLocal, "l");
  t.Await("l", POLLIN);
  t.Accept("l", "a");
  t.Ready("l");
  t.PeerName("a");
  t.LocalName("a");
  t.Ready("a");
}

void ConnectsBlocking(Twin& t) {
  Listener(t, "l", 8);
  t.Socket("c");
  t.LocalName("c");
  t.Connect("c", kLocal, "l");
  t.LocalName("c");
  t.PeerName("c");
  t.Connect("c", kLocal, "l");
  t.Accept("l", "a");
  t.Send("c", "hello");
  t.Recv("a");
  t.Send("a", "world");
  t.Recv("c");
}

void Backlog(Twin& t, int backlog) {
  Listener(t, "l", backlog);
  for (int i = 0; i < backlog + 1; ++i) {
    const std::string name = absl::StrCat("c", i);
    t.Socket(name, Twin::kNonblocking);
    t.Connect(name, kLocal, "l");
    t.Await(name, POLLOUT);
  }
  for (int i = backlog + 1; i < 12; ++i) {
    const std::string name = absl::StrCat("c", i);
    t.Socket(name, Twin::kNonblocking);
    t.Connect(name, kLocal, "l");
    t.Connect(name, kLocal, "l");
    t.Ready(name);
    t.PeerName(name);
    t.SockError(name);
    t.Send(name, "x");
    t.Recv(name);
  }
  t.Accept("l", "a");
  t.Close("c11");
}
void Backlog0(Twin& t) { Backlog(t, 0); }
void Backlog1(Twin& t) { Backlog(t, 1); }
void Backlog4(Twin& t) { Backlog(t, 4); }

void ShutdownWhileConnecting(Twin& t) {
  Listener(t, "l", 0);
  t.Socket("c");
  t.Connect("c", kLocal, "l");
  t.Socket("d", Twin::kNonblocking);
  t.Connect("d", kLocal, "l");
  t.Shutdown("d", SHUT_RDWR);
  t.Ready("d");
  t.SockError("d");
  t.Ready("d");
}

void ConnectTimesOutBySendTimeout(Twin& t) {
  Listener(t, "l", 0);
  t.Socket("c");
  t.Connect("c", kLocal, "l");
  t.Socket("d");
  t.SetTimeout("d", SO_SNDTIMEO, absl::Milliseconds(20));
  t.Connect("d", kLocal, "l");
  t.Ready("d");
}

void ListenerClosesWithABacklog(Twin& t) {
  Listener(t, "l", 4);
  t.Socket("c");
  t.Connect("c", kLocal, "l");
  t.Close("l");
  t.Await("c", POLLHUP);
  t.Recv("c");
  t.Recv("c");
  t.Send("c", "x");
}

void ResetBeforeAccept(Twin& t) {
  Listener(t, "l", 4);
  t.Socket("c");
  t.Connect("c", kLocal, "l");
  t.SetLinger("c", 0);
  t.Await("l", POLLIN);
  t.Close("c");
  t.Accept("l", "a");
  t.Await("a", POLLHUP);
  t.PeerName("a");
  t.Recv("a");
  t.Recv("a");
}

void EndedBeforeAccept(Twin& t) {
  Listener(t, "l", 4);
  t.Socket("c");
  t.Connect("c", kLocal, "l");
  t.Send("c", "abc");
  t.Close("c");
  t.Accept("l", "a");
  t.Await("a", POLLRDHUP);
  t.Recv("a");
  t.Recv("a");
}

void ConnectToAnyIsLocal(Twin& t) {
  Listener(t, "l", 4);
  t.Socket("c");
  t.Connect("c", "0.0.0.0", "l");
  t.PeerName("c");
  t.LocalName("c");
}

void ConnectArguments(Twin& t) {
  Listener(t, "l", 4);
  t.Socket("c");
  t.Connect("c", "::1", "l");
  t.Socket("c6", Twin::kBlocking, AF_INET6);
  t.Connect("c6", kLocal, "l");
  sockaddr_in shorter = {};
  shorter.sin_family = AF_INET;
  t.Write("short address", t.calls().Connect(t.fd("c"), reinterpret_cast<sockaddr*>(&shorter), 8));
  t.Write("shorter address",
          t.calls().Connect(t.fd("c"), reinterpret_cast<sockaddr*>(&shorter), 1));
  t.Connect("l", kLocal, "l");
}

void BoundClient(Twin& t) {
  Listener(t, "l", 4);
  t.Socket("c");
  t.Bind("c", "127.0.0.5");
  t.LocalName("c");
  t.Connect("c", kLocal, "l");
  t.Accept("l", "a");
  t.PeerName("a");
  t.Close("c");
  t.Await("a", POLLRDHUP);
}

constexpr TwinScript kScripts[] = {
    {"NobodyListens", &NobodyListens},
    {"NobodyListensNonblocking", &NobodyListensNonblocking},
    {"RefusedThenRead", &RefusedThenRead},
    {"ConnectsNonblocking", &ConnectsNonblocking},
    {"ConnectsBlocking", &ConnectsBlocking},
    {"Backlog0", &Backlog0},
    {"Backlog1", &Backlog1},
    {"Backlog4", &Backlog4},
    {"ShutdownWhileConnecting", &ShutdownWhileConnecting},
    {"ConnectTimesOutBySendTimeout", &ConnectTimesOutBySendTimeout},
    {"ListenerClosesWithABacklog", &ListenerClosesWithABacklog},
    {"ResetBeforeAccept", &ResetBeforeAccept},
    {"EndedBeforeAccept", &EndedBeforeAccept},
    {"ConnectToAnyIsLocal", &ConnectToAnyIsLocal},
    {"ConnectArguments", &ConnectArguments},
    {"BoundClient", &BoundClient},
};

}  // namespace

absl::Span<const TwinScript> TwinConnectScripts() { return kScripts; }

}  // namespace rollcall
