// Replies in, bytes out.
#ifndef ROLLCALL_STORE_PROTOCOL_REPLY_WRITER_H_
#define ROLLCALL_STORE_PROTOCOL_REPLY_WRITER_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "store/protocol/reply.h"

namespace rollcall::protocol {

// Appends the encoding of `reply` to `out`. kHangUp appends nothing. All dialects share it.
void AppendReply(const Reply& reply, std::string& out);

// The same bytes in pieces, with the texts where they are: `framing` gets all else, and must
// outlive `parts` unchanged. For replies whose texts are worth not being copied.
void ReplyParts(const Reply& reply, std::string& framing, std::vector<absl::string_view>& parts);

// How many bytes AppendReply would append.
size_t EncodedBytes(const Reply& reply);

}  // namespace rollcall::protocol

#endif  // ROLLCALL_STORE_PROTOCOL_REPLY_WRITER_H_
