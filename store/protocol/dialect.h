// The dialects of the TCPStore wire protocol, as tables. See FORMAT.md for the bytes.
#ifndef ROLLCALL_STORE_PROTOCOL_DIALECT_H_
#define ROLLCALL_STORE_PROTOCOL_DIALECT_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "store/protocol/operation.h"

namespace rollcall::protocol {

enum class Dialect : uint8_t {
  kModern,   // torch 2.2 and later: opens with VALIDATE, opcodes 0 to 18.
  kLegacy,   // torch 1.x and 2.0: no greeting. 2.0 only adds opcodes 9 to 12 to those of 1.13.
  kTorch21,  // torch 2.1: like 2.0, but without watch_key, so that all from 7 on are one lower.
};

// VALIDATE's operand: the first four bytes after the opcode of a modern client, little-endian.
inline constexpr uint32_t kValidateMagic = 0x3C85F7CE;

// The operation that `opcode` stands for in `dialect`; nullopt where it stands for none.
std::optional<Operation> OperationOf(Dialect dialect, uint8_t opcode);

// The opcode of `operation` in `dialect`; nullopt where the dialect cannot say it.
std::optional<uint8_t> OpcodeOf(Dialect dialect, Operation operation);

// "modern", "legacy", "torch21".
absl::string_view DialectName(Dialect dialect);
std::optional<Dialect> ParseDialect(absl::string_view name);

}  // namespace rollcall::protocol

#endif  // ROLLCALL_STORE_PROTOCOL_DIALECT_H_
