#include "store/protocol/goodbye.h"

#include "store/protocol/wire.h"

namespace rollcall::protocol {

void AppendGoodbye(absl::string_view code, absl::string_view text, std::string& out) {
  out.append(kGoodbyeMark.data(), kGoodbyeMark.size());
  wire::PutText(code, out);
  wire::PutText(text.substr(0, kGoodbyeTextBytesMax), out);
}

}  // namespace rollcall::protocol
