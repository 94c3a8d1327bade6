// What a connection says before a server that wants a token serves it. Takes bytes and gives bytes.
#ifndef ROLLCALL_STORE_SERVER_TOKEN_GATE_H_
#define ROLLCALL_STORE_SERVER_TOKEN_GATE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "store/protocol/features.h"
#include "store/protocol/request_parser.h"
#include "store/server/token_table.h"

namespace rollcall {

// For one connection, until it is admitted or refused. What it lets a stranger cost is small: far
// less than a request may have. Not thread-safe.
class TokenGate {
 public:
  // `features`: of the server behind it.
  explicit TokenGate(std::shared_ptr<const TokenTable> tokens,
                     uint32_t features = protocol::kServerFeatures);

  enum class Verdict {
    kMore,      // It has not said all of it.
    kAdmitted,  // It has shown a token.
    kRefused,   // It never will: see reason().
  };
  // Takes the next bytes, and appends to `out` what is to be answered, whatever the verdict. After
  // another verdict than kMore it must not be called again.
  Verdict Take(absl::string_view bytes, std::string& out);

  // Of kRefused, in words for a log: never what the peer sent as its token.
  const std::string& reason() const { return reason_; }
  // Of kAdmitted: the token's name, and what came behind it, which is in the bytes that Take was
  // given.
  const std::shared_ptr<const std::string>& name() const { return name_; }
  // Of its greeting, which the engine has not seen: whoever had not shown a token might be anybody.
  std::optional<int> told_rank() const { return told_rank_; }
  absl::string_view unread() const { return parser_.unread(); }

 private:
  Verdict Look(protocol::Request& request, std::string& out);
  Verdict Refuse(std::string reason);

  const std::shared_ptr<const TokenTable> tokens_;
  const uint32_t features_;
  protocol::RequestParser parser_;
  std::string reason_;
  std::optional<int> told_rank_;
  std::shared_ptr<const std::string> name_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_TOKEN_GATE_H_
