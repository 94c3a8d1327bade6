#include "fault_injection/scenario/cast.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace rollcall::fault {
namespace {

// The name of the field that is set of the message's only oneof.
absl::string_view SetFieldOf(const google::protobuf::Message& message, const char* oneof) {
  const auto* const choice = message.GetDescriptor()->FindOneofByName(oneof);
  const auto* const field = message.GetReflection()->GetOneofFieldDescriptor(message, choice);
  return field == nullptr ? absl::string_view() : absl::string_view(field->name());
}

std::vector<std::string> StepNames(const Workers& group) {
  std::vector<std::string> names;
  std::map<std::string, int> so_far;
  for (const Step& step : group.steps()) {
    const std::string base =
        step.name().empty() ? std::string(OperationOf(step)) : std::string(step.name());
    const int count = ++so_far[base];
    names.push_back(count == 1 ? base : absl::StrCat(base, "#", count));
  }
  return names;
}

// Whether one of the worker's steps hosts the server.
bool Hosts(const WorkerRole& worker) {
  return std::any_of(worker.group->steps().begin(), worker.group->steps().end(),
                     [&](const Step& step) {
                       return step.has_listen() || step.join().hosts() ||
                              (step.join().rank_0_hosts() && worker.rank == 0);
                     });
}

}  // namespace

Cast CastOf(const Scenario& scenario) {
  Cast cast;
  cast.has_server = scenario.has_server();
  // There is always such a machine, if only for nobody to answer on it.
  cast.hosts.emplace_back(kServerHost);
  cast.serving_host = kServerHost;
  for (const Workers& group : scenario.workers()) {
    const std::vector<std::string> names = StepNames(group);
    for (int i = 0; i < std::max(group.count(), 1); ++i) {
      const int rank = cast.world_size();
      cast.workers.push_back({absl::StrCat("w", rank), rank, &group, names});
      cast.hosts.push_back(cast.workers.back().host);
      if (!cast.has_server && cast.serving_host == kServerHost && Hosts(cast.workers.back())) {
        cast.serving_host = cast.workers.back().host;
      }
    }
  }
  for (const Stranger& stranger : scenario.strangers()) {
    cast.strangers.push_back(&stranger);
    // One that listens does so where the server should be.
    if (!stranger.listens()) cast.hosts.emplace_back(stranger.name());
  }
  return cast;
}

absl::string_view OperationOf(const Step& step) { return SetFieldOf(step, "operation"); }

absl::Duration DurationOf(const std::string& text, absl::Duration otherwise) {
  if (text.empty()) return otherwise;
  absl::Duration duration;
  CHECK(absl::ParseDuration(text, &duration)) << text;
  return duration;
}

absl::string_view ActionOf(const Fault& fault) { return SetFieldOf(fault, "action"); }

std::string NameOf(const Scenario& scenario, int fault) {
  const Fault& named = scenario.faults(fault);
  if (!named.name().empty()) return named.name();
  return absl::StrCat("fault ", fault + 1, " (", ActionOf(named), ")");
}

}  // namespace rollcall::fault
