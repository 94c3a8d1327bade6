// What goes wrong between a server and its peers, as whoever operates it meets it.
#ifndef ROLLCALL_STORE_SERVER_INCIDENT_H_
#define ROLLCALL_STORE_SERVER_INCIDENT_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "net/address.h"
#include "store/engine/client_id.h"

namespace rollcall {

enum class IncidentKind {
  // The server closed the connection: counted as refused.
  kBadBytes,
  kBadRequest,
  kStoreFull,
  kNotAllowed,
  kTooManyConnections,
  kTooManyOfOnePeer,
  kTooManySilent,
  kTooLate,
  kTooSlow,
  kIdle,
  kTlsFailed,
  kNoToken,
  kEngineFailed,
  // The peer went.
  kConnectionLost,
  kLeftWaiting,
};

inline constexpr size_t kIncidentKinds = static_cast<size_t>(IncidentKind::kLeftWaiting) + 1;

struct IncidentInfo {
  IncidentKind kind;
  absl::string_view code;     // "BAD_BYTES": stable.
  absl::string_view label;    // "bad_bytes": what a metric calls it.
  absl::string_view meaning;  // One sentence.
  absl::string_view remedy;   // What to do about it.
  bool refused;               // It was the server that closed the connection.
};

absl::Span<const IncidentInfo> AllIncidents();
const IncidentInfo& InfoOf(IncidentKind kind);

struct Incident {
  absl::Time when;
  IncidentKind kind = IncidentKind::kBadBytes;
  net::SocketAddress peer;
  engine::ClientId client = 0;  // 0: it never was one.
  int rank = -1;                // -1: not known.
  // "": the default one. nullopt: not known, as of who had to show a token first.
  std::optional<std::string> name_space = {};
  std::string reason = {};  // This one's own.
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_INCIDENT_H_
