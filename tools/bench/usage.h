// What processes and the machine have used: CPU and memory.
#ifndef ROLLCALL_TOOLS_BENCH_USAGE_H_
#define ROLLCALL_TOOLS_BENCH_USAGE_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rollcall::bench {

// CPU time of all threads of process `pid` so far, those that have ended included; nullopt when it
// is gone. 0 stands for this process.
std::optional<absl::Duration> CpuTimeOf(pid_t pid);

// Whether a thread of `pid` other than the one that asks runs, or would if it had a core.
bool WantsToRun(pid_t pid);
// From the text of /proc/PID/stat.
bool ParseWantsToRun(absl::string_view proc_stat_of_thread);

// CPU time that all cores together spent on anything at all, time stolen by a hypervisor included.
// `proc_stat` is the text of /proc/stat; nullopt if it does not read like one.
std::optional<absl::Duration> ParseBusyTime(absl::string_view proc_stat);
absl::Duration MachineBusyTime();

// How many SYNs this machine had to send again, from the text of /proc/net/netstat: each costs its
// client a second or more. nullopt if it does not say.
std::optional<int64_t> ParseSynRetries(absl::string_view proc_netstat);

struct Memory {
  int64_t resident_kib = 0;
  int64_t peak_resident_kib = 0;  // Since the process began, or since ResetPeak.
};
// From the text of /proc/PID/status.
std::optional<Memory> ParseMemory(absl::string_view proc_status);
std::optional<Memory> MemoryOf(pid_t pid);
// Does nothing where the kernel does not let us.
void ResetPeakMemory(pid_t pid);

// Keeps all threads of `pid` (0: this process, before it has more than one) on `core`.
void PinTo(pid_t pid, int core);

// Lets all threads of `pid` (0: this process, before it has more than one) go before all that is
// not made so. False where that is not allowed.
bool MakeRealtime(pid_t pid);

std::string ReadProcFile(const std::string& path);

}  // namespace rollcall::bench

#endif  // ROLLCALL_TOOLS_BENCH_USAGE_H_
