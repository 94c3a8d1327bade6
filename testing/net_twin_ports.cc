// Scripts of the network twin: of ports: who may bind, listen and accept.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "absl/types/span.h"
#include "testing/net_twin.h"
#include "testing/net_twin_scripts.h"

namespace rollcall {
namespace {

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

constexpr TwinScript kScripts[] = {
    {"PortOfALivingListener", &PortOfALivingListener},
    {"PortOfALivingListenerThatReuses", &PortOfALivingListenerThatReuses},
    {"PortOfAReusePort", &PortOfAReusePort},
    {"TimeWait", &TimeWait},
    {"TimeWaitOfOneThatReuses", &TimeWaitOfOneThatReuses},
    {"PortIsFreeWhenTheClientClosedFirst", &PortIsFreeWhenTheClientClosedFirst},
    {"BindErrors", &BindErrors},
    {"ListenAndAcceptErrors", &ListenAndAcceptErrors},
    {"DualStack", &DualStack},
    {"V6Only", &V6Only},
};

}  // namespace

absl::Span<const TwinScript> TwinPortScripts() { return kScripts; }

}  // namespace rollcall
