#include "store/protocol/operation.h"

namespace rollcall::protocol {
namespace {

constexpr bool RowsStandAtTheirOperations() {
  for (size_t i = 0; i < kOperations.size(); ++i) {
    if (kOperations[i].operation != static_cast<Operation>(i)) return false;
  }
  return true;
}
static_assert(RowsStandAtTheirOperations(), "RowOf indexes kOperations by operation");

}  // namespace

absl::string_view OperationName(Operation operation) { return RowOf(operation).name; }

}  // namespace rollcall::protocol
