#include "tools/json_log.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "absl/time/clock.h"
#include "nlohmann/json.hpp"

namespace rollcall::tools {
namespace {

absl::string_view SeverityName(google::LogSeverity severity) {
  switch (severity) {
    case google::GLOG_INFO:
      return "INFO";
    case google::GLOG_WARNING:
      return "WARNING";
    case google::GLOG_ERROR:
      return "ERROR";
    default:
      return "FATAL";
  }
}

// Not by a stream: a line must come whole even if the process ends with it.
void WriteToStderr(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(STDERR_FILENO, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return;  // There is nobody to tell.
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace

std::string JsonLogLine(const LogEntry& entry) {
  const nlohmann::ordered_json json = {
      {"time", absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", entry.time, absl::UTCTimeZone())},
      {"severity", std::string(SeverityName(entry.severity))},
      {"message", std::string(entry.message)},
      {"file", std::string(entry.file)},
      {"line", entry.line},
      {"thread", entry.thread},
  };
  return json.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/true,
                   nlohmann::ordered_json::error_handler_t::replace) +
         "\n";
}

JsonLog::JsonLog() {
  FLAGS_logtostderr = false;
  FLAGS_alsologtostderr = false;
  FLAGS_stderrthreshold = google::NUM_SEVERITIES;
  for (int severity = 0; severity < google::NUM_SEVERITIES; ++severity) {
    google::SetLogDestination(static_cast<google::LogSeverity>(severity), "");
  }
  google::AddLogSink(this);
}

JsonLog::~JsonLog() {
  google::RemoveLogSink(this);
  FLAGS_logtostderr = true;
}

void JsonLog::send(google::LogSeverity severity, const char* /*full_filename*/,
                   const char* base_filename, int line, const google::LogMessageTime& /*time*/,
                   const char* message, size_t message_bytes) {
  WriteToStderr(JsonLogLine({.severity = severity,
                             .file = base_filename,
                             .line = line,
                             .time = absl::Now(),
                             .thread = static_cast<int>(syscall(SYS_gettid)),
                             .message = absl::string_view(message, message_bytes)}));
}

}  // namespace rollcall::tools
