#include "net/event_loop.h"

namespace rollcall::net {

absl::string_view EventLoopKindName(EventLoopKind kind) {
  switch (kind) {
    case EventLoopKind::kEpoll:
      return "epoll";
    case EventLoopKind::kLibuv:
      return "libuv";
  }
  return "unknown";
}

}  // namespace rollcall::net
