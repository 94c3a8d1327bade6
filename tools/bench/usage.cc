#include "tools/bench/usage.h"

#include <dirent.h>
#include <sched.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rollcall::bench {
namespace {

// The fields of /proc/stat's first line, in its order.
constexpr size_t kIdleField = 3;
constexpr size_t kIoWaitField = 4;
constexpr size_t kBusyFields = 8;  // Guests, which come after, are counted in user and nice.

// "VmRSS:     123 kB" -> 123.
std::optional<int64_t> KibOf(absl::string_view status, absl::string_view name) {
  for (absl::string_view line : absl::StrSplit(status, '\n')) {
    if (line.substr(0, name.size()) != name) continue;
    const std::vector<absl::string_view> words =
        absl::StrSplit(line.substr(name.size()), absl::ByAnyChar(" \t"), absl::SkipEmpty());
    int64_t kib;
    if (words.size() == 2 && absl::SimpleAtoi(words[0], &kib)) return kib;
  }
  return std::nullopt;
}

std::vector<pid_t> ThreadsOf(pid_t pid) {
  if (pid == 0) return {0};
  DIR* const tasks = opendir(absl::StrCat("/proc/", pid, "/task").c_str());
  if (tasks == nullptr) return {};
  std::vector<pid_t> threads;
  while (const dirent* task = readdir(tasks)) {
    pid_t thread;
    if (absl::SimpleAtoi(task->d_name, &thread)) threads.push_back(thread);
  }
  closedir(tasks);
  return threads;
}

}  // namespace

std::string ReadProcFile(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::optional<absl::Duration> CpuTimeOf(pid_t pid) {
  clockid_t clock = CLOCK_PROCESS_CPUTIME_ID;
  timespec used;
  if (pid != 0 && clock_getcpuclockid(pid, &clock) != 0) return std::nullopt;
  if (clock_gettime(clock, &used) != 0) return std::nullopt;
  return absl::DurationFromTimespec(used);
}

bool ParseWantsToRun(absl::string_view proc_stat_of_thread) {
  // The state comes after the name, which is in parentheses and may have some of its own.
  const size_t name_end = proc_stat_of_thread.rfind(')');
  return name_end != absl::string_view::npos && proc_stat_of_thread.substr(name_end, 3) == ") R";
}

bool WantsToRun(pid_t pid) {
  for (const pid_t thread : ThreadsOf(pid)) {
    if (thread != gettid() &&
        ParseWantsToRun(ReadProcFile(absl::StrCat("/proc/", pid, "/task/", thread, "/stat")))) {
      return true;
    }
  }
  return false;
}

std::optional<absl::Duration> ParseBusyTime(absl::string_view proc_stat) {
  const absl::string_view line = proc_stat.substr(0, proc_stat.find('\n'));
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
  if (words.size() <= kBusyFields || words[0] != "cpu") return std::nullopt;
  int64_t ticks = 0;
  for (size_t field = 0; field < kBusyFields; ++field) {
    int64_t value;
    if (!absl::SimpleAtoi(words[field + 1], &value)) return std::nullopt;
    if (field != kIdleField && field != kIoWaitField) ticks += value;
  }
  return absl::Seconds(1) * ticks / sysconf(_SC_CLK_TCK);
}

absl::Duration MachineBusyTime() {
  return ParseBusyTime(ReadProcFile("/proc/stat")).value_or(absl::ZeroDuration());
}

std::optional<int64_t> ParseSynRetries(absl::string_view proc_netstat) {
  // Two lines, one with the names and one with the numbers.
  const std::vector<absl::string_view> lines = absl::StrSplit(proc_netstat, '\n');
  for (size_t i = 0; i + 1 < lines.size(); i += 2) {
    const std::vector<absl::string_view> names = absl::StrSplit(lines[i], ' ');
    const std::vector<absl::string_view> numbers = absl::StrSplit(lines[i + 1], ' ');
    const auto name = std::find(names.begin(), names.end(), "TCPSynRetrans");
    const auto column = static_cast<size_t>(name - names.begin());
    int64_t retries;
    if (column < names.size() && column < numbers.size() &&
        absl::SimpleAtoi(numbers[column], &retries)) {
      return retries;
    }
  }
  return std::nullopt;
}

std::optional<Memory> ParseMemory(absl::string_view proc_status) {
  const std::optional<int64_t> resident = KibOf(proc_status, "VmRSS:");
  const std::optional<int64_t> peak = KibOf(proc_status, "VmHWM:");
  if (!resident || !peak) return std::nullopt;
  return Memory{.resident_kib = *resident, .peak_resident_kib = *peak};
}

std::optional<Memory> MemoryOf(pid_t pid) {
  return ParseMemory(ReadProcFile(absl::StrCat("/proc/", pid, "/status")));
}

void ResetPeakMemory(pid_t pid) {
  // "5" is the word for it, see proc(5).
  std::ofstream(absl::StrCat("/proc/", pid, "/clear_refs")) << "5";
}

void PinTo(pid_t pid, int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  for (const pid_t thread : ThreadsOf(pid)) sched_setaffinity(thread, sizeof(cores), &cores);
}

bool MakeRealtime(pid_t pid) {
  const sched_param lowest = {.sched_priority = 1};
  bool made = true;
  for (const pid_t thread : ThreadsOf(pid)) {
    made = sched_setscheduler(thread, SCHED_RR, &lowest) == 0 && made;
  }
  return made;
}

}  // namespace rollcall::bench
