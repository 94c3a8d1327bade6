// Scripts of the network twin: of connections that end, orderly or not.
#include <poll.h>
#include <sys/socket.h>

#include "absl/types/span.h"
#include "testing/net_twin.h"
#include "testing/net_twin_scripts.h"

namespace rollcall {
namespace {

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

constexpr TwinScript kScripts[] = {
    {"PeerClosesCleanly", &PeerClosesCleanly},
    {"PeerClosesAndTheAnswerIsAReset", &PeerClosesAndTheAnswerIsAReset},
    {"PeerClosesWithUnreadBytes", &PeerClosesWithUnreadBytes},
    {"ResetReadFirst", &ResetReadFirst},
    {"ResetWrittenFirst", &ResetWrittenFirst},
    {"ResetThenShutdown", &ResetThenShutdown},
    {"BytesThenReset", &BytesThenReset},
    {"BytesThenEnd", &BytesThenEnd},
    {"HalfClose", &HalfClose},
    {"BothHalvesClosed", &BothHalvesClosed},
    {"ShutdownReading", &ShutdownReading},
    {"ShutdownBothThenBytesCome", &ShutdownBothThenBytesCome},
    {"ShutdownErrors", &ShutdownErrors},
    {"CloseWithUnsentBytes", &CloseWithUnsentBytes},
};

}  // namespace

absl::Span<const TwinScript> TwinEndScripts() { return kScripts; }

}  // namespace rollcall
