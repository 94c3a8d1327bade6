// Stacks for fibers.
#ifndef ROLLCALL_FAULT_INJECTION_FIBER_STACK_H_
#define ROLLCALL_FAULT_INJECTION_FIBER_STACK_H_

#include <cstddef>

#include "fault_injection/sanitizers.h"

namespace rollcall::fault {

// Only pages that were touched take memory. Sanitizers make frames several times as large.
#if defined(ROLLCALL_ASAN) || defined(ROLLCALL_TSAN)
constexpr size_t kFiberStackBytes = 1 << 20;
#else
constexpr size_t kFiberStackBytes = 256 << 10;
#endif

// Memory for one fiber to run on. A page that cannot be touched lies below it: an overflow is a
// segmentation fault there, and not another fiber's broken data.
struct FiberStack {
  char* bottom = nullptr;  // Of the kFiberStackBytes that can be used.
  // The thread that the ThreadSanitizer sees in it; it is costly to make, so it goes with the
  // stack.
  void* tsan_fiber = nullptr;
};

// A stack from the calling thread's pool, or a new one; CHECK-fails if the system has no memory or
// no mapping to give (each stack takes two of vm.max_map_count).
FiberStack TakeFiberStack();

// Back to the calling thread's pool, which keeps its pages, so that world after world runs on
// memory that is warm.
void GiveBackFiberStack(FiberStack stack);

// Keeps the stack for ever, as a root for the leak checker: frames live on it that never end.
void AbandonFiberStack(FiberStack stack);

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_FIBER_STACK_H_
