// Memory that a crowd of clients needed, given back when it has left.
#ifndef ROLLCALL_STORE_SERVER_SPARE_MEMORY_H_
#define ROLLCALL_STORE_SERVER_SPARE_MEMORY_H_

#include <algorithm>
#include <cstddef>

namespace rollcall {

// Says when it is time: once seven eighths of a crowd have gone. So the cost of giving back, which
// grows with what there is to look through, is shared by the many that left. Not thread-safe.
class SpareMemory {
 public:
  // To be told each time there are fewer; true: give back now.
  bool IsDue(size_t clients) {
    if (most_ < kCrowd || clients > most_ / 8) return false;
    most_ = clients;
    return true;
  }
  // To be told each time there are more.
  void Grew(size_t clients) { most_ = std::max(most_, clients); }

 private:
  static constexpr size_t kCrowd = 1024;

  size_t most_ = 0;  // Since it was due last.
};

// Gives what the allocator keeps free back to the system, where the allocator (glibc's) can: a
// crowd's small blocks lie between others', so it keeps them all. Milliseconds for a large heap.
void ReturnFreeMemory();

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_SPARE_MEMORY_H_
