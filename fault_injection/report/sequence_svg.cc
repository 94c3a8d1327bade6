#include "fault_injection/report/sequence_svg.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/report/picture_style.h"
#include "fault_injection/report/report_text.h"
#include "fault_injection/report/sequence_layout.h"
#include "fault_injection/report/svg_writer.h"

namespace rollcall::fault {
namespace {

using Point = SvgWriter::Point;

// How an arrow is drawn.
absl::string_view Suffix(const RunRecord::Message& message) {
  if (message.kind == PacketKind::kReset) return "-reset";
  return message.kind == PacketKind::kData ? "" : "-quiet";
}

absl::string_view StepClass(const RunRecord::Step& step) {
  return step.is_ok ? "ok" : step.is_over ? "failed" : "open";
}

class Picture {
 public:
  Picture(const RunRecord& record, const PictureLimits& limits)
      : record_(record), content_(ChoosePicture(record, limits)), layout_(record, content_) {}

  std::string Draw() {
    DrawTimes();
    DrawLanes();
    for (const SequenceLayout::Band& band : layout_.bands()) DrawBand(band);
    for (const SequenceLayout::Step& step : layout_.steps()) DrawBracket(step);
    for (const SequenceLayout::Message& message : layout_.messages()) DrawArrow(message);
    for (const SequenceLayout::Step& step : layout_.steps()) DrawStepLabels(step);
    for (const SequenceLayout::Band& band : layout_.bands()) DrawBandLabel(band);
    for (const SequenceLayout::Message& message : layout_.messages()) DrawMessageLabel(message);
    for (const SequenceLayout::Row& fault : layout_.faults()) DrawFault(fault);
    for (const SequenceLayout::Row& row : layout_.omissions()) DrawOmission(row);
    for (const TimeScale::Break& gap : layout_.scale().breaks()) DrawBreak(gap);
    DrawHead();
    const int height = DrawFoot();
    return absl::StrCat(Opening(height), svg_.text(), "</svg>\n");
  }

 private:
  static constexpr int kBracketHalf = 4;
  static constexpr int kLoopWidth = 20;
  static constexpr int kNamesDistance = 500;  // Between two repetitions of the hosts' names.

  int X(int lane) const { return layout_.LaneX(lane); }
  int bottom() const { return layout_.scale().bottom(); }

  std::string Opening(int height) const {
    const std::string size =
        absl::StrCat("width=\"", layout_.width(), "\" height=\"", height, "\"");
    return absl::StrCat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
                        "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" role=\"img\" ",
                        size, " viewBox=\"0 0 ", layout_.width(), " ", height, "\">\n<title>",
                        XmlEscaped(record_.title), "</title>\n<desc>", XmlEscaped(Description()),
                        "</desc>\n<style type=\"text/css\">", kPictureStyle,
                        "</style>\n<rect class=\"paper\" ", size, "/>\n");
  }

  std::string Description() const {
    size_t failed = 0;
    size_t lost = 0;
    for (const RunRecord::Step& step : record_.steps) failed += step.is_ok ? 0 : 1;
    for (const RunRecord::Message& message : record_.messages) lost += message.is_lost ? 1 : 0;
    return absl::StrCat("Sequence of ", Count(record_.messages.size(), "packet"), " (", lost,
                        " lost) between ", Count(record_.hosts.size(), "host"), ", ",
                        Count(record_.steps.size(), "step"), " (", failed, " not ok) and ",
                        Count(record_.faults.size(), "fault"), " in ", FormatRoughly(record_.end),
                        " of virtual time.");
  }

  // --- What lies behind ---

  void DrawTimes() {
    int free_from = 0;
    for (const absl::Duration at : layout_.scale().moments()) {
      const int y = layout_.scale().ItemY(at, 0);
      if (y < free_from) continue;
      free_from = y + 12;
      svg_.Text("time", "end", {X(0) - 30, y}, absl::StrCat(FormatSeconds(at), " s"));
      svg_.Line("tick", {X(0) - 26, y - 3}, {X(0) - 8, y - 3});
    }
  }

  void DrawLanes() {
    for (int lane = 0; lane < layout_.lanes(); ++lane) {
      svg_.Line("lane", {X(lane), layout_.top() - 8}, {X(lane), bottom()});
    }
  }

  // A band begins at its fault's line, where there is one.
  int BandY(absl::Duration at) const {
    for (const SequenceLayout::Row& fault : layout_.faults()) {
      if (fault.at == at) return layout_.scale().RowY(at, fault.row);
    }
    return layout_.scale().Y(at);
  }

