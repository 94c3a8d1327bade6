#include "store/server/incident.h"

#include <iterator>

namespace rollcall {
namespace {

// In the order of the enum, so that a kind is its row's index.
constexpr IncidentInfo kTable[] = {
    {IncidentKind::kBadBytes, "BAD_BYTES", "bad_bytes",
     "A peer sent what no client of a store sends, or more than the limits allow.",
     "Find out what connects from that address: a health check or scanner belongs on another port; "
     "for a key or value over the limit, raise --max_key_bytes or --max_value_bytes on both sides.",
     true},
    {IncidentKind::kBadRequest, "BAD_REQUEST", "bad_request",
     "A client asked for what cannot be answered, such as to add to a text.",
     "Look at the key that the reason names: it is probably used for two purposes.", true},
    {IncidentKind::kStoreFull, "STORE_FULL", "store_full",
     "A client wanted to store more than the limits leave room for.",
     "Have keys that are done with deleted, or raise --max_memory or the name space's limit that "
     "the reason names.",
     true},
    {IncidentKind::kNotAllowed, "NOT_ALLOWED", "not_allowed",
     "A connection from an address that may not come was closed at once.",
     "Add its network to --allow if it is a rank's; else find out what connects from there.", true},
    {IncidentKind::kTooManyConnections, "TOO_MANY_CONNECTIONS", "too_many_connections",
     "A connection more than the limit was closed at once.",
     "Raise --max_connections, or look for clients that connect again and again.", true},
    {IncidentKind::kTooManyOfOnePeer, "TOO_MANY_OF_ONE_PEER", "too_many_of_one_peer",
     "A connection more than one address may have was closed at once.",
     "Look what runs on that machine; where many ranks share an address, raise "
     "--max_connections_per_peer.",
     true},
    {IncidentKind::kTooManySilent, "TOO_MANY_SILENT", "too_many_silent",
     "Of too many connections that had said nothing, the oldest was closed.",
     "Look for what opens connections and says nothing: a scanner, or a load balancer's probes.",
     true},
    {IncidentKind::kTooLate, "TOO_LATE", "too_late",
     "A peer began a request and did not finish it in time.",
     "Look at that machine and the network to it: it stopped in the middle of a request.", true},
    {IncidentKind::kTooSlow, "TOO_SLOW", "too_slow", "A client did not take its replies.",
     "Look at that rank: it may be stopped, swapping, or behind a network that loses packets.",
     true},
    {IncidentKind::kIdle, "IDLE", "idle",
     "A client that awaited nothing said nothing for longer than it may.",
     "Raise --idle_timeout if it is a rank: one that computes has nothing to ask for a long time.",
     true},
    {IncidentKind::kTlsFailed, "TLS_FAILED", "tls_failed",
     "A peer and this server did not come to an encrypted connection.",
     "The reason says why: look at that client's certificate and authorities, and whether it uses "
     "TLS at all.",
     true},
    {IncidentKind::kNoToken, "NO_TOKEN", "no_token",
     "A peer showed no token, or none that this server knows.",
     "Give that client a token of --token_file; torch's clients can show none.", true},
    {IncidentKind::kEngineFailed, "ENGINE_FAILED", "engine_failed",
     "What the store is kept in did not do what a client asked for, so that client was closed.",
     "The reason begins with a code of docs/errors.md, which says what to do; if many were closed "
     "at once, look at the members of etcd.",
     true},
    {IncidentKind::kConnectionLost, "CONNECTION_LOST", "connection_lost",
     "A connection broke: the peer's process or machine died, or the network between went.",
     "Look at that rank's log and machine; if many broke at once, at the network.", false},
    {IncidentKind::kLeftWaiting, "LEFT_WAITING", "left_waiting",
     "A client closed its connection while it waited for a key.",
     "It gave up or was ended: look at its log, and at who should have set the key.", false},
};
static_assert(std::size(kTable) == kIncidentKinds);

}  // namespace

absl::Span<const IncidentInfo> AllIncidents() { return kTable; }

const IncidentInfo& InfoOf(IncidentKind kind) { return kTable[static_cast<size_t>(kind)]; }

}  // namespace rollcall
