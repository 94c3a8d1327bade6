#ifndef ROLLCALL_STORE_ENGINE_CLIENT_ID_H_
#define ROLLCALL_STORE_ENGINE_CLIENT_ID_H_

#include <cstdint>

namespace rollcall::engine {

// A connection, as the engine's owner numbers them. Never used again for another connection.
using ClientId = uint64_t;

}  // namespace rollcall::engine

#endif  // ROLLCALL_STORE_ENGINE_CLIENT_ID_H_
