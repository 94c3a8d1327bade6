// The log as one JSON object a line, for who collects logs.
#ifndef ROLLCALL_TOOLS_JSON_LOG_H_
#define ROLLCALL_TOOLS_JSON_LOG_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "glog/logging.h"

namespace rollcall::tools {

struct LogEntry {
  google::LogSeverity severity = google::GLOG_INFO;
  absl::string_view file;  // Without its folders.
  int line = 0;
  absl::Time time;
  int thread = 0;  // The system's number for it.
  absl::string_view message;
};

// {"time":"2026-11-25T18:00:00.123456Z","severity":"INFO",...}, in ASCII, with its line's end.
std::string JsonLogLine(const LogEntry& entry);

// While it lives, all that glog logs goes to stderr as JSON, a line at a time, and nowhere else.
// After InitGoogleLogging, one at a time. What a fatal line's stack trace adds is glog's own, and
// plain text.
class JsonLog final : private google::LogSink {
 public:
  JsonLog();
  ~JsonLog() override;

  JsonLog(const JsonLog&) = delete;
  JsonLog& operator=(const JsonLog&) = delete;

 private:
  void send(google::LogSeverity severity, const char* full_filename, const char* base_filename,
            int line, const google::LogMessageTime& time, const char* message,
            size_t message_bytes) override;
};

}  // namespace rollcall::tools

#endif  // ROLLCALL_TOOLS_JSON_LOG_H_
