// What a server has done since it began, in numbers that only grow.
#ifndef ROLLCALL_STORE_SERVER_SERVER_METRICS_H_
#define ROLLCALL_STORE_SERVER_SERVER_METRICS_H_

#include <array>
#include <cstdint>
#include <vector>

#include "store/engine/duration_histogram.h"
#include "store/protocol/operation.h"
#include "store/server/incident.h"
#include "store/server/throughput.h"

namespace rollcall {

struct ServerMetrics {
  Work work;
  std::array<uint64_t, protocol::kOperationCount> requests = {};  // By Operation.
  std::array<uint64_t, kIncidentKinds> incidents = {};            // By IncidentKind.
  // By Operation: from the moment at which the loop woke up for what had come until the reply was
  // given to the kernel, or the wait was put down. Empty unless latencies are measured.
  std::vector<engine::DurationHistogram> serving_times;

  void MergeFrom(const ServerMetrics& other);
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_SERVER_METRICS_H_
