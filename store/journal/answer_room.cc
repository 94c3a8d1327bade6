#include "store/journal/answer_room.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "store/engine/key_space.h"
#include "store/journal/session_book.h"

namespace rollcall {
namespace {

using protocol::Operation;

constexpr size_t kSmallAnswer = SessionBook::kAnswerOverheadBytes + sizeof(int64_t);
static_assert(kSmallAnswer <= engine::kKeyOverheadBytes);

}  // namespace

bool ChangesNothing(Operation operation) {
  switch (operation) {
    case Operation::kGet:
    case Operation::kCheck:
    case Operation::kWait:
    case Operation::kNumKeys:
    case Operation::kMultiGet:
    case Operation::kCancelWait:
    case Operation::kPing:
    case Operation::kQueueLen:
    case Operation::kListKeys:
    case Operation::kWatchKey:
      return true;
    default:
      return false;
  }
}

size_t RoomForAnswer(const protocol::Request& request, const engine::StoreEngine& engine) {
  switch (request.operation) {
    case Operation::kCompareSet: {
      // The value that is there, or that comes, or that a client expected in vain.
      const std::string* const current = engine.ValueOf(request.keys[0]);
      return kSmallAnswer + std::max({current == nullptr ? 0 : current->size(),
                                      request.values[0].size(), request.values[1].size()});
    }
    case Operation::kDeleteKey:
      return engine.ValueOf(request.keys[0]) != nullptr ? 0 : kSmallAnswer;
    case Operation::kQueuePop:
      return engine.QueueLengthOf(request.keys[0]) > 0 ? 0 : kSmallAnswer;
    default:
      return kSmallAnswer;
  }
}

}  // namespace rollcall
