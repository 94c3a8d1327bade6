#include "store/error_code.h"

#include <cstddef>
#include <iterator>

namespace rollcall {
namespace {

constexpr char kStoreError[] = "DistStoreError";
constexpr char kQueueEmptyError[] = "DistQueueEmptyError";
constexpr char kNetworkError[] = "DistNetworkError";

// In the order of the enum, so that a code is its row's index.
constexpr ErrorCodeInfo kTable[] = {
    {ErrorCode::kWaitTimeout, "WAIT_TIMEOUT", kStoreError,
     "A key did not come within the time-out.",
     "The rank that sets it is late, has died, or uses another key or prefix.",
     "Look at the rank that should have set the missing key, or wait longer."},
    {ErrorCode::kJoinTimeout, "JOIN_TIMEOUT", kStoreError,
     "Not all workers joined the store within the time-out.",
     "A worker did not start, has another address or port, or world_size is too large.",
     "Look at the ranks that are missing; check that host, port and world_size are the same for "
     "all."},
    {ErrorCode::kBarrierTimeout, "BARRIER_TIMEOUT", kStoreError,
     "Not all ranks reached the barrier within the time-out.",
     "A rank is late, has died, or waits at another barrier.",
     "Look at the ranks that are missing, or wait longer."},
    {ErrorCode::kGatherTimeout, "GATHER_TIMEOUT", kStoreError,
     "Not all ranks left their value within the time-out.",
     "A rank is late, has died, or gathers under another name.",
     "Look at the ranks that are missing, or wait longer."},
    {ErrorCode::kQueueEmpty, "QUEUE_EMPTY", kQueueEmptyError, "There is nothing in the queue.",
     "Nothing was pushed yet, or another consumer was faster.",
     "Pop with block=true to wait for the next value."},
    {ErrorCode::kNotANumber, "NOT_A_NUMBER", kStoreError,
     "A counter was asked for, but what is stored under the key is no decimal number.",
     "The key was set to a text, or one key serves two purposes.",
     "Use another key for the counter, or delete this one first."},
    {ErrorCode::kKeyTooLong, "KEY_TOO_LONG", kStoreError,
     "A key is longer than the limit; nothing was sent.",
     "A prefix was added again and again, or data was passed as the key.",
     "Shorten the key, or raise key_bytes_max on server and clients."},
    {ErrorCode::kValueTooLarge, "VALUE_TOO_LARGE", kStoreError,
     "A value is larger than the limit; nothing was sent.", "The store is used to carry bulk data.",
     "Split the value, or raise value_bytes_max on server and clients."},
    {ErrorCode::kTooManyKeys, "TOO_MANY_KEYS", kStoreError,
     "One request names more keys, or has more bytes in all, than the limit; nothing was sent.",
     "One call is made for all the ranks of a very large job.",
     "Split the call, or raise keys_per_request_max or request_bytes_max on server and clients."},
    {ErrorCode::kSizeMismatch, "SIZE_MISMATCH", kStoreError,
     "multi_set was given a different number of values than of keys.",
     "The two lists were built apart.", "Give exactly one value for each key."},
    {ErrorCode::kUnsupported, "UNSUPPORTED", kStoreError,
     "This store, its server or its dialect has no such operation.",
     "A FileStore has no queues; a store that speaks to torch 1.x has only torch 1.x's operations.",
     "Ask HasExtendedApi() first, or use a TcpStore on a rollcall server."},
    {ErrorCode::kProtocol, "PROTOCOL", kStoreError, "The server answered what no store answers.",
     "The server speaks another dialect, or something between client and server changed the bytes.",
     "Check which server listens there, its version, and any proxy between."},
    {ErrorCode::kFile, "FILE", kStoreError,
     "The store's file cannot be opened, locked, read or written, or it is damaged.",
     "A wrong path or permission, a full disk, a file system without locks, or another kind of "
     "file.",
     "Check path, permissions and free space; give each job a file of its own."},
    {ErrorCode::kEtcdAuth, "ETCD_AUTH", kStoreError,
     "etcd refused the user, the password, or access to the job's keys.",
     "The password is wrong, the user's role has no right to the prefix, or etcd has users and the "
     "URL names none.",
     "Check user and password_file of the URL, and the role with `etcdctl user get` and `etcdctl "
     "role get`."},
    {ErrorCode::kEtcdLeaseLost, "ETCD_LEASE_LOST", kStoreError,
     "The job's lease in etcd has ended, and the job's keys with it.",
     "No rank could keep it alive for as long as its TTL: all were stopped or cut off from etcd; "
     "or "
     "somebody revoked it.",
     "Start the job anew; if ranks may be away for longer, give the URL a larger ttl."},
    {ErrorCode::kEtcdNoSpace, "ETCD_NO_SPACE", kStoreError,
     "etcd has used up its quota and takes no writes; reads go on.",
     "Too much is stored, or old revisions are never compacted.",
     "Compact and defragment etcd, or raise --quota-backend-bytes; then `etcdctl alarm disarm`."},
    {ErrorCode::kEtcdRequestTooLarge, "ETCD_REQUEST_TOO_LARGE", kStoreError,
     "The request has more bytes than etcd takes in one.",
     "etcd takes 1.5 MiB unless it is told otherwise, and the store is used to carry bulk data.",
     "Split the value, or raise --max-request-bytes on all members of etcd."},
    {ErrorCode::kStoreFull, "STORE_FULL", kStoreError,
     "The server's limits leave no room for what was to be stored; what is stored stays, and reads "
     "and deletes go on.",
     "Keys that nobody needs any more are never deleted, or one job uses the room of all.",
     "Delete keys that are done with, or raise --max_memory (or the name space's limit that is "
     "named) on the server."},
    {ErrorCode::kConnectRefused, "CONNECT_REFUSED", kNetworkError,
     "Nobody listened at the address until the deadline.",
     "The server has not started, has ended, or listens on another port or host.",
     "Check that the server runs, and the host and port; or wait longer."},
    {ErrorCode::kConnectNoAnswer, "CONNECT_NO_ANSWER", kNetworkError,
     "Nothing came back from the address until the deadline.",
     "A firewall drops the packets, the host is down, or the server is too busy to accept.",
     "Check the route and firewall to the host and port, and the server's load."},
    {ErrorCode::kUnreachable, "UNREACHABLE", kNetworkError,
     "There is no route to the address, or a local rule forbids it.",
     "A network interface is down, the address belongs to another network, or a firewall rejects.",
     "Check addresses and routes on this host."},
    {ErrorCode::kNameLookup, "NAME_LOOKUP", kNetworkError,
     "The host name could not be turned into an address until the deadline.",
     "The name is mistyped, not yet registered, or the name server does not answer.",
     "Check the name with `getent ahosts NAME`, or use the address itself."},
    {ErrorCode::kNotAStore, "NOT_A_STORE", kNetworkError,
     "Somebody accepts connections there, but does not answer a store's greeting.",
     "Another program has the port, the server hangs, or it speaks only the legacy dialect.",
     "Check which program listens at that host and port."},
    {ErrorCode::kAddressInUse, "ADDRESS_IN_USE", kNetworkError,
     "The port that the server should listen on is taken.",
     "Another job, or an earlier run that has not ended, listens there.",
     "End the other program, choose another port, or use port 0 and ask for the port."},
    {ErrorCode::kCannotListen, "CANNOT_LISTEN", kNetworkError,
     "The server cannot listen on the address.",
     "The address is not this host's, or the port needs a privilege.",
     "Use an address of this host, or none for all interfaces; use a port above 1023."},
    {ErrorCode::kListenDescriptor, "LISTEN_DESCRIPTOR", kNetworkError,
     "The inherited descriptor is not a bound stream socket on the expected port.",
     "The descriptor was closed or not inherited, or the port does not fit it.",
     "Hand down a bound TCP socket and give its port, or 0."},
    {ErrorCode::kConnectionLost, "CONNECTION_LOST", kNetworkError,
     "The connection to the server broke.",
     "The server ended or crashed, its host vanished, or it hung up on a request beyond its "
     "limits.",
     "Check whether the server still runs and its log; the next call connects anew."},
    {ErrorCode::kReplyTimeout, "REPLY_TIMEOUT", kNetworkError,
     "The server took the request, or part of it, and did not answer in time.",
     "The server hangs or is overloaded, or the network drops packets.",
     "Check the server and its load; the next call connects anew."},
    {ErrorCode::kResourceExhausted, "RESOURCE_EXHAUSTED", kNetworkError,
     "The system has no descriptors, local ports or memory left for the connection.",
     "A limit (ulimit -n) is too low for the number of connections, or descriptors leak.",
     "Raise the limit that the message names."},
    {ErrorCode::kEtcdUnreachable, "ETCD_UNREACHABLE", kNetworkError,
     "No member of the etcd cluster could be reached until the deadline.",
     "The members are down, the URL names other hosts or ports, a certificate does not fit, or the "
     "network is cut.",
     "Look at what is said of each member; try `etcdctl --endpoints=... endpoint health`."},
    {ErrorCode::kEtcdNoLeader, "ETCD_NO_LEADER", kNetworkError,
     "Members of etcd answer, but had no leader until the deadline.",
     "More than half of the members are down, or cannot reach each other, or their disks are too "
     "slow.",
     "Bring the other members back; `etcdctl endpoint status --cluster` shows who leads."},
    {ErrorCode::kClosed, "CLOSED", kNetworkError,
     "The store was closed on this side, before the call or while it was under way.",
     "One thread closes the store while another still uses it.",
     "End the threads that use the store first."},
    {ErrorCode::kTlsFailed, "TLS_FAILED", kNetworkError,
     "The two sides did not come to an encrypted connection, or it was damaged.",
     "A certificate is out of date, for another host, or signed by somebody who is not trusted; "
     "the "
     "server wants a certificate of its clients; or only one side speaks TLS.",
     "Check that client and server both use TLS (tls://) on this port, the authorities (ca), names "
     "and dates of both certificates, and the server's log."},
    {ErrorCode::kTokenRejected, "TOKEN_REJECTED", kNetworkError,
     "The server serves only clients with a token, and did not accept this one's, or it has none.",
     "No token file was given, it is that of another server, or the server's was changed.",
     "Give the client the server's token (token_file), and restart what still has an old one."},
};

static_assert(std::size(kTable) == static_cast<size_t>(ErrorCode::kTokenRejected) + 1);

constexpr bool RowsAreInOrder() {
  for (size_t i = 0; i < std::size(kTable); ++i) {
    if (static_cast<size_t>(kTable[i].code) != i) return false;
  }
  return true;
}
static_assert(RowsAreInOrder());

}  // namespace

absl::Span<const ErrorCodeInfo> AllErrorCodes() { return kTable; }

const ErrorCodeInfo& InfoOf(ErrorCode code) { return kTable[static_cast<size_t>(code)]; }

}  // namespace rollcall
