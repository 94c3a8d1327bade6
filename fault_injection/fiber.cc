#include "fault_injection/fiber.h"

#include <cxxabi.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "fault_injection/sanitizers.h"

#ifndef ROLLCALL_FIBER_UCONTEXT
// Saves what a call must preserve, and nothing else: everything else is the caller's to save. The
// first switch to a fiber "returns" into rollcall_fiber_start, which finds what to call in r12,
// r13.
asm(R"(
.pushsection .text
.p2align 4
.globl rollcall_fiber_swap
.hidden rollcall_fiber_swap
.type rollcall_fiber_swap, @function
rollcall_fiber_swap:
  .cfi_startproc
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  popq %rcx
  jmpq *%rcx
  .cfi_endproc
.size rollcall_fiber_swap, .-rollcall_fiber_swap
.p2align 4
.globl rollcall_fiber_start
.hidden rollcall_fiber_start
.type rollcall_fiber_start, @function
rollcall_fiber_start:
  .cfi_startproc
  .cfi_undefined %rip
  movq %r12, %rdi
  callq *%r13
  ud2
  .cfi_endproc
.size rollcall_fiber_start, .-rollcall_fiber_start
.popsection
)");

extern "C" {
void rollcall_fiber_swap(void** from_stack_pointer, void* to_stack_pointer);
void rollcall_fiber_start();
}
#endif

namespace rollcall::fault {
namespace {

// Which fiber the OS thread was on before the last switch, while that switch is under way.
[[maybe_unused]] thread_local Fiber* left_behind = nullptr;

}  // namespace

Fiber::Fiber() {
#ifdef ROLLCALL_TSAN
  tsan_fiber_ = __tsan_get_current_fiber();
#endif
}

Fiber::Fiber(void (*entry)(void*), void* argument)
    : entry_(entry), argument_(argument), stack_(TakeFiberStack()) {
  bottom_ = stack_.bottom;
  size_bytes_ = kFiberStackBytes;
  tsan_fiber_ = stack_.tsan_fiber;
  Prepare();
}

Fiber::~Fiber() {
  if (stack_.bottom != nullptr) GiveBackFiberStack(stack_);
}

void Fiber::Abandon() {
  AbandonFiberStack(stack_);
  stack_ = FiberStack();
}

void Fiber::Switch(Fiber& from, Fiber& to) { Swap(from, to, /*for_good=*/false); }

void Fiber::SwitchForGood(Fiber& from, Fiber& to) {
  Swap(from, to, /*for_good=*/true);
  std::abort();  // Nobody may switch back.
}

#ifdef ROLLCALL_FIBER_UCONTEXT

void Fiber::Prepare() {
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack_.bottom;
  context_.uc_stack.ss_size = kFiberStackBytes;
  context_.uc_link = nullptr;
  const uint64_t self = reinterpret_cast<uintptr_t>(this);
  makecontext(&context_, reinterpret_cast<void (*)()>(&Fiber::MainFromHalves), 2,
              static_cast<unsigned int>(self >> 32), static_cast<unsigned int>(self));
}

void Fiber::MainFromHalves(unsigned int high, unsigned int low) {
  Main(reinterpret_cast<void*>(static_cast<uintptr_t>(static_cast<uint64_t>(high) << 32 | low)));
}

#else

void Fiber::Prepare() {
  // From the top: a word for the alignment that a call expects, where to "return" to, rbp, rbx,
  // r12, r13, r14, r15.
  auto* top = reinterpret_cast<uint64_t*>(stack_.bottom + kFiberStackBytes) - 2;
  *--top = reinterpret_cast<uintptr_t>(&rollcall_fiber_start);
  *--top = 0;
  *--top = 0;
  *--top = reinterpret_cast<uintptr_t>(this);
  *--top = reinterpret_cast<uintptr_t>(&Fiber::Main);
  *--top = 0;
  *--top = 0;
  stack_pointer_ = top;
}

#endif

void Fiber::Main(void* self) {
  Fiber& fiber = *static_cast<Fiber*>(self);
  fiber.Arrived(abi::__cxa_get_globals());
  fiber.entry_(fiber.argument_);
  std::abort();  // `entry` must not return.
}

// On the new stack.
void Fiber::Arrived(void* exception_state) {
#ifdef ROLLCALL_ASAN
  __sanitizer_finish_switch_fiber(asan_fake_stack_, &left_behind->bottom_,
                                  &left_behind->size_bytes_);
#endif
  std::memcpy(exception_state, &exceptions_, sizeof(exceptions_));
  errno = errno_value_;
}

void Fiber::Swap(Fiber& from, Fiber& to, [[maybe_unused]] bool for_good) {
  // The OS thread's, so still the same after the switch.
  void* const exception_state = abi::__cxa_get_globals();
  std::memcpy(&from.exceptions_, exception_state, sizeof(exceptions_));
  from.errno_value_ = errno;
#ifdef ROLLCALL_ASAN
  left_behind = &from;
  __sanitizer_start_switch_fiber(for_good ? nullptr : &from.asan_fake_stack_, to.bottom_,
                                 to.size_bytes_);
#endif
#ifdef ROLLCALL_TSAN
  __tsan_switch_to_fiber(to.tsan_fiber_, 0);
#endif
#ifdef ROLLCALL_FIBER_UCONTEXT
  swapcontext(&from.context_, &to.context_);
#else
  rollcall_fiber_swap(&from.stack_pointer_, to.stack_pointer_);
#endif
  from.Arrived(exception_state);
}

}  // namespace rollcall::fault
