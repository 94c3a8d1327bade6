#include "store/server/server_metrics.h"

#include <cstddef>

namespace rollcall {

void ServerMetrics::MergeFrom(const ServerMetrics& other) {
  work += other.work;
  for (size_t i = 0; i < requests.size(); ++i) requests[i] += other.requests[i];
  for (size_t i = 0; i < incidents.size(); ++i) incidents[i] += other.incidents[i];
  for (size_t i = 0; i < serving_times.size() && i < other.serving_times.size(); ++i) {
    serving_times[i].MergeFrom(other.serving_times[i]);
  }
}

}  // namespace rollcall
