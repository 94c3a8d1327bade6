// What writes down what a store changes, so that somebody can keep it.
#ifndef ROLLCALL_STORE_ENGINE_CHANGE_LOG_H_
#define ROLLCALL_STORE_ENGINE_CHANGE_LOG_H_

#include "absl/strings/string_view.h"

namespace rollcall::engine {

// Called amidst a change: it must not ask the store anything.
class ChangeLog {
 public:
  virtual ~ChangeLog() = default;
  // The key was made, got another value, or was removed: look when it matters.
  virtual void KeyChanged(absl::string_view key) = 0;
  virtual void Pushed(absl::string_view queue, absl::string_view element) = 0;
  virtual void Popped(absl::string_view queue) = 0;
};

}  // namespace rollcall::engine

#endif  // ROLLCALL_STORE_ENGINE_CHANGE_LOG_H_
