// What a server says last, before it closes a connection, to clients that told it that they
// understand it: why.
#ifndef ROLLCALL_STORE_PROTOCOL_GOODBYE_H_
#define ROLLCALL_STORE_PROTOCOL_GOODBYE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace rollcall::protocol {

// It stands where a reply would begin, and none begins so: as a length or a count it is beyond all
// limits, its first byte is no signal, and its first four are no nonce of ours. The number that it
// is could be the sum of an add; a server does not tell a client that understands goodbyes that
// sum, but hangs up.
inline constexpr uint64_t kGoodbyeNumber = 0x6579'6264'6F6F'67FE;
inline constexpr absl::string_view kGoodbyeMark("\xFEgoodbye", 8);  // As it travels.
inline constexpr size_t kGoodbyeTextBytesMax = 4096;

// The number, `code`, which is that of an error (store/error_code.h), and `text`, in words for a
// user; a longer one is cut.
void AppendGoodbye(absl::string_view code, absl::string_view text, std::string& out);

}  // namespace rollcall::protocol

#endif  // ROLLCALL_STORE_PROTOCOL_GOODBYE_H_
