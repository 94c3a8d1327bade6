// What fibers must tell the sanitizers. Each is empty in a build without the sanitizer.
#ifndef ROLLCALL_FAULT_INJECTION_SANITIZERS_H_
#define ROLLCALL_FAULT_INJECTION_SANITIZERS_H_

#if defined(__SANITIZE_ADDRESS__)
#define ROLLCALL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ROLLCALL_ASAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define ROLLCALL_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ROLLCALL_TSAN 1
#endif
#endif

#ifdef ROLLCALL_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#ifdef ROLLCALL_TSAN
#include <sanitizer/tsan_interface.h>
#endif

#endif  // ROLLCALL_FAULT_INJECTION_SANITIZERS_H_
