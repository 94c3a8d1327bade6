// What happened in one run, as plain data: what the pictures and traces of this directory are made
// from.
#ifndef ROLLCALL_FAULT_INJECTION_REPORT_RUN_RECORD_H_
#define ROLLCALL_FAULT_INJECTION_REPORT_RUN_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "fault_injection/packet_kind.h"

namespace rollcall::fault {

// An index into RunRecord::hosts or RunRecord::fibers; kNone: it belongs to none.
constexpr int kNone = -1;

// All times are since the world began. Within each list, what happened earlier stands earlier: by
// `begin`, `sent` or `at`, and among equals as it was noted.
struct RunRecord {
  struct Fiber {
    std::string actor;  // "server/store_server"
    int host = kNone;
    absl::Duration begin;
    absl::Duration end;
    uint64_t turns = 0;   // How often it went on.
    std::string outcome;  // "ended", "killed", "alive" at the end of the run.
  };
  // A fiber was blocked, and time passed.
  struct Wait {
    int fiber = kNone;
    absl::Duration begin;
    absl::Duration end;
    std::string waits_for;
    std::string ended_by;  // Empty: somebody woke it. Else "deadline", "killed", "end of the run".
  };
  // One thing that a worker was told to do.
  struct Step {
    int host = kNone;
    int fiber = kNone;  // On which it began.
    std::string name;   // "get /a"
    absl::Duration begin;
    absl::Duration end;
    bool is_over = false;  // False: the run ended, or the fiber did, before it.
    bool is_ok = false;
    std::string outcome;  // "WAIT_TIMEOUT"; may be empty where it is ok.
  };
  // A packet.
  struct Message {
    int from = kNone;
    int to = kNone;
    std::string from_endpoint;  // "10.0.0.1:29500"
    std::string to_endpoint;
    PacketKind kind = PacketKind::kData;
    size_t size_bytes = 0;
    std::string label;  // "set /a", "42 bytes", "SYN"
    absl::Duration sent;
    absl::Duration ended;  // When it arrived or was lost.
    bool is_lost = false;
    std::string why_lost;  // "accept queue of w0 is full"; empty: the way was cut.
  };
  struct Fault {
    absl::Duration at;
    std::string text;  // "cut w0 -> w1"
    std::vector<int> hosts;
  };
  // For a while a host, or a link in one direction, was not as it should be.
  struct Band {
    int host = kNone;
    int peer = kNone;  // Of a link from `host`: its end.
    absl::Duration begin;
    absl::Duration end;
    std::string what;  // "paused", "crashed", "cut"
    bool is_over = false;
  };
  // A line that somebody wrote into the world's trace.
  struct Note {
    absl::Duration at;
    std::string actor;
    std::string text;
  };

  std::string title;               // "two_ranks_meet, seed 7"
  std::string verdict;             // How the run went, in a sentence; may be empty.
  std::vector<std::string> hosts;  // In the order of the plan.
  absl::Duration end;
  std::vector<Fiber> fibers;
  std::deque<Wait> waits;
  std::vector<Step> steps;
  std::deque<Message> messages;
  std::vector<Fault> faults;
  std::vector<Band> bands;
  std::deque<Note> notes;
  // Of long runs the oldest of these are dropped.
  uint64_t waits_dropped = 0;
  uint64_t messages_dropped = 0;
  uint64_t notes_dropped = 0;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_REPORT_RUN_RECORD_H_
