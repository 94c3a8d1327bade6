// Request parsers for the connections that have part of a request pending: few, among many.
#ifndef ROLLCALL_STORE_SERVER_PARSER_POOL_H_
#define ROLLCALL_STORE_SERVER_PARSER_POOL_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "store/protocol/dialect.h"
#include "store/protocol/request_parser.h"

namespace rollcall {

// Between two requests all that a parser knows is the dialect, so an idle connection needs none.
// Not thread-safe.
class ParserPool {
 public:
  // `*options` must outlive all parsers.
  explicit ParserPool(const protocol::ParserOptions* options) : options_(options) {}

  // One at the beginning of a request of `dialect`; nullopt: of a connection.
  std::unique_ptr<protocol::RequestParser> Take(std::optional<protocol::Dialect> dialect) {
    if (idle_.empty()) idle_.push_back(std::make_unique<protocol::RequestParser>(options_));
    std::unique_ptr<protocol::RequestParser> parser = std::move(idle_.back());
    idle_.pop_back();
    parser->Reset(dialect);
    return parser;
  }

  // `parser` may be nullptr, and in any state.
  void Put(std::unique_ptr<protocol::RequestParser> parser) {
    if (parser == nullptr || idle_.size() == kIdleMax) return;
    parser->Reset(std::nullopt);
    idle_.push_back(std::move(parser));
  }

 private:
  static constexpr size_t kIdleMax = 64;

  const protocol::ParserOptions* const options_;
  std::vector<std::unique_ptr<protocol::RequestParser>> idle_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_PARSER_POOL_H_
