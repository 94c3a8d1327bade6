// The scripts of the network twin, grouped by what they ask.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>

#include <array>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "testing/net_twin.h"

namespace rollcall {
namespace {

constexpr char kLocal[] = "127.0.0.1";

// Lets the last packets of a connection that is over pass, which nobody can wait for.
void LetPass(Twin& t) { t.calls().Poll(nullptr, 0, absl::Milliseconds(5)); }

// A port that nobody listens on, by the name of the socket that keeps it.
void KeepPort(Twin& t, const std::string& name) {
  t.Socket(name);
  t.Bind(name, kLocal);
}

void Listener(Twin& t, const std::string& name, int backlog) {
  t.Socket(name);
  t.Bind(name, kLocal);
  t.Listen(name, backlog);
}

// --- Connecting ---

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

// --- Binding and listening ---

void PortOfALivingListener(Twin& t) {
  Listener(t, "l", 4);
  t.Socket("plain");
  t.Bind("plain", kLocal, "l");
  t.Socket("reuse");
  t.SetInt("reuse", SOL_SOCKET, SO_REUSEADDR, 1);
  t.Bind("reuse", kLocal, "l");
  t.Bind("reuse", "0.0.0.0", "l");
  t.Bind("reuse", "127.0.0.2", "l");
}

void PortOfALivingListenerThatReuses(Twin& t) {
  t.Socket("l");
  t.SetInt("l", SOL_SOCKET, SO_REUSEADDR, 1);
  t.Bind("l", kLocal);
  t.Socket("second");
  t.SetInt("second", SOL_SOCKET, SO_REUSEADDR, 1);
  t.Bind("second", kLocal, "l");
  t.Listen("l", 4);
  t.Listen("second", 4);
  t.Socket("third");
  t.SetInt("third", SOL_SOCKET, SO_REUSEADDR, 1);
  t.Bind("third", kLocal, "l");
  t.Close("l");
  t.Listen("second", 4);
}

void PortOfAReusePort(Twin& t) {
  t.Socket("l");
  t.SetInt("l", SOL_SOCKET, SO_REUSEPORT, 1);
  t.Bind("l", kLocal);
  t.Listen("l", 4);
  t.Socket("second");
  t.SetInt("second", SOL_SOCKET, SO_REUSEPORT, 1);
  t.Bind("second", kLocal, "l");
  t.Socket("third");
  t.Bind("third", kLocal, "l");
}

// The side that closes first keeps the port.
void TimeWait(Twin& t) {
  Listener(t, "l", 4);
  KeepPort(t, "spare");
  t.Socket("c");
  t.Connect("c", kLocal, "l");
  t.Accept("l", "a");
  t.Close("a");
  t.Await("c", POLLRDHUP);
  t.Recv("c");
  // Bound to nothing else: it remembers the port by its name.
  t.Socket("plain");
  t.Socket("reuse");
  t.SetInt("reuse", SOL_SOCKET, SO_REUSEADDR, 1);
  sockaddr_storage storage = {};
  socklen_t length_bytes = sizeof(storage);
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  t.calls().GetSockName(t.fd("l"), address, &length_bytes);
  t.Close("c");
  t.Close("l");
  t.Write("bind without reuse", t.calls().Bind(t.fd("plain"), address, length_bytes));
  t.Write("bind with reuse", t.calls().Bind(t.fd("reuse"), address, length_bytes));
}

void TimeWaitOfOneThatReuses(Twin& t) {
  t.Socket("l");
  t.SetInt("l", SOL_SOCKET, SO_REUSEADDR, 1);
  t.Bind("l", kLocal);
  t.Listen("l", 4);
  t.Socket("c");
  t.Connect("c", kLocal, "l");
  t.Accept("l", "a");
  t.Close("a");
  t.Await("c", POLLRDHUP);
  sockaddr_storage storage = {};
  socklen_t length_bytes = sizeof(storage);
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  t.calls().GetSockName(t.fd("l"), address, &length_bytes);
  t.Close("c");
  t.Close("l");
  t.Socket("plain");
  t.Write("bind without reuse", t.calls().Bind(t.fd("plain"), address, length_bytes));
  t.Socket("reuse");
  t.SetInt("reuse", SOL_SOCKET, SO_REUSEADDR, 1);
  t.Write("bind with reuse", t.calls().Bind(t.fd("reuse"), address, length_bytes));
  t.Listen("reuse", 4);
}

void PortIsFreeWhenTheClientClosedFirst(Twin& t) {
  Listener(t, "l", 4);
  t.Socket("c");
  t.Connect("c", kLocal, "l");
  t.Accept("l", "a");
  t.Close("c");
  t.Await("a", POLLRDHUP);
  t.Close("a");
  LetPass(t);
  sockaddr_storage storage = {};
  socklen_t length_bytes = sizeof(storage);
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  t.calls().GetSockName(t.fd("l"), address, &length_bytes);
  t.Close("l");
  t.Socket("plain");
  t.Write("bind without reuse", t.calls().Bind(t.fd("plain"), address, length_bytes));
}

void BindErrors(Twin& t) {
  t.Socket("s");
  t.Bind("s", "203.0.113.1");
  t.Bind("s", "::1");
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  t.Write("short address", t.calls().Bind(t.fd("s"), reinterpret_cast<sockaddr*>(&address), 8));
  t.Bind("s", kLocal);
  t.Bind("s", kLocal);
  t.LocalName("s");
}

void ListenAndAcceptErrors(Twin& t) {
  t.Socket("s");
  t.Accept("s", "none");
  t.Listen("s", 1);  // Without bind: the system chooses a port on all interfaces.
  t.LocalName("s");
  t.Listen("s", 5);
  t.MakePair();
  t.Listen("client", 1);
  t.Accept("client", "none");
  t.Socket("n", Twin::kNonblocking);
  t.Bind("n", kLocal);
  t.Listen("n", -1);
  t.Accept("n", "none");
  t.GetInt("n", SOL_SOCKET, SO_ACCEPTCONN);
  t.GetInt("client", SOL_SOCKET, SO_ACCEPTCONN);
}

void DualStack(Twin& t) {
  t.Socket("l", Twin::kBlocking, AF_INET6);
  t.SetInt("l", IPPROTO_IPV6, IPV6_V6ONLY, 0);
  t.Bind("l", "::");
  t.Listen("l", 4);
  t.Socket("c4");
  t.Connect("c4", kLocal, "l");
  t.Accept("l", "a4");
  t.PeerName("a4");
  t.LocalName("a4");
  t.Socket("c6", Twin::kBlocking, AF_INET6);
  t.Connect("c6", "::1", "l");
  t.PeerName("c6");
  t.Accept("l", "a6");
  t.PeerName("a6");
  t.Socket("mapped", Twin::kBlocking, AF_INET6);
  t.Connect("mapped", "::ffff:127.0.0.1", "l");
  t.LocalName("mapped");
  t.Socket("other");
  t.Bind("other", kLocal, "l");
  t.Bind("other", "0.0.0.0", "l");
}

// One port in both families, "l" and "l4". Which port is free in both only trying tells: the kernel
// chooses by one family, and in the other a program of the machine may hold it, or have held it.
void PortOfBothFamilies(Twin& t) {
  for (int tries = 0; tries < 1000; ++tries) {
    t.Socket("l4");
    t.Socket("l", Twin::kBlocking, AF_INET6);
    const int on = 1;
    t.calls().SetSockOpt(t.fd("l"), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (t.TryBind("l4", "0.0.0.0") && t.TryBind("l", "::", "l4")) return;
    t.Close("l");
    t.Close("l4");
  }
  t.Write("no port that is free in both families");
}

void V6Only(Twin& t) {
  PortOfBothFamilies(t);
  t.Listen("l", 4);
  t.Socket("c4");
  t.Connect("c4", kLocal, "l");
  t.Listen("l4", 4);
  t.Socket("c4b");
  t.Connect("c4b", kLocal, "l");
  t.Accept("l4", "a4");
  t.Socket("c6", Twin::kBlocking, AF_INET6);
  t.SetInt("c6", IPPROTO_IPV6, IPV6_V6ONLY, 1);
  t.Connect("c6", "::ffff:127.0.0.1", "l");
  t.Connect("c6", "::1", "l");
  t.GetInt("c6", IPPROTO_IPV6, IPV6_V6ONLY);
  t.SetInt("l", IPPROTO_IPV6, IPV6_V6ONLY, 0);
  t.SetInt("c4", IPPROTO_IPV6, IPV6_V6ONLY, 0);
}

// --- Ends ---

void PeerClosesCleanly(Twin& t) {
  t.MakePair();
  t.Ready("client");
  t.Close("server");
  t.Await("client", POLLIN);
  t.Recv("client");
  t.Recv("client");
  t.Send("client", "x");
  t.Await("client", POLLHUP);
  t.Send("client", "x");
  t.Send("client", "x");
  t.Recv("client");
  t.SockError("client");
}

void PeerClosesAndTheAnswerIsAReset(Twin& t) {
  t.MakePair();
  t.Close("client");
  t.Await("server", POLLRDHUP);
  t.Send("server", "x");
  t.Await("server", POLLHUP);
  t.SockError("server");
  t.Ready("server");
  t.Send("server", "x");
}

void PeerClosesWithUnreadBytes(Twin& t) {
  t.MakePair();
  t.Send("client", "unread");
  t.Await("server", POLLIN);
  t.Close("server");
  t.Await("client", POLLHUP);
  t.Recv("client");
  t.Recv("client");
  t.Send("client", "x");
}

void ResetReadFirst(Twin& t) {
  t.MakePair();
  t.SetLinger("server", 0);
  t.Close("server");
  t.Await("client", POLLHUP);
  t.PeerName("client");
  t.Recv("client");
  t.Ready("client");
  t.Recv("client");
  t.Send("client", "x");
}

void ResetWrittenFirst(Twin& t) {
  t.MakePair();
  t.SetLinger("server", 0);
  t.Close("server");
  t.Await("client", POLLHUP);
  t.Send("client", "x");
  t.Send("client", "x");
  t.Recv("client");
}

void ResetThenShutdown(Twin& t) {
  t.MakePair();
  t.SetLinger("server", 0);
  t.Close("server");
  t.Await("client", POLLHUP);
  t.Shutdown("client", SHUT_WR);
  t.Ready("client");
  t.Recv("client");
  t.Recv("client");
}

void BytesThenReset(Twin& t) {
  t.MakePair();
  t.Send("server", "abc");
  t.Await("client", POLLIN);
  t.SetLinger("server", 0);
  t.Close("server");
  t.Await("client", POLLHUP);
  t.Recv("client");
  t.Recv("client");
  t.Recv("client");
}

void BytesThenEnd(Twin& t) {
  t.MakePair();
  t.Send("server", "abc");
  t.Close("server");
  t.Await("client", POLLRDHUP);
  t.Recv("client");
  t.Recv("client");
  t.Ready("client");
}

void HalfClose(Twin& t) {
  t.MakePair();
  t.Shutdown("client", SHUT_WR);
  t.Send("client", "x");
  t.Ready("client");
  t.Await("server", POLLRDHUP);
  t.Recv("server");
  t.Send("server", "late");
  t.Await("client", POLLIN);
  t.Recv("client");
  t.Shutdown("client", SHUT_WR);
  t.Close("server");
  t.Await("client", POLLHUP);
  t.Recv("client");
  t.PeerName("client");
  t.Shutdown("client", SHUT_RDWR);
}

void BothHalvesClosed(Twin& t) {
  t.MakePair();
  t.Shutdown("client", SHUT_WR);
  t.Await("server", POLLRDHUP);
  t.Shutdown("server", SHUT_WR);
  t.Await("client", POLLHUP);
  t.Ready("server");
  t.Recv("client");
  t.Recv("server");
  t.Send("server", "x");
  t.SockError("server");
}

void ShutdownReading(Twin& t) {
  t.MakePair();
  t.Send("server", "abc");
  t.Await("client", POLLIN);
  t.Shutdown("client", SHUT_RD);
  t.Ready("client");
  t.Recv("client");
  t.Recv("client");
  t.Send("client", "still");
  t.Await("server", POLLIN);
  t.Recv("server");
}

void ShutdownBothThenBytesCome(Twin& t) {
  t.MakePair();
  t.Shutdown("client", SHUT_RDWR);
  t.Ready("client");
  t.Await("server", POLLRDHUP);
  t.Send("server", "x");
  t.Await("server", POLLHUP);
  t.Send("server", "x");
  t.Recv("client");
}

void ShutdownErrors(Twin& t) {
  t.Socket("fresh");
  t.Shutdown("fresh", SHUT_RDWR);
  t.Ready("fresh");
  t.MakePair();
  t.Shutdown("client", 7);
  Listener(t, "l", 4);
  t.Shutdown("l", SHUT_WR);
  t.Ready("l");
  t.Shutdown("l", SHUT_RD);
  t.Ready("l");
  t.Accept("l", "none");
}

void CloseWithUnsentBytes(Twin& t) {
  t.MakePair();
  t.Send("client", "abc");
  t.Send("client", "def");
  t.Close("client");
  t.Await("server", POLLRDHUP);
  t.Recv("server", 4);
  t.Recv("server", 4);
  t.Recv("server", 4);
}

// --- Transfers ---

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

// --- Descriptors, flags, options ---

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

// --- epoll ---

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

#define ROLLCALL_SCRIPT(name) \
  { #name, &name }

constexpr TwinScript kScripts[] = {
    ROLLCALL_SCRIPT(NobodyListens),
    ROLLCALL_SCRIPT(NobodyListensNonblocking),
    ROLLCALL_SCRIPT(RefusedThenRead),
    ROLLCALL_SCRIPT(ConnectsNonblocking),
    ROLLCALL_SCRIPT(ConnectsBlocking),
    ROLLCALL_SCRIPT(Backlog0),
    ROLLCALL_SCRIPT(Backlog1),
    ROLLCALL_SCRIPT(Backlog4),
    ROLLCALL_SCRIPT(ShutdownWhileConnecting),
    ROLLCALL_SCRIPT(ConnectTimesOutBySendTimeout),
    ROLLCALL_SCRIPT(ListenerClosesWithABacklog),
    ROLLCALL_SCRIPT(ResetBeforeAccept),
    ROLLCALL_SCRIPT(EndedBeforeAccept),
    ROLLCALL_SCRIPT(ConnectToAnyIsLocal),
    ROLLCALL_SCRIPT(ConnectArguments),
    ROLLCALL_SCRIPT(BoundClient),
    ROLLCALL_SCRIPT(PortOfALivingListener),
    ROLLCALL_SCRIPT(PortOfALivingListenerThatReuses),
    ROLLCALL_SCRIPT(PortOfAReusePort),
    ROLLCALL_SCRIPT(TimeWait),
    ROLLCALL_SCRIPT(TimeWaitOfOneThatReuses),
    ROLLCALL_SCRIPT(PortIsFreeWhenTheClientClosedFirst),
    ROLLCALL_SCRIPT(BindErrors),
    ROLLCALL_SCRIPT(ListenAndAcceptErrors),
    ROLLCALL_SCRIPT(DualStack),
    ROLLCALL_SCRIPT(V6Only),
    ROLLCALL_SCRIPT(PeerClosesCleanly),
    ROLLCALL_SCRIPT(PeerClosesAndTheAnswerIsAReset),
    ROLLCALL_SCRIPT(PeerClosesWithUnreadBytes),
    ROLLCALL_SCRIPT(ResetReadFirst),
    ROLLCALL_SCRIPT(ResetWrittenFirst),
    ROLLCALL_SCRIPT(ResetThenShutdown),
    ROLLCALL_SCRIPT(BytesThenReset),
    ROLLCALL_SCRIPT(BytesThenEnd),
    ROLLCALL_SCRIPT(HalfClose),
    ROLLCALL_SCRIPT(BothHalvesClosed),
    ROLLCALL_SCRIPT(ShutdownReading),
    ROLLCALL_SCRIPT(ShutdownBothThenBytesCome),
    ROLLCALL_SCRIPT(ShutdownErrors),
    ROLLCALL_SCRIPT(CloseWithUnsentBytes),
    ROLLCALL_SCRIPT(Unconnected),
    ROLLCALL_SCRIPT(PeerNeverReads),
    ROLLCALL_SCRIPT(SmallBuffers),
    ROLLCALL_SCRIPT(ReceiveTimeout),
    ROLLCALL_SCRIPT(SendTimeout),
    ROLLCALL_SCRIPT(PeekAndWaitAll),
    ROLLCALL_SCRIPT(Gather),
    ROLLCALL_SCRIPT(Descriptors),
    ROLLCALL_SCRIPT(Flags),
    ROLLCALL_SCRIPT(Options),
    ROLLCALL_SCRIPT(OptionsAreInherited),
    ROLLCALL_SCRIPT(EventDescriptor),
    ROLLCALL_SCRIPT(EpollLevel),
    ROLLCALL_SCRIPT(EpollEnds),
    ROLLCALL_SCRIPT(EpollAccepts),
    ROLLCALL_SCRIPT(EpollOrder),
    ROLLCALL_SCRIPT(EpollEdgeAndOneShot),
    ROLLCALL_SCRIPT(EpollOfUnconnected),
};

#undef ROLLCALL_SCRIPT

}  // namespace

absl::Span<const TwinScript> TwinScripts() { return kScripts; }

}  // namespace rollcall
