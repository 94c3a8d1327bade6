// What a store server shows over HTTP, and under which paths.
#ifndef ROLLCALL_STORE_HTTP_ENDPOINTS_H_
#define ROLLCALL_STORE_HTTP_ENDPOINTS_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "net/clock.h"
#include "store/http/http_server.h"
#include "store/server/server_snapshot.h"
#include "store/server/store_server.h"

namespace rollcall::http {

// "/", "/metrics", "/healthz", "/status.json". One thread at a time.
class Endpoints {
 public:
  // How long the event loop may take to answer before it counts as stuck.
  static constexpr absl::Duration kPatience = absl::Seconds(1);
  // However many look, the loop is asked no more often than that.
  static constexpr absl::Duration kSnapshotAge = absl::Milliseconds(200);

  // Both must outlive it.
  Endpoints(net::Clock* clock, StoreServer* server) : clock_(clock), server_(server) {}

  Response Answer(const Request& request);

 private:
  Response Health();
  Response Metrics();
  Response Status(const Request& request);
  // One that is at most kSnapshotAge old, or why there is none.
  const absl::StatusOr<ServerSnapshot>& Look();

  net::Clock* const clock_;
  StoreServer* const server_;
  absl::StatusOr<ServerSnapshot> snapshot_ = absl::UnavailableError("not asked yet");
  absl::Time look_again_ = absl::InfinitePast();
  // Once it has kept one waiting in vain, the next are told at once: no queue may form.
  absl::Status health_;
  absl::Time ask_again_ = absl::InfinitePast();
};

}  // namespace rollcall::http

#endif  // ROLLCALL_STORE_HTTP_ENDPOINTS_H_
