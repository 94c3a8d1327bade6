#include "fault_injection/report/svg_writer.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "fault_injection/report/report_text.h"

namespace rollcall::fault {

std::string XmlEscaped(absl::string_view text) {
  return absl::StrReplaceAll(Printable(text),
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

void SvgWriter::BeginGroup(absl::string_view css_class, absl::string_view title) {
  absl::StrAppend(&text_, "<g class=\"", css_class, "\">");
  if (!title.empty()) absl::StrAppend(&text_, "<title>", XmlEscaped(title), "</title>");
  text_ += "\n";
}

void SvgWriter::EndGroup() { text_ += "</g>\n"; }

void SvgWriter::Rect(absl::string_view css_class, Box box, int radius) {
  absl::StrAppend(&text_, "<rect class=\"", css_class, "\" x=\"", box.x, "\" y=\"", box.y,
                  "\" width=\"", box.width, "\" height=\"", box.height, "\"");
  if (radius > 0) absl::StrAppend(&text_, " rx=\"", radius, "\"");
  text_ += "/>\n";
}

void SvgWriter::Line(absl::string_view css_class, Point from, Point to) {
  absl::StrAppend(&text_, "<line class=\"", css_class, "\" x1=\"", from.x, "\" y1=\"", from.y,
                  "\" x2=\"", to.x, "\" y2=\"", to.y, "\"/>\n");
}

void SvgWriter::Path(absl::string_view css_class, absl::string_view d) {
  absl::StrAppend(&text_, "<path class=\"", css_class, "\" d=\"", d, "\"/>\n");
}

void SvgWriter::Text(absl::string_view css_class, absl::string_view anchor, Point at,
                     absl::string_view text) {
  absl::StrAppend(&text_, "<text class=\"", css_class, "\" text-anchor=\"", anchor, "\" x=\"", at.x,
                  "\" y=\"", at.y, "\">", XmlEscaped(text), "</text>\n");
}

}  // namespace rollcall::fault
