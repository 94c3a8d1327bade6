// Counts what one event loop's share of a server does.
#ifndef ROLLCALL_STORE_SERVER_METER_H_
#define ROLLCALL_STORE_SERVER_METER_H_

#include <cstddef>
#include <deque>
#include <vector>

#include "absl/time/time.h"
#include "net/clock.h"
#include "store/protocol/operation.h"
#include "store/server/incident.h"
#include "store/server/server_metrics.h"
#include "store/server/throughput.h"

namespace rollcall {

// Stands in the way of every request: a request costs two additions, a piece of bytes a comparison
// and, where latencies are measured, one look at the clock. Loop's thread only.
class Meter {
 public:
  static constexpr size_t kIncidentsMax = 32;

  // From now on. `*clock` must be the loop's, and outlive the meter.
  void MeasureLatencies(net::Clock* clock);

  void Received(size_t bytes) { metrics_.work.received_bytes += bytes; }
  // A piece of bytes is about to be parsed and served; `turn` is the loop's Now().
  void Begins(absl::Time turn) { throughput_.Advance(turn, metrics_.work); }
  void Requested(protocol::Operation operation) {
    ++metrics_.work.requests;
    ++metrics_.requests[static_cast<size_t>(operation)];
    if (clock_ != nullptr) at_work_.push_back(operation);
  }
  void Replied(size_t bytes) { metrics_.work.sent_bytes += bytes; }
  // All that Begins() announced has been served.
  void Ends(absl::Time turn) {
    if (clock_ != nullptr && !at_work_.empty()) ObserveLatencies(turn);
  }

  void Count(IncidentKind kind) { ++metrics_.incidents[static_cast<size_t>(kind)]; }
  // Keeps it until kIncidentsMax more have come. Its reason is cut.
  void Remember(Incident incident);

  const ServerMetrics& metrics() const { return metrics_; }
  // Oldest first.
  const std::deque<Incident>& incidents() const { return incidents_; }
  const Throughput& throughput() const { return throughput_; }

 private:
  void ObserveLatencies(absl::Time turn);

  net::Clock* clock_ = nullptr;
  ServerMetrics metrics_;
  std::vector<protocol::Operation> at_work_;  // A member to keep its memory.
  Throughput throughput_;
  std::deque<Incident> incidents_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_METER_H_
