// The pictures of the guide to scenarios.
#ifndef ROLLCALL_DOCS_SCENARIO_PICTURE_H_
#define ROLLCALL_DOCS_SCENARIO_PICTURE_H_

#include <string>

namespace rollcall {

// The scenario of the file, in a run of seed 1, as SVG: the same as the `sequence.svg` of
// `fault_run --seeds=1 --picture`. Ends the process with a message if it cannot be read.
std::string DrawScenario(const std::string& path);

}  // namespace rollcall

#endif  // ROLLCALL_DOCS_SCENARIO_PICTURE_H_