  void DrawBand(const SequenceLayout::Band& placed) {
    const PictureBand& band = content_.bands[placed.index];
    const int half = 16 + 5 * placed.depth;
    const int from = BandY(band.begin);
    svg_.BeginGroup("band", absl::StrCat(HostName(record_, band.host), ": ", band.text, ", ",
                                         FormatRoughly(band.end - band.begin)));
    svg_.Rect(band.is_link ? "band-link" : "band-host",
              {X(placed.lane) - half, from, 2 * half, std::max(BandY(band.end) - from, 6)}, 3);
    svg_.EndGroup();
  }

  void DrawBandLabel(const SequenceLayout::Band& placed) {
    const PictureBand& band = content_.bands[placed.index];
    DrawLabel("band", placed.lane, 0, layout_.scale().ItemY(band.begin, placed.item), band.text);
  }

  // --- Steps ---

  std::string StepTitle(const RunRecord::Step& step) const {
    return absl::StrCat(HostName(record_, step.host), ": ", StepText(step), ", from ",
                        FormatSeconds(step.begin), " to ", FormatSeconds(step.end), " s (",
                        FormatRoughly(step.end - step.begin), ")");
  }

  void DrawBracket(const SequenceLayout::Step& placed) {
    const RunRecord::Step& step = record_.steps[placed.index];
    const TimeScale& scale = layout_.scale();
    const int from = scale.ItemY(step.begin, placed.begin_item) - 8;
    int to = from + 10;
    if (step.end > step.begin) {
      to = placed.end_item == kNone ? scale.Y(step.end) + 2
                                    : scale.ItemY(step.end, placed.end_item) - 1;
    }
    svg_.BeginGroup("step", StepTitle(step));
    svg_.Rect(absl::StrCat("step-", StepClass(step)),
              {X(placed.lane) - kBracketHalf + 9 * placed.depth, from, 2 * kBracketHalf, to - from},
              3);
    svg_.EndGroup();
  }

  void DrawStepLabels(const SequenceLayout::Step& placed) {
    const RunRecord::Step& step = record_.steps[placed.index];
    const TimeScale& scale = layout_.scale();
    const bool is_one_line = step.begin == step.end && !step.outcome.empty();
    const int y = scale.ItemY(step.begin, placed.begin_item);
    svg_.BeginGroup("step", StepTitle(step));
    DrawLabel(StepClass(step), placed.lane, 0, y, is_one_line ? StepText(step) : step.name);
    if (placed.end_item != kNone) {
      DrawLabel(StepClass(step), placed.lane, 0, scale.ItemY(step.end, placed.end_item),
                absl::StrCat("= ", step.outcome));
    }
    svg_.EndGroup();
  }

  // To the right of a lane.
  void DrawLabel(absl::string_view css_class, int lane, int used, int y, absl::string_view text) {
    const std::string shown = Shortened(text, layout_.CharsBeside(lane, used));
    const int x = X(lane) + layout_.OffsetOf(lane) + used;
    DrawHalo(x, y, shown.size());
    svg_.Text(css_class, "start", {x, y}, shown);
  }

  void DrawHalo(int x, int y, size_t chars) {
    const int width = static_cast<int>(chars) * SequenceLayout::kCharWidth + 2;
    svg_.Rect("halo", {x - 1, y - 9, width, 12});
  }

  // --- Messages ---

  std::string MessageTitle(const RunRecord::Message& message) const {
    return absl::StrCat(HostName(record_, message.from), " -> ", HostName(record_, message.to),
                        ": ", MessageText(message), ", sent ", FormatSeconds(message.sent), " s, ",
                        message.is_lost ? "lost " : "arrived ", FormatSeconds(message.ended), " s");
  }

  Point StartOf(const SequenceLayout::Message& placed) const {
    const RunRecord::Message& message = record_.messages[placed.index];
    const int y = layout_.scale().ItemY(message.sent, placed.item) + 2;
    return {X(placed.from_lane), y};
  }

  // Where it arrives, or would have.
  Point EndOf(const SequenceLayout::Message& placed, Point start) const {
    const RunRecord::Message& message = record_.messages[placed.index];
    const int arrival = layout_.scale().Y(message.ended) + 1;
    return {X(placed.to_lane), std::max(arrival, start.y + 10)};
  }

