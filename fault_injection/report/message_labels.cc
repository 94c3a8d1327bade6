#include "fault_injection/report/message_labels.h"

#include <algorithm>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "fault_injection/packet_kind.h"
#include "fault_injection/report/reply_labels.h"
#include "fault_injection/report/report_text.h"
#include "store/protocol/operation.h"
#include "store/protocol/request.h"

namespace rollcall::fault {
namespace {

constexpr size_t kKeysShownMax = 2;
constexpr size_t kKeyBytesMax = 32;

std::string LabelOfRequest(const protocol::Request& request) {
  const protocol::OperationRow& row = protocol::RowOf(request.operation);
  std::string label(row.name);
  for (size_t i = 0; i < std::min(request.keys.size(), kKeysShownMax); ++i) {
    absl::StrAppend(&label, " ", Shortened(absl::CHexEscape(request.keys[i]), kKeyBytesMax));
  }
  if (request.keys.size() > kKeysShownMax) {
    absl::StrAppend(&label, " and ", request.keys.size() - kKeysShownMax, " more");
  }
  if (row.number == protocol::NumberField::kI64) absl::StrAppend(&label, " ", request.number);
  return label;
}

}  // namespace

// One connection, as far as its bytes have arrived.
struct MessageLabels::Dialogue {
  explicit Dialogue(const protocol::ParserOptions* options) : requests(options) {}

  std::vector<std::string> ReadRequests(absl::string_view bytes) {
    const bool is_first = !requests.dialect().has_value();
    std::vector<std::string> labels;
    requests.Feed(bytes);
    while (const protocol::Request* request = requests.Next()) {
      labels.push_back(LabelOfRequest(*request));
      replies.Expect(*request);
    }
    const bool has_greeted = is_first && requests.dialect().has_value();
    if (labels.empty() && has_greeted) labels.emplace_back("greeting");
    return labels;
  }

  protocol::RequestParser requests;
  ReplyLabels replies;
};

MessageLabels::MessageLabels() = default;
MessageLabels::~MessageLabels() = default;

std::string MessageLabels::LabelOf(const NetPacket& packet) {
  if (packet.kind == PacketKind::kData) return Shortened(LabelOfData(packet), kLabelBytesMax);
  if (packet.kind == PacketKind::kSyn) {
    // The ports may have been used before.
    dialogues_[{packet.from_endpoint.ToString(), packet.to_endpoint.ToString()}] =
        std::make_unique<Dialogue>(&parser_options_);
  }
  return std::string(PacketKindName(packet.kind));
}

std::string MessageLabels::LabelOfData(const NetPacket& packet) {
  const std::string from = packet.from_endpoint.ToString();
  const std::string to = packet.to_endpoint.ToString();
  auto found = dialogues_.find({from, to});
  const bool is_request = found != dialogues_.end();
  if (!is_request) found = dialogues_.find({to, from});
  std::vector<std::string> labels;
  if (found != dialogues_.end()) {
    const auto read = [&](Dialogue& dialogue) {
      return is_request ? dialogue.ReadRequests(packet.payload)
                        : dialogue.replies.Read(packet.payload);
    };
    if (packet.is_lost) {
      Dialogue copy = *found->second;  // What is lost comes again.
      labels = read(copy);
    } else {
      labels = read(*found->second);
    }
  }
  if (labels.empty()) return Count(packet.payload.size(), "byte");
  return absl::StrJoin(labels, ", ");
}

}  // namespace rollcall::fault
