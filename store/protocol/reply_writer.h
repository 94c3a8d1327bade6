// Replies in, bytes out.
#ifndef ROLLCALL_STORE_PROTOCOL_REPLY_WRITER_H_
#define ROLLCALL_STORE_PROTOCOL_REPLY_WRITER_H_

#include <cstddef>
#include <string>

#include "store/protocol/reply.h"

namespace rollcall::protocol {

// Appends the encoding of `reply` to `out`. kHangUp appends nothing. All dialects share it.
void AppendReply(const Reply& reply, std::string& out);

// How many bytes AppendReply would append.
size_t EncodedBytes(const Reply& reply);

}  // namespace rollcall::protocol

#endif  // ROLLCALL_STORE_PROTOCOL_REPLY_WRITER_H_
