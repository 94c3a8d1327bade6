#include "store/server/token_gate.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "store/protocol/dialect.h"
#include "store/protocol/features.h"
#include "store/protocol/operation.h"
#include "store/protocol/reply.h"
#include "store/protocol/reply_writer.h"
#include "store/token_file.h"

namespace rollcall {
namespace {

using protocol::Operation;

// Room for a token, and for no more.
const protocol::ParserOptions& StrangersOptions() {
  static const protocol::ParserOptions options = {
      .limits = {.key_bytes_max = 64,
                 .value_bytes_max = kTokenBytesMax,
                 .keys_per_request_max = 1,
                 .request_bytes_max = 64 + kTokenBytesMax}};
  return options;
}

void AnswerText(absl::string_view text, std::string& out) {
  protocol::Reply reply{.kind = protocol::ReplyKind::kBytes};
  reply.texts.push_back(text);
  protocol::AppendReply(reply, out);
}

}  // namespace

TokenGate::TokenGate(std::shared_ptr<const TokenTable> tokens, uint32_t features)
    : tokens_(std::move(tokens)), features_(features), parser_(&StrangersOptions()) {}

TokenGate::Verdict TokenGate::Refuse(std::string reason) {
  reason_ = std::move(reason);
  return Verdict::kRefused;
}

TokenGate::Verdict TokenGate::Take(absl::string_view bytes, std::string& out) {
  parser_.Feed(bytes);
  while (protocol::Request* const request = parser_.Next()) {
    if (parser_.dialect() != protocol::Dialect::kModern) break;
    if (const Verdict verdict = Look(*request, out); verdict != Verdict::kMore) return verdict;
  }
  if (parser_.dialect().has_value() && parser_.dialect() != protocol::Dialect::kModern) {
    return Refuse("it shows no token, as no client of torch before 2.2 can");
  }
  if (parser_.status().ok()) return Verdict::kMore;
  return Refuse(absl::StrCat("it shows no token: ", parser_.status().message()));
}

TokenGate::Verdict TokenGate::Look(protocol::Request& request, std::string& out) {
  if (request.operation == Operation::kPing) {
    if (!protocol::AsksFeatures(request.number)) {
      return Refuse("it shows no token: it greets as torch's clients do, which have none");
    }
    told_rank_ = protocol::RankToldBy(request.number);
    protocol::Reply features{.kind = protocol::ReplyKind::kNonce};
    features.number = protocol::PingAnswer(request.number, features_ | protocol::kWantsToken);
    protocol::AppendReply(features, out);
    return Verdict::kMore;
  }
  if (request.operation != Operation::kCompareSet || request.keys[0] != protocol::kTokenKey) {
    return Refuse(absl::StrCat("it shows no token: its first request is ",
                               protocol::RowOf(request.operation).name));
  }
  name_ = tokens_->NameOf(request.values[1]);
  Wipe(request.values[1]);
  if (name_ == nullptr) {
    AnswerText("it is none of those that this server knows", out);
    return Refuse("its token is none of those that this server knows");
  }
  AnswerText(protocol::kTokenAccepted, out);
  return Verdict::kAdmitted;
}

}  // namespace rollcall
