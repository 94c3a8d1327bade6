// When each fault of a scenario begins and ends, and which step has to wait for which other.
#ifndef ROLLCALL_FAULT_INJECTION_SCENARIO_DIRECTOR_H_
#define ROLLCALL_FAULT_INJECTION_SCENARIO_DIRECTOR_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/scenario/scenario.pb.h"

namespace rollcall::fault {

// Knows the time only from what it is told: the same one directs simulations and real runs. Not
// thread-safe.
class Director {
 public:
  // A fault that begins, or one whose `lasts` is over.
  struct Cue {
    absl::Duration at;  // Since the beginning.
    int fault = 0;      // Its index in the scenario.
    bool ends = false;
  };

  // `scenario` must have been checked, and outlive it.
  explicit Director(const Scenario& scenario);

  // A step of `who` begins or has ended at `now`: what waits for the first such moment is put on
  // the list.
  void Note(absl::string_view who, absl::string_view step, bool ends, absl::Duration now);
  // Whether the step may begin, or must wait for another first.
  bool MayBegin(absl::string_view who, absl::string_view step) const;

  // When the next cue is due; InfiniteDuration() if none is on the list.
  absl::Duration next() const;
  // Takes what is due at `now` off the list, in the order of their times and then of the scenario.
  std::vector<Cue> Take(absl::Duration now);

 private:
  bool Matches(const Moment& moment, absl::string_view who, absl::string_view step,
               bool ends) const;
  void Add(absl::Duration begin, int fault);

  const Scenario& scenario_;
  std::vector<Cue> cues_;            // Sorted.
  std::vector<bool> has_come_;       // By fault: its `when`.
  std::vector<bool> first_is_over_;  // By order.
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SCENARIO_DIRECTOR_H_
