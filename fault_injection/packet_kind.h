// What kinds of packet travel between simulated hosts.
#ifndef ROLLCALL_FAULT_INJECTION_PACKET_KIND_H_
#define ROLLCALL_FAULT_INJECTION_PACKET_KIND_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace rollcall::fault {

// kProbe is a keep-alive's: it travels only where an observer looks.
enum class PacketKind : uint8_t { kSyn, kSynAck, kAck, kData, kFin, kReset, kProbe };
// "SYN", "RST".
absl::string_view PacketKindName(PacketKind kind);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_PACKET_KIND_H_
