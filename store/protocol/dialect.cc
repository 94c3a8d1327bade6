#include "store/protocol/dialect.h"

#include <array>
#include <cstddef>

namespace rollcall::protocol {
namespace {

constexpr int kDialectCount = 3;
constexpr int8_t kNone = -1;

constexpr std::array<absl::string_view, kDialectCount> kDialectNames = {"modern", "legacy",
                                                                        "torch21"};

struct OpcodeRow {
  Operation operation;
  std::array<int8_t, kDialectCount> opcodes;  // In the order of Dialect.
};

// clang-format off
constexpr std::array<OpcodeRow, kOperationCount> kOpcodes = {{
    //                        modern  legacy  torch21
    {Operation::kValidate,   {     0,  kNone,  kNone}},
    {Operation::kSet,        {     1,      0,      0}},
    {Operation::kCompareSet, {     2,      1,      1}},
    {Operation::kGet,        {     3,      2,      2}},
    {Operation::kAdd,        {     4,      3,      3}},
    {Operation::kCheck,      {     5,      4,      4}},
    {Operation::kWait,       {     6,      5,      5}},
    {Operation::kNumKeys,    {     7,      6,      6}},
    {Operation::kDeleteKey,  {     8,      8,      7}},
    {Operation::kAppend,     {     9,      9,      8}},
    {Operation::kMultiGet,   {    10,     10,      9}},
    {Operation::kMultiSet,   {    11,     11,     10}},
    {Operation::kCancelWait, {    12,     12,     11}},
    {Operation::kPing,       {    13,  kNone,  kNone}},
    {Operation::kQueuePush,  {    14,  kNone,  kNone}},
    {Operation::kQueuePop,   {    15,  kNone,  kNone}},
    {Operation::kQueueLen,   {    16,  kNone,  kNone}},
    {Operation::kListKeys,   {    17,  kNone,  kNone}},
    {Operation::kBarrier,    {    18,  kNone,  kNone}},
    {Operation::kWatchKey,   { kNone,      7,  kNone}},
    {Operation::kSession,    {    64,  kNone,  kNone}},
    {Operation::kNumbered,   {    65,  kNone,  kNone}},
}};
// clang-format on

// The table the other way round.
constexpr int kOpcodeEnd = 66;
using OperationsByOpcode = std::array<std::array<int8_t, kOpcodeEnd>, kDialectCount>;

constexpr OperationsByOpcode Inverted() {
  OperationsByOpcode operations{};
  for (auto& column : operations) {
    for (int8_t& operation : column) operation = kNone;
  }
  for (const OpcodeRow& row : kOpcodes) {
    for (int dialect = 0; dialect < kDialectCount; ++dialect) {
      const int8_t opcode = row.opcodes[dialect];
      if (opcode != kNone) operations[dialect][opcode] = static_cast<int8_t>(row.operation);
    }
  }
  return operations;
}
constexpr OperationsByOpcode kOperationsByOpcode = Inverted();

constexpr bool RowsStandAtTheirOperations() {
  for (size_t i = 0; i < kOpcodes.size(); ++i) {
    if (kOpcodes[i].operation != static_cast<Operation>(i)) return false;
  }
  return true;
}
static_assert(RowsStandAtTheirOperations(), "OpcodeOf indexes kOpcodes by operation");

}  // namespace

std::optional<Operation> OperationOf(Dialect dialect, uint8_t opcode) {
  if (opcode >= kOpcodeEnd) return std::nullopt;
  const int8_t operation = kOperationsByOpcode[static_cast<size_t>(dialect)][opcode];
  if (operation == kNone) return std::nullopt;
  return static_cast<Operation>(operation);
}

std::optional<uint8_t> OpcodeOf(Dialect dialect, Operation operation) {
  const int8_t opcode =
      kOpcodes[static_cast<size_t>(operation)].opcodes[static_cast<size_t>(dialect)];
  if (opcode == kNone) return std::nullopt;
  return static_cast<uint8_t>(opcode);
}

absl::string_view DialectName(Dialect dialect) {
  return kDialectNames[static_cast<size_t>(dialect)];
}

std::optional<Dialect> ParseDialect(absl::string_view name) {
  for (size_t i = 0; i < kDialectNames.size(); ++i) {
    if (kDialectNames[i] == name) return static_cast<Dialect>(i);
  }
  return std::nullopt;
}

}  // namespace rollcall::protocol