  void DrawArrow(const SequenceLayout::Message& placed) {
    const RunRecord::Message& message = record_.messages[placed.index];
    const Point start = StartOf(placed);
    const Point end = EndOf(placed, start);
    svg_.BeginGroup("message", MessageTitle(message));
    if (placed.from_lane == placed.to_lane) {
      DrawLoop(message, placed.from_lane, start, end);
    } else if (message.is_lost) {
      // What never left ends nearer to its sender than what was lost where it should have arrived.
      const int percent = message.ended == message.sent ? 45 : 85;
      const Point lost = {start.x + (end.x - start.x) * percent / 100,
                          start.y + (end.y - start.y) * percent / 100};
      svg_.Line("arrow-lost", start, lost);
      DrawCross(lost);
    } else {
      svg_.Line(absl::StrCat("arrow", Suffix(message)), start, end);
      DrawArrowHead(message, end, /*is_leftward=*/end.x < start.x);
    }
    svg_.EndGroup();
  }

  void DrawLoop(const RunRecord::Message& message, int lane, Point start, Point end) {
    const int x = start.x + layout_.OffsetOf(lane) + kLoopWidth - 6;
    end.y = std::min(end.y, start.y + 40);
    if (message.is_lost) {
      svg_.Path("arrow-lost", absl::StrCat("M", start.x, " ", start.y, " H", x, " V", end.y));
      return DrawCross({x, end.y});
    }
    svg_.Path(absl::StrCat("arrow", Suffix(message)),
              absl::StrCat("M", start.x, " ", start.y, " H", x, " V", end.y, " H", end.x));
    DrawArrowHead(message, end, /*is_leftward=*/true);
  }

  void DrawArrowHead(const RunRecord::Message& message, Point tip, bool is_leftward) {
    const int back = is_leftward ? 8 : -8;
    svg_.Path(absl::StrCat("arrow-head", Suffix(message)),
              absl::StrCat("M", tip.x, " ", tip.y, " L", tip.x + back, " ", tip.y - 4, " L",
                           tip.x + back, " ", tip.y + 3, " Z"));
  }

  void DrawCross(Point at) {
    svg_.Path("cross", absl::StrCat("M", at.x - 5, " ", at.y - 5, " L", at.x + 5, " ", at.y + 5,
                                    " M", at.x - 5, " ", at.y + 5, " L", at.x + 5, " ", at.y - 5));
  }

  void DrawMessageLabel(const SequenceLayout::Message& placed) {
    const RunRecord::Message& message = record_.messages[placed.index];
    const int y = layout_.scale().ItemY(message.sent, placed.item);
    const absl::string_view css_class = message.is_lost || message.kind == PacketKind::kReset
                                            ? "lost"
                                        : message.kind == PacketKind::kData ? "message"
                                                                            : "quiet";
    const std::string text = MessageText(message);
    svg_.BeginGroup("message", MessageTitle(message));
    if (placed.to_lane < placed.from_lane) {
      const std::string shown = Shortened(text, layout_.CharsBeside(placed.from_lane - 1, 0));
      const int x = X(placed.from_lane) - 8;
      DrawHalo(x - static_cast<int>(shown.size()) * SequenceLayout::kCharWidth, y, shown.size());
      svg_.Text(css_class, "end", {x, y}, shown);
    } else {
      const bool is_loop = placed.to_lane == placed.from_lane;
      DrawLabel(css_class, placed.from_lane, is_loop ? kLoopWidth : 0, y, text);
    }
    svg_.EndGroup();
  }

  // --- Rows across ---

  void DrawFault(const SequenceLayout::Row& placed) {
    const RunRecord::Fault& fault = record_.faults[placed.index];
    const int y = layout_.scale().RowY(placed.at, placed.row);
    svg_.BeginGroup("fault", absl::StrCat(fault.text, ", at ", FormatSeconds(fault.at), " s"));
    svg_.Line("fault-line", {X(0) - 20, y}, {layout_.width() - 8, y});
    int text_lane = 0;
    for (auto host = fault.hosts.rbegin(); host != fault.hosts.rend(); ++host) {
      const int lane = layout_.LaneOf(*host);
      if (lane == kNone) continue;
      text_lane = fault.hosts.size() == 1 ? lane : std::min(lane, text_lane);
      DrawDiamond({X(lane), y});
    }
    DrawRowText("fault", X(text_lane) + 12, y + 4, fault.text);
    svg_.EndGroup();
  }

  void DrawDiamond(Point at) {
    svg_.Path("fault-mark", absl::StrCat("M", at.x, " ", at.y - 6, " l6 6 l-6 6 l-6 -6 Z"));
  }

