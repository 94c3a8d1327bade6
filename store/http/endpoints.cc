#include "store/http/endpoints.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "net/event_loop.h"
#include "store/http/metrics_text.h"
#include "store/http/page.h"
#include "store/http/status_json.h"

namespace rollcall::http {
namespace {

constexpr int kOk = 200;
constexpr int kBadRequest = 400;
constexpr int kNotFound = 404;
constexpr int kUnavailable = 503;

}  // namespace

Response Endpoints::Answer(const Request& request) {
  if (request.path == "/healthz") return Health();
  if (request.path == "/metrics") return Metrics();
  if (request.path == "/status.json") return Status(request);
  if (const PageFile* const file = FindPageFile(request.path)) {
    return {.status = kOk,
            .content_type = std::string(file->content_type),
            .body = std::string(file->content)};
  }
  return {.status = kNotFound, .body = "there are /, /status.json, /metrics and /healthz here\n"};
}

Response Endpoints::Health() {
  const absl::Time now = clock_->Now();
  if (health_.ok() || now >= ask_again_) {
    health_ = server_->CheckAlive(now + kPatience);
    ask_again_ = clock_->Now() + kPatience;
  }
  if (health_.ok()) return {.status = kOk, .body = "ok\n"};
  return {.status = kUnavailable, .body = absl::StrCat(health_.message(), "\n")};
}

Response Endpoints::Metrics() {
  const absl::StatusOr<ServerSnapshot>& snapshot = Look();
  if (!snapshot.ok()) {
    return {.status = kUnavailable, .body = absl::StrCat(snapshot.status().message(), "\n")};
  }
  return {.status = kOk, .content_type = kMetricsContentType, .body = MetricsText(*snapshot)};
}

Response Endpoints::Status(const Request& request) {
  std::optional<int> rank;
  if (request.rank.has_value()) {
    int number = 0;
    if (!absl::SimpleAtoi(*request.rank, &number)) {
      return {.status = kBadRequest,
              .content_type = kJsonContentType,
              .body = ErrorJson("rank must be a whole number")};
    }
    rank = number;
  }
  const absl::StatusOr<ServerSnapshot>& snapshot = Look();
  if (!snapshot.ok()) {
    return {.status = kUnavailable,
            .content_type = kJsonContentType,
            .body = ErrorJson(snapshot.status().message())};
  }
  const NameSpaceSnapshot* const space =
      request.name_space.has_value() ? snapshot->Find(*request.name_space) : nullptr;
  if (space == nullptr && request.name_space.has_value()) {
    return {.status = kNotFound,
            .content_type = kJsonContentType,
            .body = ErrorJson("there is no such name space here, or none any more")};
  }
  const ServerName name = {.address = server_->address(),
                           .backend = std::string(net::EventLoopKindName(server_->event_loop()))};
  return {.status = kOk,
          .content_type = kJsonContentType,
          .body = StatusJson(*snapshot, space, name, rank)};
}

const absl::StatusOr<ServerSnapshot>& Endpoints::Look() {
  const absl::Time now = clock_->Now();
  if (now >= look_again_) {
    snapshot_ = server_->Snapshot(now + kPatience);
    look_again_ = clock_->Now() + (snapshot_.ok() ? kSnapshotAge : kPatience);
  }
  return snapshot_;
}

}  // namespace rollcall::http
