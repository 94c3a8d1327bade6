// operator new for programs that run world after world: what one world gives back, the next one
// takes, without a look for neighbours to merge with. glibc's own cache holds seven blocks of a
// size, and sixteen ranks make more of each at once.
#include <malloc.h>

#include <cstddef>
#include <cstdlib>
#include <new>

#include "fault_injection/sanitizers.h"

// The sanitizers bring their own, and want to see each block.
#if defined(__GLIBC__) && !defined(ROLLCALL_ASAN) && !defined(ROLLCALL_TSAN)

namespace {

// Of sizes as glibc has them: 16 bytes apart, and 8 of each block are its own.
constexpr std::size_t kStepBytes = 16;
constexpr std::size_t kOwnBytes = 8;
constexpr std::size_t kClasses = 514;  // Up to 8 KiB.

struct Block {
  Block* next;
};

struct Pool {
  Block* free[kClasses];
  bool is_gone;
};

// Trivial, so that it can be used before and after everything else on its thread.
thread_local Pool pool;

// Gives back what the thread has kept.
struct PoolEnd {
  bool is_begun = false;
  ~PoolEnd() {
    pool.is_gone = true;
    for (Block*& first : pool.free) {
      while (Block* const block = first) {
        first = block->next;
        std::free(block);
      }
    }
  }
};
thread_local PoolEnd pool_end;

std::size_t ClassOf(std::size_t size_bytes) {
  return size_bytes <= kStepBytes + kOwnBytes
             ? 2
             : (size_bytes + kOwnBytes + kStepBytes - 1) / kStepBytes;
}

[[gnu::noinline]] void* Allocate(std::size_t size_bytes) {
  pool_end.is_begun = true;
  for (;;) {
    if (void* const block = std::malloc(size_bytes == 0 ? 1 : size_bytes)) return block;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

void Give(void* memory, std::size_t size_class) {
  if (size_class >= kClasses || pool.is_gone) return std::free(memory);
  auto* const block = static_cast<Block*>(memory);
  block->next = pool.free[size_class];
  pool.free[size_class] = block;
}

}  // namespace

void* operator new(std::size_t size_bytes) {
  const std::size_t size_class = ClassOf(size_bytes);
  if (size_class < kClasses) {
    if (Block* const block = pool.free[size_class]) {
      pool.free[size_class] = block->next;
      return block;
    }
  }
  return Allocate(size_bytes);
}

void operator delete(void* memory) noexcept {
  if (memory != nullptr) Give(memory, (malloc_usable_size(memory) + kOwnBytes) / kStepBytes);
}

void operator delete(void* memory, std::size_t size_bytes) noexcept {
  if (memory != nullptr) Give(memory, ClassOf(size_bytes));
}

void* operator new[](std::size_t size_bytes) { return operator new(size_bytes); }
void operator delete[](void* memory) noexcept { operator delete(memory); }
void operator delete[](void* memory, std::size_t size_bytes) noexcept {
  operator delete(memory, size_bytes);
}

#endif
