#include "fault_injection/report/message_labels.h"

#include <algorithm>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fault_injection/packet_kind.h"
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

std::string LabelOfSize(size_t size_bytes) { return Count(size_bytes, "byte"); }

}  // namespace

// One direction of a connection, from the end that opened it.
struct MessageLabels::Direction {
  explicit Direction(const protocol::ParserOptions* options) : parser(options) {}

  protocol::RequestParser parser;
};

MessageLabels::MessageLabels() = default;
MessageLabels::~MessageLabels() = default;

std::string MessageLabels::LabelOf(const NetPacket& packet) {
  switch (packet.kind) {
    case PacketKind::kSyn:
      // The ports may have been used before.
      directions_[{packet.from_endpoint.ToString(), packet.to_endpoint.ToString()}] =
          std::make_unique<Direction>(&parser_options_);
      break;
    case PacketKind::kData:
      return Shortened(LabelOfData(packet), kLabelBytesMax);
    default:
      break;
  }
  return std::string(PacketKindName(packet.kind));
}

std::string MessageLabels::LabelOfData(const NetPacket& packet) {
  const auto found =
      directions_.find({packet.from_endpoint.ToString(), packet.to_endpoint.ToString()});
  if (packet.is_lost || found == directions_.end()) return LabelOfSize(packet.payload.size());
  protocol::RequestParser& parser = found->second->parser;
  const bool is_first = !parser.dialect().has_value();
  parser.Feed(packet.payload);
  std::vector<std::string> labels;
  while (const protocol::Request* request = parser.Next())
    labels.push_back(LabelOfRequest(*request));
  if (labels.empty() && is_first && parser.dialect().has_value()) return "greeting";
  if (labels.empty()) return LabelOfSize(packet.payload.size());
  return absl::StrJoin(labels, ", ");
}

}  // namespace rollcall::fault
