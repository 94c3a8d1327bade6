// SVG 1.1, element by element.
#ifndef ROLLCALL_FAULT_INJECTION_REPORT_SVG_WRITER_H_
#define ROLLCALL_FAULT_INJECTION_REPORT_SVG_WRITER_H_

#include <string>

#include "absl/strings/string_view.h"

namespace rollcall::fault {

// Text is escaped; classes are names from the picture's own style sheet.
class SvgWriter {
 public:
  struct Point {
    int x = 0;
    int y = 0;
  };
  struct Box {
    int x = 0;
    int y = 0;
    int width = 0;
    int height = 0;
  };

  // What lies in a group shows `title` when pointed at, and is read out as that. Empty: no title.
  void BeginGroup(absl::string_view css_class, absl::string_view title);
  void EndGroup();
  void Rect(absl::string_view css_class, Box box, int radius = 0);
  void Line(absl::string_view css_class, Point from, Point to);
  // `d` is the path's data.
  void Path(absl::string_view css_class, absl::string_view d);
  // `anchor`: "start", "middle" or "end" of the text is at `at`.
  void Text(absl::string_view css_class, absl::string_view anchor, Point at,
            absl::string_view text);

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string XmlEscaped(absl::string_view text);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REPORT_SVG_WRITER_H_
