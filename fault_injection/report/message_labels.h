// What a packet says, in a word or two: the store's protocol is read along with the connections.
#ifndef ROLLCALL_FAULT_INJECTION_REPORT_MESSAGE_LABELS_H_
#define ROLLCALL_FAULT_INJECTION_REPORT_MESSAGE_LABELS_H_

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "fault_injection/net_observer.h"
#include "store/protocol/request_parser.h"

namespace rollcall::fault {

// "set /a", "get /a, add /n 1", "get: host1" (the reply), "42 bytes", "SYN". Deterministic, and
// printable ASCII throughout, whatever travels. Where a packet is no whole request or reply of a
// store it says how large it is.
class MessageLabels {
 public:
  static constexpr size_t kLabelBytesMax = 60;

  MessageLabels();
  ~MessageLabels();
  // Of each packet once, as an observer is told of them.
  std::string LabelOf(const NetPacket& packet);

 private:
  struct Dialogue;
  using Ends = std::pair<std::string, std::string>;

  std::string LabelOfData(const NetPacket& packet);

  const protocol::ParserOptions parser_options_{};
  std::map<Ends, std::unique_ptr<Dialogue>> dialogues_;  // From a client's end to the server's.
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REPORT_MESSAGE_LABELS_H_
