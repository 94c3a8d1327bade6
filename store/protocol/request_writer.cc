#include "store/protocol/request_writer.h"

#include <cassert>
#include <cstddef>
#include <optional>

#include "absl/strings/str_cat.h"
#include "store/protocol/wire.h"

namespace rollcall::protocol {
namespace {

// Appends the opcode, where the dialect has the operation.
absl::Status Begin(Dialect dialect, Operation operation, std::string& out) {
  const std::optional<uint8_t> opcode = OpcodeOf(dialect, operation);
  if (!opcode.has_value()) {
    return absl::UnimplementedError(
        absl::StrCat("the ", DialectName(dialect), " dialect has no ", OperationName(operation)));
  }
  wire::PutByte(*opcode, out);
  return absl::OkStatus();
}

[[maybe_unused]] bool Carries(Operation operation, KeyFields keys, int values_per_key,
                              NumberField number) {
  const OperationRow& row = RowOf(operation);
  return row.keys == keys && row.values_per_key == values_per_key && row.number == number;
}

}  // namespace

void AppendValidate(std::string& out) {
  wire::PutByte(*OpcodeOf(Dialect::kModern, Operation::kValidate), out);
  wire::Put(kValidateMagic, out);
}

absl::Status AppendKeyRequest(Dialect dialect, Operation operation, absl::string_view key,
                              std::string& out) {
  assert(Carries(operation, KeyFields::kOne, 0, NumberField::kNone));
  absl::Status begun = Begin(dialect, operation, out);
  if (begun.ok()) wire::PutText(key, out);
  return begun;
}

absl::Status AppendKeyValueRequest(Dialect dialect, Operation operation, absl::string_view key,
                                   absl::string_view value, std::string& out) {
  absl::Status begun = AppendKeyValueHead(dialect, operation, key, value.size(), out);
  if (begun.ok()) out.append(value.data(), value.size());
  return begun;
}

absl::Status AppendKeyValueHead(Dialect dialect, Operation operation, absl::string_view key,
                                uint64_t value_bytes, std::string& out) {
  assert(Carries(operation, KeyFields::kOne, 1, NumberField::kNone));
  absl::Status begun = Begin(dialect, operation, out);
  if (!begun.ok()) return begun;
  wire::PutText(key, out);
  wire::Put(value_bytes, out);
  return begun;
}

absl::Status AppendCompareSet(Dialect dialect, absl::string_view key, absl::string_view expected,
                              absl::string_view desired, std::string& out) {
  absl::Status begun = Begin(dialect, Operation::kCompareSet, out);
  if (!begun.ok()) return begun;
  wire::PutText(key, out);
  wire::PutText(expected, out);
  wire::PutText(desired, out);
  return begun;
}

absl::Status AppendKeyNumberRequest(Dialect dialect, Operation operation, absl::string_view key,
                                    int64_t number, std::string& out) {
  assert(Carries(operation, KeyFields::kOne, 0, NumberField::kI64));
  absl::Status begun = Begin(dialect, operation, out);
  if (!begun.ok()) return begun;
  wire::PutText(key, out);
  wire::Put(static_cast<uint64_t>(number), out);
  return begun;
}

absl::Status AppendKeysRequest(Dialect dialect, Operation operation,
                               absl::Span<const std::string> keys, std::string& out) {
  assert(Carries(operation, KeyFields::kCounted, 0, NumberField::kNone));
  absl::Status begun = Begin(dialect, operation, out);
  if (!begun.ok()) return begun;
  size_t size_bytes = wire::kLengthBytes;
  for (const std::string& key : keys) size_bytes += wire::kLengthBytes + key.size();
  char* next = wire::Store(uint64_t{keys.size()}, wire::Extend(out, size_bytes));
  for (const std::string& key : keys) next = wire::StoreText(key, next);
  return begun;
}

absl::Status AppendMultiSet(Dialect dialect, absl::Span<const std::string> keys,
                            absl::Span<const std::string> values, std::string& out) {
  assert(keys.size() == values.size());
  absl::Status begun = Begin(dialect, Operation::kMultiSet, out);
  if (!begun.ok()) return begun;
  wire::Put(uint64_t{keys.size()}, out);
  for (size_t i = 0; i < keys.size(); ++i) {
    wire::PutText(keys[i], out);
    wire::PutText(values[i], out);
  }
  return begun;
}

absl::Status AppendBareRequest(Dialect dialect, Operation operation, std::string& out) {
  assert(Carries(operation, KeyFields::kNone, 0, NumberField::kNone));
  return Begin(dialect, operation, out);
}

absl::Status AppendPing(Dialect dialect, uint32_t nonce, std::string& out) {
  absl::Status begun = Begin(dialect, Operation::kPing, out);
  if (begun.ok()) wire::Put(nonce, out);
  return begun;
}

absl::Status AppendNumber(Dialect dialect, int64_t packed, std::string& out) {
  absl::Status begun = Begin(dialect, Operation::kNumbered, out);
  if (begun.ok()) wire::Put(static_cast<uint64_t>(packed), out);
  return begun;
}

}  // namespace rollcall::protocol
