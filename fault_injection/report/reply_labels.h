// What a store answers on one connection, in a word or two. Private to MessageLabels.
#ifndef ROLLCALL_FAULT_INJECTION_REPORT_REPLY_LABELS_H_
#define ROLLCALL_FAULT_INJECTION_REPORT_REPLY_LABELS_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "store/protocol/operation.h"
#include "store/protocol/reply_parser.h"
#include "store/protocol/request.h"

namespace rollcall::fault {

// The wire does not say what a reply answers: it is the requests that do, in their order. Where
// that is not enough (a watch's events come unasked) it knows no more on that connection. A value:
// a copy reads on for itself.
class ReplyLabels {
 public:
  // A request has arrived at the server.
  void Expect(const protocol::Request& request);
  // Of each reply that ends within `bytes`: "get: host1", "add: 3", "wait: cancelled". None where
  // it does not know.
  std::vector<std::string> Read(absl::string_view bytes);

 private:
  struct Expected {
    protocol::Operation operation;
    size_t keys = 0;
  };

  void EndFirst(const protocol::OwnedReply& reply);

  std::deque<Expected> expected_;
  std::optional<protocol::ReplyParser> parser_;  // Of a reply that has begun.
  bool is_lost_ = false;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REPORT_REPLY_LABELS_H_
