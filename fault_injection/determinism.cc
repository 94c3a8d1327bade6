#include "fault_injection/determinism.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fault_injection/trace.h"

namespace rollcall::fault {
namespace {

constexpr size_t kLinesBefore = 3;
constexpr size_t kLinesAfter = 3;

struct Recorded {
  std::vector<std::string> lines;
  uint64_t fingerprint = 0;
};

Recorded RunOnce(WorldOptions options, absl::FunctionRef<void(World&)> body) {
  TraceLog log;
  options.trace = &log;
  World world(options);
  body(world);
  return {log.lines(), world.fingerprint()};
}

void AppendLines(absl::string_view label, const std::vector<std::string>& lines, size_t begin,
                 size_t end, std::string& text) {
  for (size_t i = begin; i < end; ++i) {
    absl::StrAppend(&text, "  ", label, " ", i + 1, ": ",
                    i < lines.size() ? lines[i] : "(nothing more)", "\n");
    if (i >= lines.size()) return;
  }
}

}  // namespace

absl::Status RunTwiceAndCompare(WorldOptions options, absl::FunctionRef<void(World&)> body) {
  const Recorded first = RunOnce(options, body);
  const Recorded second = RunOnce(options, body);
  if (first.fingerprint == second.fingerprint && first.lines == second.lines) {
    return absl::OkStatus();
  }
  const size_t common = std::min(first.lines.size(), second.lines.size());
  const size_t at = static_cast<size_t>(
      std::mismatch(first.lines.begin(), first.lines.begin() + static_cast<ptrdiff_t>(common),
                    second.lines.begin())
          .first -
      first.lines.begin());
  std::string text = absl::StrCat("two runs of seed ", options.seed, " differ, from event ", at + 1,
                                  " on (the first has ", first.lines.size(), ", the second ",
                                  second.lines.size(), "):\n");
  AppendLines("both  ", first.lines, at - std::min(at, kLinesBefore), at, text);
  AppendLines("first ", first.lines, at, at + 1 + kLinesAfter, text);
  AppendLines("second", second.lines, at, at + 1 + kLinesAfter, text);
  return absl::InternalError(text);
}

}  // namespace rollcall::fault
