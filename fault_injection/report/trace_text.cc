#include "fault_injection/report/trace_text.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/report/report_text.h"

namespace rollcall::fault {
namespace {

constexpr int kWhoWidthMax = 32;

struct Line {
  absl::Duration at;
  std::string who;
  std::string what;
};

class Lines {
 public:
  explicit Lines(const RunRecord& record) : record_(record) {
    // Of one moment: first what ends, then what went wrong, then what begins.
    AddEnds();
    AddFaults();
    AddBeginnings();
    AddMessages();
    std::stable_sort(lines_.begin(), lines_.end(),
                     [](const Line& a, const Line& b) { return a.at < b.at; });
  }

  std::string Text() const {
    size_t who_width = 0;
    for (const Line& line : lines_) who_width = std::max(who_width, line.who.size());
    const int width = std::min(static_cast<int>(who_width), kWhoWidthMax);
    const int time_width = static_cast<int>(FormatSeconds(record_.end).size());
    std::string text;
    for (const Line& line : lines_) {
      absl::StrAppendFormat(&text, "%*s  %-*s  %s\n", time_width, FormatSeconds(line.at), width,
                            Printable(line.who), Printable(line.what));
    }
    return text;
  }

 private:
  void Add(absl::Duration at, absl::string_view who, std::string what) {
    lines_.push_back({at, std::string(who), std::move(what)});
  }

  std::string WhoOf(const RunRecord::Step& step) const {
    if (step.fiber != kNone) return record_.fibers[step.fiber].actor;
    return std::string(HostName(record_, step.host));
  }

  void AddEnds() {
    for (const RunRecord::Wait& wait : record_.waits) {
      Add(wait.end, record_.fibers[wait.fiber].actor,
          absl::StrCat("goes on after ", FormatRoughly(wait.end - wait.begin),
                       wait.ended_by.empty() ? "" : absl::StrCat(" (", wait.ended_by, ")"), ": ",
                       wait.waits_for));
    }
    for (const RunRecord::Step& step : record_.steps) {
      if (step.begin == step.end) continue;
      Add(step.end, WhoOf(step), absl::StrCat(step.is_ok ? "< " : "! ", StepText(step)));
    }
    for (const RunRecord::Band& band : record_.bands) {
      if (band.is_over) {
        Add(band.end, HostName(record_, band.host),
            absl::StrCat("over: ", BandText(record_, band)));
      }
    }
    for (const RunRecord::Fiber& fiber : record_.fibers) {
      if (fiber.begin != fiber.end) Add(fiber.end, fiber.actor, fiber.outcome);
    }
  }

  void AddFaults() {
    for (const RunRecord::Fault& fault : record_.faults) {
      std::string who;
      for (const int host : fault.hosts) {
        absl::StrAppend(&who, who.empty() ? "" : ", ", HostName(record_, host));
      }
      Add(fault.at, who, absl::StrCat("FAULT ", fault.text));
    }
    for (const RunRecord::Note& note : record_.notes) Add(note.at, note.actor, note.text);
  }

  void AddBeginnings() {
    for (const RunRecord::Fiber& fiber : record_.fibers) {
      const bool is_over = fiber.begin == fiber.end;
      Add(fiber.begin, fiber.actor,
          is_over ? absl::StrCat("begins, at once ", fiber.outcome) : "begins");
    }
    for (const RunRecord::Step& step : record_.steps) {
      if (step.begin != step.end) {
        Add(step.begin, WhoOf(step), absl::StrCat("> ", step.name));
      } else {
        Add(step.begin, WhoOf(step), absl::StrCat(step.is_ok ? "= " : "! ", StepText(step)));
      }
    }
    for (const RunRecord::Band& band : record_.bands) {
      Add(band.begin, HostName(record_, band.host),
          absl::StrCat("from now on ", BandText(record_, band)));
    }
    for (const RunRecord::Wait& wait : record_.waits) {
      Add(wait.begin, record_.fibers[wait.fiber].actor, absl::StrCat("waits for ", wait.waits_for));
    }
  }

  void AddMessages() {
    for (const RunRecord::Message& message : record_.messages) {
      const std::string way =
          absl::StrCat(HostName(record_, message.from), " -> ", HostName(record_, message.to));
      const std::string when = message.is_lost
                                   ? absl::StrCat(" at ", FormatSeconds(message.ended))
                                   : absl::StrCat(", arrives at ", FormatSeconds(message.ended));
      Add(message.sent, way,
          absl::StrCat(MessageText(message), when, "  [", message.from_endpoint, " -> ",
                       message.to_endpoint, "]"));
    }
  }

  const RunRecord& record_;
  std::vector<Line> lines_;
};

void AppendDropped(uint64_t count, absl::string_view noun, std::string& text) {
  if (count == 0) return;
  absl::StrAppend(&text, "# the first ", Count(count, noun), " of the run were not kept\n");
}

}  // namespace

std::string TraceText(const RunRecord& record) {
  std::string text = absl::StrCat("# ", Printable(record.title), "\n");
  if (!record.verdict.empty()) {
    // Of several lines the first says it; the others are a picture of the fibers.
    const absl::string_view verdict = record.verdict;
    absl::StrAppend(&text, "# ", Printable(verdict.substr(0, verdict.find('\n'))), "\n");
  }
  AppendDropped(record.messages_dropped, "message", text);
  AppendDropped(record.waits_dropped, "wait", text);
  AppendDropped(record.notes_dropped, "note", text);
  absl::StrAppend(&text, "# seconds, who, what\n", Lines(record).Text());
  return text;
}

}  // namespace rollcall::fault
