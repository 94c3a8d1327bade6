#include "store/server/meter.h"

#include <utility>

namespace rollcall {
namespace {

constexpr size_t kReasonBytesMax = 512;

}  // namespace

void Meter::MeasureLatencies(net::Clock* clock) {
  clock_ = clock;
  metrics_.serving_times.assign(protocol::kOperationCount,
                                engine::DurationHistogram(&engine::kServingTimes));
}

void Meter::ObserveLatencies(absl::Time turn) {
  const absl::Duration took = clock_->Now() - turn;
  const size_t bucket = metrics_.serving_times.front().BucketOf(took);
  for (const protocol::Operation operation : at_work_) {
    metrics_.serving_times[static_cast<size_t>(operation)].Observe(took, bucket);
  }
  at_work_.clear();
}

void Meter::Remember(Incident incident) {
  if (incident.reason.size() > kReasonBytesMax) {
    incident.reason.resize(kReasonBytesMax);
    incident.reason += "...";
  }
  if (incidents_.size() == kIncidentsMax) incidents_.pop_front();
  incidents_.push_back(std::move(incident));
}

}  // namespace rollcall