  // Moved to the left where it would not fit.
  void DrawRowText(absl::string_view css_class, int x, int y, absl::string_view text) {
    const std::string shown =
        Shortened(text, static_cast<size_t>((layout_.width() - 40) / kRowCharWidth));
    const int width = static_cast<int>(shown.size()) * kRowCharWidth;
    x = std::max(std::min(x, layout_.width() - width - 10), 20);
    svg_.Rect("paper", {x - 3, y - 11, width + 6, 14});
    svg_.Text(css_class, "start", {x, y}, shown);
  }

  void DrawOmission(const SequenceLayout::Row& placed) {
    const std::string text = OmissionText(content_.omissions[placed.index]);
    const int y = layout_.scale().RowY(placed.at, placed.row);
    svg_.BeginGroup("left-out", text);
    svg_.Line("left-out-line", {X(0) - 20, y}, {layout_.width() - 8, y});
    DrawRowText("left-out", X(0) + 12, y + 4, text);
    svg_.EndGroup();
  }

  void DrawBreak(const TimeScale::Break& gap) {
    const std::string text = FormatRoughly(gap.to - gap.from);
    svg_.BeginGroup("break", absl::StrCat(text, " in which nothing is drawn"));
    for (int lane = 0; lane < layout_.lanes(); ++lane) {
      const std::string left = absl::StrCat("M", X(lane) - 22, " ", gap.y);
      const absl::string_view wave = " l11 -6 l11 6 l11 -6 l11 6";
      svg_.Path("paper", absl::StrCat(left, wave, " v6 l-11 -6 l-11 6 l-11 -6 l-11 6 Z"));
      svg_.Path("break-line", absl::StrCat(left, wave, " m0 6 l-11 -6 l-11 6 l-11 -6 l-11 6"));
    }
    svg_.Text("break", "end", {X(0) - 30, gap.y + 4}, text);
    // So that tall pictures can be read in the middle.
    if (gap.y >= names_from_) RepeatNames(gap.y);
    svg_.EndGroup();
  }

  void RepeatNames(int y) {
    names_from_ = y + kNamesDistance;
    for (int lane = 0; lane < layout_.lanes(); ++lane) {
      svg_.Text("again", "start", {X(lane) + 26, y + 4}, HostName(record_, content_.hosts[lane]));
    }
  }

  // --- Head and foot ---

  void DrawHosts(int y) {
    for (int lane = 0; lane < layout_.lanes(); ++lane) {
      const std::string name(HostName(record_, content_.hosts[lane]));
      const std::string shown = Shortened(name, 14);
      const int width = std::max(48, static_cast<int>(shown.size()) * 8 + 14);
      svg_.BeginGroup("host", name);
      svg_.Rect("head", {X(lane) - width / 2, y, width, SequenceLayout::kHeaderHeight}, 4);
      svg_.Text("host", "middle", {X(lane), y + 16}, shown);
      svg_.EndGroup();
    }
  }

  void DrawHead() {
    const size_t chars = static_cast<size_t>((layout_.width() - 40) / kRowCharWidth);
    svg_.Text("title", "start", {16, 24}, Shortened(record_.title, chars * 3 / 4));
    const absl::string_view verdict = record_.verdict;
    svg_.Text("verdict", "start", {16, 42},
              Shortened(verdict.substr(0, verdict.find('\n')), chars));
    DrawHosts(layout_.top() - 8 - SequenceLayout::kHeaderHeight);
  }

  // The height of the whole picture.
  int DrawFoot() {
    DrawHosts(bottom());
    std::vector<std::string> lines = {
        "Virtual time runs downwards, not to scale; zigzags cut out a stretch in which nothing "
        "happens.",
        "Brackets: steps that are ok (green), failed (red), not over (grey). Arrows: packets; "
        "crosses: lost ones.",
    };
    lines.insert(lines.end(), content_.remarks.begin(), content_.remarks.end());
    int y = bottom() + SequenceLayout::kHeaderHeight + 22;
    for (const std::string& line : lines) {
      svg_.Text("foot", "start", {16, y}, line);
      y += 16;
    }
    return y;
  }

  static constexpr int kRowCharWidth = 7;  // Of the texts in rows, at most.

  const RunRecord& record_;
  const PictureContent content_;
  const SequenceLayout layout_;
  SvgWriter svg_;
  int names_from_ = kNamesDistance;
};

}  // namespace

std::string SequenceSvg(const RunRecord& record, const PictureLimits& limits) {
  return Picture(record, limits).Draw();
}

}  // namespace rollcall::fault
