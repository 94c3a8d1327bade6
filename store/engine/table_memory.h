// Gives memory back that a hash table keeps after its crowd has left.
#ifndef ROLLCALL_STORE_ENGINE_TABLE_MEMORY_H_
#define ROLLCALL_STORE_ENGINE_TABLE_MEMORY_H_

#include <cstddef>

namespace rollcall::engine {

// Call after an erase: Abseil's tables never shrink by themselves, so a server that once had
// 10,000 clients would keep their tables for ever. Shrinks only once seven eighths are empty, so
// that its cost is shared by the many erases that came before. Invalidates iterators, and in flat
// tables pointers too.
template <typename Table>
void ReleaseSpareCapacity(Table& table) {
  constexpr size_t kWorthShrinking = 1024;
  if (table.capacity() > kWorthShrinking && table.size() < table.capacity() / 8) table.rehash(0);
}

}  // namespace rollcall::engine

#endif  // ROLLCALL_STORE_ENGINE_TABLE_MEMORY_H_
