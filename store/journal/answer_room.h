// What it means for the memory that the answer to a numbered request is kept.
#ifndef ROLLCALL_STORE_JOURNAL_ANSWER_ROOM_H_
#define ROLLCALL_STORE_JOURNAL_ANSWER_ROOM_H_

#include <cstddef>

#include "store/engine/store_engine.h"
#include "store/protocol/operation.h"
#include "store/protocol/request.h"

namespace rollcall {

// Then it may be answered as often as it comes, and no answer is kept.
bool ChangesNothing(protocol::Operation operation);

// About what the answer will take, as SessionBook counts it; 0 where the store will have as much
// less: it is deleted, or popped. `engine` has not applied it yet.
size_t RoomForAnswer(const protocol::Request& request, const engine::StoreEngine& engine);

}  // namespace rollcall

#endif  // ROLLCALL_STORE_JOURNAL_ANSWER_ROOM_H_
