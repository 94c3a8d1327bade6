#include "fault_injection/scenario/director.h"

#include <algorithm>
#include <tuple>

#include "fault_injection/scenario/cast.h"
#include "fault_injection/scenario/host_set.h"

namespace rollcall::fault {

Director::Director(const Scenario& scenario)
    : scenario_(scenario),
      has_come_(static_cast<size_t>(scenario.faults_size()), false),
      first_is_over_(static_cast<size_t>(scenario.orders_size()), false) {
  for (int i = 0; i < scenario.faults_size(); ++i) {
    const Fault& fault = scenario.faults(i);
    if (!fault.has_when()) Add(DurationOf(fault.at(), absl::ZeroDuration()), i);
  }
}

bool Director::Matches(const Moment& moment, absl::string_view who, absl::string_view step,
                       bool ends) const {
  return moment.step() == step && moment.ends() == ends && NamesHost(moment.who(), who);
}

void Director::Add(absl::Duration begin, int fault) {
  const auto insert = [&](const Cue& cue) {
    const auto key = [](const Cue& c) { return std::make_tuple(c.at, c.fault, c.ends); };
    cues_.insert(std::upper_bound(cues_.begin(), cues_.end(), cue,
                                  [&](const Cue& a, const Cue& b) { return key(a) < key(b); }),
                 cue);
  };
  insert({begin, fault, /*ends=*/false});
  const std::string& lasts = scenario_.faults(fault).lasts();
  if (!lasts.empty()) {
    insert({begin + DurationOf(lasts, absl::ZeroDuration()), fault, /*ends=*/true});
  }
}

void Director::Note(absl::string_view who, absl::string_view step, bool ends, absl::Duration now) {
  for (int i = 0; i < scenario_.faults_size(); ++i) {
    const Fault& fault = scenario_.faults(i);
    if (fault.has_when() && !has_come_[i] && Matches(fault.when(), who, step, ends)) {
      has_come_[i] = true;
      Add(now + DurationOf(fault.after(), absl::ZeroDuration()), i);
    }
  }
  for (int i = 0; i < scenario_.orders_size(); ++i) {
    if (Matches(scenario_.orders(i).first(), who, step, ends)) first_is_over_[i] = true;
  }
}

bool Director::MayBegin(absl::string_view who, absl::string_view step) const {
  for (int i = 0; i < scenario_.orders_size(); ++i) {
    if (!first_is_over_[i] && Matches(scenario_.orders(i).then(), who, step, /*ends=*/false)) {
      return false;
    }
  }
  return true;
}

absl::Duration Director::next() const {
  return cues_.empty() ? absl::InfiniteDuration() : cues_.front().at;
}

std::vector<Director::Cue> Director::Take(absl::Duration now) {
  const auto end =
      std::find_if(cues_.begin(), cues_.end(), [&](const Cue& cue) { return cue.at > now; });
  std::vector<Cue> due(cues_.begin(), end);
  cues_.erase(cues_.begin(), end);
  return due;
}

}  // namespace rollcall::fault
