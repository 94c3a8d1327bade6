// Fibers: stacks of their own that take turns on one OS thread.
#ifndef ROLLCALL_FAULT_INJECTION_FIBER_H_
#define ROLLCALL_FAULT_INJECTION_FIBER_H_

#include <cstddef>

#include "fault_injection/fiber_stack.h"

// The hand-written switch of x86-64 takes some 15 ns. ucontext's makes a system call to keep a
// signal mask that is always the same, some 235 ns. A shadow stack (Intel CET) only ucontext can
// switch.
#if !defined(ROLLCALL_FIBER_UCONTEXT) && \
    !(defined(__x86_64__) && defined(__linux__) && !(defined(__CET__) && (__CET__ & 2)))
#define ROLLCALL_FIBER_UCONTEXT 1
#endif

#ifdef ROLLCALL_FIBER_UCONTEXT
#include <ucontext.h>
#endif

namespace rollcall::fault {

// Where one stack of the OS thread stands while another one runs. Errors in the use of it are
// undefined behaviour: a World is how it is meant to be used.
//
// Exceptions work on a fiber. What the C++ runtime keeps per thread of them (those being handled,
// how many are in flight) and errno belong to the fiber, so a catch block, or a destructor that
// runs because of an exception, may switch to another fiber. An exception must not leave `entry`.
// The floating-point modes (rounding, masks) are the OS thread's, as are thread_local variables.
class Fiber {
 public:
  // The stack that the caller runs on.
  Fiber();
  // A fiber that, when first switched to, runs entry(argument), which must not return: it ends in
  // SwitchForGood.
  Fiber(void (*entry)(void*), void* argument);
  // Its stack goes back to the pool. Not while it runs.
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Called on `from`; returns when something switches to `from`.
  static void Switch(Fiber& from, Fiber& to);
  // Called on `from`, which never runs again.
  [[noreturn]] static void SwitchForGood(Fiber& from, Fiber& to);

  // Its frames are never unwound: what they own is lost, and its memory is kept for ever.
  void Abandon();

 private:
  // What __cxa_get_globals points to, on every C++ runtime that follows the Itanium ABI.
  struct ExceptionState {
    void* caught = nullptr;
    unsigned int uncaught_count = 0;
  };

  [[noreturn]] static void Main(void* self);
  static void Swap(Fiber& from, Fiber& to, bool for_good);
  void Prepare();
  void Arrived(void* exception_state);

  void (*entry_)(void*) = nullptr;
  void* argument_ = nullptr;
  FiberStack stack_;  // Empty for the OS thread's own.
#ifdef ROLLCALL_FIBER_UCONTEXT
  static void MainFromHalves(unsigned int high, unsigned int low);
  ucontext_t context_;
#else
  void* stack_pointer_ = nullptr;
#endif
  ExceptionState exceptions_;
  int errno_value_ = 0;
  // For the sanitizers: each build uses some of them.
  [[maybe_unused]] const void* bottom_ = nullptr;
  [[maybe_unused]] size_t size_bytes_ = 0;
  [[maybe_unused]] void* asan_fake_stack_ = nullptr;
  [[maybe_unused]] void* tsan_fiber_ = nullptr;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_FIBER_H_
