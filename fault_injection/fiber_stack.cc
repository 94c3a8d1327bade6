#include "fault_injection/fiber_stack.h"

#include <sys/mman.h>
#include <unistd.h>

#include <vector>

#include "fault_injection/sanitizers.h"
#include "glog/logging.h"

namespace rollcall::fault {
namespace {

size_t GuardBytes() {
  static const size_t bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

FiberStack MapStack() {
  const size_t bytes = GuardBytes() + kFiberStackBytes;
  void* const mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  PCHECK(mapped != MAP_FAILED) << "no memory for the stack of a fiber (" << bytes << " bytes)";
  PCHECK(mprotect(mapped, GuardBytes(), PROT_NONE) == 0)
      << "no guard page for the stack of a fiber; each takes two of vm.max_map_count";
  FiberStack stack;
  stack.bottom = static_cast<char*>(mapped) + GuardBytes();
#ifdef ROLLCALL_TSAN
  stack.tsan_fiber = __tsan_create_fiber(0);
#endif
  return stack;
}

void UnmapStack(const FiberStack& stack) {
#ifdef ROLLCALL_TSAN
  __tsan_destroy_fiber(stack.tsan_fiber);
#endif
  munmap(stack.bottom - GuardBytes(), GuardBytes() + kFiberStackBytes);
}

struct StackPool {
  ~StackPool() {
    for (const FiberStack& stack : free) UnmapStack(stack);
  }
  std::vector<FiberStack> free;  // The one used last is the warmest and is taken first.
};

StackPool& Pool() {
  thread_local StackPool pool;
  return pool;
}

}  // namespace

FiberStack TakeFiberStack() {
  std::vector<FiberStack>& free = Pool().free;
  if (free.empty()) return MapStack();
  const FiberStack stack = free.back();
  free.pop_back();
  return stack;
}

void GiveBackFiberStack(FiberStack stack) {
#ifdef ROLLCALL_ASAN
  // A fiber leaves its first frames without returning from them.
  __asan_unpoison_memory_region(stack.bottom, kFiberStackBytes);
#endif
  Pool().free.push_back(stack);
}

void AbandonFiberStack([[maybe_unused]] FiberStack stack) {
#ifdef ROLLCALL_ASAN
  __lsan_register_root_region(stack.bottom, kFiberStackBytes);
#endif
}

}  // namespace rollcall::fault
