// The colours and letters of the sequence picture. Private to it.
#ifndef ROLLCALL_FAULT_INJECTION_REPORT_PICTURE_STYLE_H_
#define ROLLCALL_FAULT_INJECTION_REPORT_PICTURE_STYLE_H_

#include "absl/strings/string_view.h"

namespace rollcall::fault {

// Labels are monospaced, so that it is known how long they are, whatever draws them.
inline constexpr absl::string_view kPictureStyle = R"(
text { font: 10px "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #222; }
text.title { font: bold 15px sans-serif; }
text.verdict, text.foot { font: 11px sans-serif; fill: #444; }
text.host { font: bold 12px sans-serif; }
text.time { fill: #666; }
text.again { font: 10px sans-serif; fill: #999; }
text.fault { font: bold 11px sans-serif; fill: #b3261e; }
text.left-out, text.break { font: italic 11px sans-serif; fill: #666; }
text.ok { fill: #1b5e20; }
text.failed { fill: #b3261e; font-weight: bold; }
text.open { fill: #555; font-style: italic; }
text.band { fill: #8a5200; font-style: italic; }
text.lost { fill: #b3261e; }
text.quiet { fill: #888; }
.paper { fill: #fff; }
.halo { fill: #fff; fill-opacity: 0.82; }
.head { fill: #eef1f5; stroke: #8a94a3; }
.lane { stroke: #b4bcc8; stroke-width: 1; }
.tick { stroke: #ddd; }
.step-ok { fill: #a5d6a7; stroke: #2e7d32; }
.step-failed { fill: #ef9a9a; stroke: #b3261e; }
.step-open { fill: #e0e0e0; stroke: #777; stroke-dasharray: 3 2; }
.band-link { fill: #ffe0b2; fill-opacity: 0.75; stroke: #e0a040; stroke-dasharray: 4 3; }
.band-host { fill: #d5d9e0; fill-opacity: 0.8; stroke: #8a94a3; stroke-dasharray: 4 3; }
.arrow { stroke: #1f5fa8; stroke-width: 1.2; fill: none; }
.arrow-head { fill: #1f5fa8; }
.arrow-quiet { stroke: #b0b8c4; fill: none; }
.arrow-head-quiet { fill: #b0b8c4; }
.arrow-reset { stroke: #b3261e; stroke-width: 1.2; fill: none; }
.arrow-head-reset { fill: #b3261e; }
.arrow-lost { stroke: #b3261e; stroke-dasharray: 4 3; fill: none; }
.cross { stroke: #b3261e; stroke-width: 2; fill: none; }
.fault-line { stroke: #b3261e; stroke-dasharray: 2 3; }
.fault-mark { fill: #b3261e; }
.left-out-line { stroke: #999; stroke-dasharray: 1 4; }
.break-line { stroke: #999; fill: none; }
)";

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REPORT_PICTURE_STYLE_H_
