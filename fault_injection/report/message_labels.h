// What a packet says, in a word or two: the store's protocol is read along with the connections.
#ifndef ROLLCALL_FAULT_INJECTION_REPORT_MESSAGE_LABELS_H_
#define ROLLCALL_FAULT_INJECTION_REPORT_MESSAGE_LABELS_H_

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "fault_injection/net_observer.h"
#include "store/protocol/request_parser.h"

namespace rollcall::fault {

// "set /a", "get /a, add /n +1", "42 bytes", "SYN". Deterministic; never longer than
// kLabelBytesMax, and printable ASCII throughout, whatever travels.
class MessageLabels {
 public:
  static constexpr size_t kLabelBytesMax = 60;

  MessageLabels();
  ~MessageLabels();
  // Packets of a connection in the order in which they arrive; lost ones too, where they are lost.
  std::string LabelOf(const NetPacket& packet);

 private:
  struct Direction;
  using Ends = std::pair<std::string, std::string>;

  std::string LabelOfData(const NetPacket& packet);

  const protocol::ParserOptions parser_options_;
  std::map<Ends, std::unique_ptr<Direction>> directions_;  // From a client's end to the server's.
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REPORT_MESSAGE_LABELS_H_
