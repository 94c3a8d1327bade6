#include "fault_injection/packet_kind.h"

namespace rollcall::fault {

absl::string_view PacketKindName(PacketKind kind) {
  switch (kind) {
    case PacketKind::kSyn:
      return "SYN";
    case PacketKind::kSynAck:
      return "SYN-ACK";
    case PacketKind::kAck:
      return "ACK";
    case PacketKind::kData:
      return "DATA";
    case PacketKind::kFin:
      return "FIN";
    case PacketKind::kReset:
      return "RST";
    case PacketKind::kProbe:
      return "PROBE";
  }
  return "?";
}

}  // namespace rollcall::fault
