// The first byte picks the server's options, the second where the bytes are cut; the rest is what a
// peer sends.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "store/protocol/dialect.h"
#include "store/protocol/fuzz/pieces.h"
#include "store/protocol/request_parser.h"
#include "store/protocol/wire_text.h"

namespace rollcall::protocol {
namespace {

ParserOptions OptionsFrom(uint8_t bits) {
  ParserOptions options;
  options.accept_legacy = (bits & 1) == 0;
  if ((bits & 2) != 0) options.legacy_dialect = Dialect::kTorch21;
  // Few inputs are long enough for the real limits.
  if ((bits & 4) != 0) options.limits = {16, 32, 4, 80};
  return options;
}

// The requests that come out, written again, are the bytes that went in.
void CheckThatNothingWasInvented(const ParserOptions& options, absl::string_view wire) {
  RequestParser parser(&options);
  std::string written;
  parser.Feed(wire);
  while (const Request* request = parser.Next()) {
    if (written.empty()) written = Greeting(*parser.dialect());
    if (!AppendRequestLine(*parser.dialect(), RequestLine(*request), written).ok()) std::abort();
  }
  if (!absl::StartsWith(wire, written)) std::abort();
}

}  // namespace
}  // namespace rollcall::protocol

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rollcall::protocol;
  if (size < 2) return 0;
  const ParserOptions options = OptionsFrom(data[0]);
  const absl::string_view wire(reinterpret_cast<const char*>(data) + 2, size - 2);
  CheckThatNothingWasInvented(options, wire);
  const Heard whole = HearPieces(options, {wire});
  if (HearPieces(options, Pieces(wire, data[1])) != whole) std::abort();
  return 0;
}
