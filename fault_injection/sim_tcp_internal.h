// Names that the files of TcpSocket share.
#ifndef ROLLCALL_FAULT_INJECTION_SIM_TCP_INTERNAL_H_
#define ROLLCALL_FAULT_INJECTION_SIM_TCP_INTERNAL_H_

#include <cstdint>

namespace rollcall::fault {

// What is shut down, as bits.
constexpr uint8_t kReceiveShut = 1;
constexpr uint8_t kSendShut = 2;
constexpr uint8_t kBothShut = kReceiveShut | kSendShut;

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SIM_TCP_INTERNAL_H_
