// What peers do to a server, in bytes: a step is a byte with the action (high bits) and the peer
// (low bits), and a byte with its argument; a kSend's argument is how many bytes follow, which the
// peer sends.
#ifndef ROLLCALL_STORE_SERVER_FUZZ_SCRIPT_H_
#define ROLLCALL_STORE_SERVER_FUZZ_SCRIPT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace rollcall::fuzz {

enum class Action : uint8_t {
  kSend,
  kSendAndRun,  // ... and the server deals with it before the next step.
  kEndStream,
  kReset,
  kReconnect,
  kWindow,  // Takes so many bytes more, and then no more.
  kOpenWindow,
  kWait,  // So many seconds pass.
};
inline constexpr int kActions = 8;
inline constexpr int kPeers = 8;

struct Step {
  Action action = Action::kSend;
  int peer = 0;
  uint8_t argument = 0;
  absl::string_view bytes;  // Of kSend and kSendAndRun.
};

inline std::vector<Step> DecodeScript(absl::string_view script) {
  std::vector<Step> steps;
  while (script.size() >= 2) {
    const uint8_t head = static_cast<uint8_t>(script[0]);
    Step step;
    step.action = static_cast<Action>(head / kPeers % kActions);
    step.peer = head % kPeers;
    step.argument = static_cast<uint8_t>(script[1]);
    script.remove_prefix(2);
    if (step.action == Action::kSend || step.action == Action::kSendAndRun) {
      step.bytes = script.substr(0, step.argument);
      script.remove_prefix(step.bytes.size());
    }
    steps.push_back(step);
  }
  return steps;
}

// `bytes` of a step of another action are ignored, and so is `argument` of these.
inline void AppendStep(const Step& step, std::string& script) {
  const bool sends = step.action == Action::kSend || step.action == Action::kSendAndRun;
  script.push_back(static_cast<char>(static_cast<int>(step.action) * kPeers + step.peer));
  if (!sends) {
    script.push_back(static_cast<char>(step.argument));
    return;
  }
  const absl::string_view bytes = step.bytes.substr(0, 255);
  script.push_back(static_cast<char>(bytes.size()));
  script.append(bytes.data(), bytes.size());
}

}  // namespace rollcall::fuzz

#endif  // ROLLCALL_STORE_SERVER_FUZZ_SCRIPT_H_
