#include "fault_injection/real/role_talk.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "fault_injection/real/machine_clock.h"
#include "glog/logging.h"

namespace rollcall::fault {
namespace {

constexpr size_t kBufferBytes = 4096;
constexpr int kOrphaned = 1;

}  // namespace

RoleTalk::RoleTalk(net::Env* env, absl::AnyInvocable<void(int, bool)> on_enable)
    : env_(*env), on_enable_(std::move(on_enable)), monitor_(env->NewMonitor()) {
  thread_ = env->StartThread("role-talk", [this] { Listen(); });
  CHECK(thread_ != nullptr) << "no thread to listen with";
}

RoleTalk::~RoleTalk() {
  {
    const net::MonitorLock lock(monitor_.get());
    is_over_ = true;
  }
  Say("over");
  thread_.reset();
}

void RoleTalk::Say(absl::string_view line) {
  std::string bytes = absl::StrCat(line, "\n");
  const net::MonitorLock lock(monitor_.get());
  for (absl::string_view rest = bytes; !rest.empty();) {
    const ssize_t written = write(STDOUT_FILENO, rest.data(), rest.size());
    if (written > 0) {
      rest.remove_prefix(static_cast<size_t>(written));
    } else if (errno != EINTR) {
      return;  // Nobody listens; then standard input ends too.
    }
  }
}

void RoleTalk::Listen() {
  LineBuffer lines;
  char buffer[kBufferBytes];
  while (true) {
    const ssize_t size_bytes = read(STDIN_FILENO, buffer, sizeof buffer);
    if (size_bytes < 0 && errno == EINTR) continue;
    if (size_bytes <= 0) break;
    lines.Add({buffer, static_cast<size_t>(size_bytes)});
    while (const std::optional<std::string> line = lines.Next()) OnLine(RoleLineOf(*line));
  }
  const net::MonitorLock lock(monitor_.get());
  if (!is_over_) _exit(kOrphaned);
}

void RoleTalk::OnLine(const RoleLine& line) {
  if (line.word == "enable" || line.word == "disable") {
    int fault = 0;
    if (absl::SimpleAtoi(line.rest, &fault)) on_enable_(fault, line.word == "enable");
    return Say("done_with");
  }
  const net::MonitorLock lock(monitor_.get());
  int64_t began_ns = 0;
  if (line.word == "start" && absl::SimpleAtoi(line.rest, &began_ns)) {
    began_ = env_.Now() - (MachineNow() - absl::Nanoseconds(began_ns));
  } else if (line.word == "go") {
    ++gos_;
  } else if (line.word == "stop") {
    is_stopped_ = true;
  } else {
    LOG(ERROR) << "told what is not understood: " << line.word << " " << line.rest;
  }
  monitor_->NotifyAll();
}

absl::Time RoleTalk::AwaitStart() {
  const net::MonitorLock lock(monitor_.get());
  while (began_ == absl::InfiniteFuture()) monitor_->WaitUntil(absl::InfiniteFuture());
  return began_;
}

void RoleTalk::AwaitGo() {
  const net::MonitorLock lock(monitor_.get());
  while (gos_ == 0) monitor_->WaitUntil(absl::InfiniteFuture());
  --gos_;
}

void RoleTalk::AwaitStop() {
  const net::MonitorLock lock(monitor_.get());
  while (!is_stopped_) monitor_->WaitUntil(absl::InfiniteFuture());
}

}  // namespace rollcall::fault
