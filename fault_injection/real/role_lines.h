// What the processes of a real run and whoever started them say to each other, a line each.
//
// A process says on its standard output:
//   ready            It has read the scenario, and waits for `start`.
//   begin STEP, end STEP   A step of it, as StepOutcome in hexadecimal. It waits for `go` after
//   each. acted N ERROR    A `call` fault of the scenario did, N its index; ERROR may be empty.
//   done_with        The answer to each enable and disable.
//   operation TEXT   Of the history (history.h), once the role is over.
//   failed TEXT      What no contract allows, in hexadecimal.
//   over             It ends.
// It is told on its standard input:
//   start NS         Begin; the run began at NS nanoseconds of the steady clock of the machine.
//   go, stop         Go on with the step; end serving.
//   enable N, disable N   A `call` fault.
#ifndef ROLLCALL_FAULT_INJECTION_REAL_ROLE_LINES_H_
#define ROLLCALL_FAULT_INJECTION_REAL_ROLE_LINES_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "fault_injection/scenario/scenario.pb.h"

namespace rollcall::fault {

struct RoleLine {
  std::string word;
  std::string rest;  // May be empty.
};
RoleLine RoleLineOf(absl::string_view line);

std::string OutcomeToHex(const StepOutcome& outcome);
// nullopt: it is none.
std::optional<StepOutcome> OutcomeFromHex(absl::string_view hex);

// Bytes come in pieces, lines go out.
class LineBuffer {
 public:
  void Add(absl::string_view bytes) { bytes_.append(bytes.data(), bytes.size()); }
  // The next whole line, without its end.
  std::optional<std::string> Next();

 private:
  std::string bytes_;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REAL_ROLE_LINES_H_
