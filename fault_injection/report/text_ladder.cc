#include "fault_injection/report/text_ladder.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/report/report_text.h"

namespace rollcall::fault {
namespace {

constexpr size_t kTimeWidth = 13;  // Of the times, to the left of the first lane.
constexpr absl::Duration kBreakMin = absl::Milliseconds(100);

class Ladder {
 public:
  Ladder(const RunRecord& record, const PictureLimits& limits)
      : record_(record),
        content_(ChoosePicture(record, limits)),
        column_width_(content_.hosts.size() <= 3 ? 28 : 22) {}

  std::string Text() {
    AddStepEnds();
    AddFaults();
    AddStepBegins();
    AddMessages();
    AddOmissions();
    std::stable_sort(lines_.begin(), lines_.end(),
                     [](const Line& a, const Line& b) { return a.at < b.at; });
    std::string text = absl::StrCat(std::string(kTimeWidth, ' '), Names(), "\n");
    absl::Duration last;
    for (const Line& line : lines_) {
      if (line.at - last >= kBreakMin) AppendLine("~", FormatRoughly(line.at - last), text);
      AppendLine(FormatSeconds(line.at), line.text, text);
      last = line.at;
    }
    for (const std::string& remark : content_.remarks) absl::StrAppend(&text, remark, "\n");
    return text;
  }

 private:
  struct Line {
    absl::Duration at;
    std::string text;
  };

  static void AppendLine(absl::string_view when, absl::string_view what, std::string& text) {
    const size_t blanks = kTimeWidth - 2 - std::min(when.size(), kTimeWidth - 2);
    absl::StrAppend(&text, std::string(blanks, ' '), when, "  ", what, "\n");
  }

  size_t LaneOf(int host) const {
    return std::find(content_.hosts.begin(), content_.hosts.end(), host) - content_.hosts.begin();
  }
  size_t Column(size_t lane) const { return lane * column_width_; }

  std::string Names() const {
    std::string names;
    for (size_t lane = 0; lane < content_.hosts.size(); ++lane) {
      names.resize(std::max(names.size(), Column(lane)), ' ');
      names += Shortened(HostName(record_, content_.hosts[lane]), column_width_ - 1);
    }
    return names;
  }

  // The lanes, and nothing else.
  std::string Blank() const {
    std::string line(content_.hosts.empty() ? 0 : Column(content_.hosts.size() - 1) + 1, ' ');
    for (size_t lane = 0; lane < content_.hosts.size(); ++lane) line[Column(lane)] = '|';
    return line;
  }

  static void Put(size_t column, absl::string_view text, std::string& line) {
    line.resize(std::max(line.size(), column + text.size()), ' ');
    line.replace(column, text.size(), text.data(), text.size());
  }

  void AddMark(absl::Duration at, int host, char mark, absl::string_view what) {
    std::string line = Blank();
    Put(Column(LaneOf(host)), absl::StrCat(std::string(1, mark), " ", Printable(what)), line);
    lines_.push_back({at, std::move(line)});
  }

  void AddStepEnds() {
    for (const size_t index : content_.steps) {
      const RunRecord::Step& step = record_.steps[index];
      const bool is_worth_it = !step.is_ok || !step.outcome.empty();
      if (step.begin == step.end || !is_worth_it) continue;
      AddMark(step.end, step.host, step.is_ok ? '<' : '!',
              absl::StrCat(step.name, " = ", step.outcome));
    }
  }

  void AddStepBegins() {
    for (const size_t index : content_.steps) {
      const RunRecord::Step& step = record_.steps[index];
      const bool is_at_once = step.begin == step.end;
      const char mark = !is_at_once ? '>' : step.is_ok ? '=' : '!';
      AddMark(step.begin, step.host, mark, is_at_once ? StepText(step) : step.name);
    }
  }

  void AddFaults() {
    for (const size_t index : content_.faults) {
      const RunRecord::Fault& fault = record_.faults[index];
      std::string line = Blank();
      size_t first = content_.hosts.size();
      for (const int host : fault.hosts) {
        const size_t lane = LaneOf(host);
        if (lane == content_.hosts.size()) continue;
        Put(Column(lane), "*", line);
        first = std::min(first, lane);
      }
      if (first == content_.hosts.size()) first = 0;
      Put(Column(first) + 2, Printable(fault.text), line);
      lines_.push_back({fault.at, std::move(line)});
    }
  }

  void AddOmissions() {
    for (const PictureContent::Omission& omission : content_.omissions) {
      lines_.push_back({omission.begin, absl::StrCat("... ", OmissionText(omission))});
    }
  }

  void AddMessages() {
    for (const size_t index : content_.messages) {
      const RunRecord::Message& message = record_.messages[index];
      const size_t from = Column(LaneOf(message.from));
      const size_t to = Column(LaneOf(message.to));
      std::string line = Blank();
      if (from == to) {
        Put(from + 1, absl::StrCat("-+ ", MessageText(message)), line);
      } else {
        Put(std::min(from, to) + 1, Arrow(message, from, to), line);
      }
      lines_.push_back({message.sent, std::move(line)});
    }
  }

  // What is between two lanes; a lost one ends before it is there.
  static std::string Arrow(const RunRecord::Message& message, size_t from, size_t to) {
    const bool is_rightward = to > from;
    const size_t length = (is_rightward ? to - from : from - to) - 1;
    const size_t missing = message.is_lost ? 4 : 0;
    const std::string label =
        absl::StrCat(" ", Shortened(MessageText(message), length - missing - 5), " ");
    std::string shaft(length - missing, '-');
    (is_rightward ? shaft.back() : shaft.front()) =
        message.is_lost ? 'X' : (is_rightward ? '>' : '<');
    shaft.replace((shaft.size() - label.size()) / 2, label.size(), label);
    const std::string gap(missing, ' ');
    return is_rightward ? shaft + gap : gap + shaft;
  }

  const RunRecord& record_;
  const PictureContent content_;
  const size_t column_width_;
  std::vector<Line> lines_;
};

}  // namespace

std::string TextLadder(const RunRecord& record, const PictureLimits& limits) {
  return Ladder(record, limits).Text();
}

}  // namespace rollcall::fault
