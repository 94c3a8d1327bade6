// A snapshot as Prometheus reads it.
#ifndef ROLLCALL_STORE_HTTP_METRICS_TEXT_H_
#define ROLLCALL_STORE_HTTP_METRICS_TEXT_H_

#include <string>

#include "store/server/server_snapshot.h"

namespace rollcall::http {

inline constexpr char kMetricsContentType[] = "text/plain; version=0.0.4; charset=utf-8";

// The text exposition format, by prometheus-cpp. docs/observe.md lists every metric.
std::string MetricsText(const ServerSnapshot& snapshot);

}  // namespace rollcall::http

#endif  // ROLLCALL_STORE_HTTP_METRICS_TEXT_H_
