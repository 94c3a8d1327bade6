#include "fault_injection/report/chrome_trace.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/report/json_text.h"
#include "fault_injection/report/report_text.h"

namespace rollcall::fault {
namespace {

// How long a packet is shown at most.
constexpr int64_t kPacketNanosMax = 1000;

int64_t Nanos(absl::Duration elapsed) { return absl::ToInt64Nanoseconds(elapsed); }

std::string Micros(int64_t nanos) { return absl::StrFormat("%d.%03d", nanos / 1000, nanos % 1000); }

struct Thread {
  int64_t process = 0;
  int64_t id = 0;
};

class Trace {
 public:
  explicit Trace(const RunRecord& record) : record_(record) {
    NameProcesses();
    AddFibers();
    AddSteps();
    AddWaits();
    AddMessages();
    AddFaults();
    AddBands();
  }

  std::string Text() {
    // Of one moment the longer slice comes first: it holds the shorter one.
    std::stable_sort(events_.begin(), events_.end(), [](const Event& a, const Event& b) {
      if (a.at != b.at) return a.at < b.at;
      return a.length > b.length;
    });
    std::vector<std::string> lines = std::move(metadata_);
    for (Event& event : events_) lines.push_back(std::move(event.json));
    JsonObject other;
    other.Add("title", record_.title).Add("verdict", record_.verdict);
    AddDropped("messages_dropped", record_.messages_dropped, other);
    AddDropped("waits_dropped", record_.waits_dropped, other);
    return absl::StrCat("{\"displayTimeUnit\":\"ns\",\n\"otherData\":", other.Text(),
                        ",\n\"traceEvents\":[\n", absl::StrJoin(lines, ",\n"), "\n]}\n");
  }

 private:
  struct Event {
    int64_t at = 0;
    int64_t length = 0;
    std::string json;
  };
  // One end of a packet, on the network thread of a host.
  struct PacketEnd {
    int64_t at = 0;
    size_t message = 0;
    bool is_sending = false;
  };

  static void AddDropped(absl::string_view name, uint64_t count, JsonObject& other) {
    if (count > 0) other.Add(name, static_cast<int64_t>(count));
  }

  // Viewers take process 0 for the idle one.
  int64_t ProcessOf(int host) const {
    return host == kNone ? static_cast<int64_t>(record_.hosts.size()) + 1 : host + 1;
  }
  Thread NetworkOf(int host) const { return networks_[ProcessOf(host) - 1]; }

  JsonObject Begin(absl::string_view phase, absl::string_view category, absl::string_view name,
                   Thread thread, int64_t at) const {
    JsonObject event;
    event.Add("ph", phase).Add("cat", category).Add("name", name).Add("pid", thread.process);
    event.Add("tid", thread.id).AddJson("ts", Micros(at));
    return event;
  }
  void Push(int64_t at, int64_t length, const JsonObject& event) {
    events_.push_back({at, length, event.Text()});
  }
  void Name(absl::string_view what, Thread thread, absl::string_view name) {
    JsonObject event;
    event.Add("ph", "M").Add("name", what).Add("pid", thread.process).Add("tid", thread.id);
    event.AddJson("args", JsonObject().Add("name", name).Text());
    metadata_.push_back(event.Text());
  }
  void SortIndex(absl::string_view what, Thread thread, int64_t index) {
    JsonObject event;
    event.Add("ph", "M").Add("name", what).Add("pid", thread.process).Add("tid", thread.id);
    event.AddJson("args", JsonObject().Add("sort_index", index).Text());
    metadata_.push_back(event.Text());
  }
  Thread NewThread(int host, absl::string_view name) {
    const Thread thread = {ProcessOf(host), ++last_thread_};
    Name("thread_name", thread, name);
    SortIndex("thread_sort_index", thread, thread.id);
    return thread;
  }

  void NameProcesses() {
    for (int host = 0; host <= static_cast<int>(record_.hosts.size()); ++host) {
      const bool is_world = host == static_cast<int>(record_.hosts.size());
      const Thread thread = NewThread(is_world ? kNone : host, is_world ? "faults" : "network");
      networks_.push_back(thread);
      Name("process_name", thread, HostName(record_, is_world ? kNone : host));
      SortIndex("process_sort_index", thread, is_world ? 0 : host + 1);
    }
  }

  void AddFibers() {
    for (const RunRecord::Fiber& fiber : record_.fibers) {
      fibers_.push_back(NewThread(fiber.host, fiber.actor));
    }
    step_threads_.assign(record_.hosts.size(), Thread());
  }

  Thread ThreadOf(const RunRecord::Step& step) {
    if (step.fiber != kNone) return fibers_[step.fiber];
    Thread& thread = step_threads_[step.host];
    if (thread.id == 0) thread = NewThread(step.host, "steps");
    return thread;
  }

  void AddSlice(absl::string_view category, absl::string_view name, Thread thread, int64_t at,
                int64_t end, const JsonObject& args) {
    JsonObject event = Begin("X", category, name, thread, at);
    event.AddJson("dur", Micros(end - at)).AddJson("args", args.Text());
    Push(at, end - at, event);
  }

  void AddSteps() {
    for (const RunRecord::Step& step : record_.steps) {
      JsonObject args;
      args.Add("outcome", step.outcome).AddJson("ok", step.is_ok ? "true" : "false");
      AddSlice("step", step.is_ok ? step.name : StepText(step), ThreadOf(step), Nanos(step.begin),
               Nanos(step.end), args);
    }
  }

  void AddWaits() {
    for (const RunRecord::Wait& wait : record_.waits) {
      const JsonObject args = JsonObject().Add(
          "ended_by", wait.ended_by.empty() ? "woken" : absl::string_view(wait.ended_by));
      AddSlice("wait", wait.waits_for, fibers_[wait.fiber], Nanos(wait.begin), Nanos(wait.end),
               args);
    }
  }

  void AddMessages() {
    std::vector<std::vector<PacketEnd>> ends(record_.hosts.size());
    for (size_t i = 0; i < record_.messages.size(); ++i) {
      const RunRecord::Message& message = record_.messages[i];
      ends[message.from].push_back({Nanos(message.sent), i, /*is_sending=*/true});
      if (!message.is_lost) {
        ends[message.to].push_back({Nanos(message.ended), i, /*is_sending=*/false});
      }
    }
    for (size_t host = 0; host < ends.size(); ++host) {
      AddPacketEnds(NetworkOf(static_cast<int>(host)), ends[host]);
    }
  }

  void AddPacketEnds(Thread thread, std::vector<PacketEnd>& ends) {
    std::stable_sort(ends.begin(), ends.end(),
                     [](const PacketEnd& a, const PacketEnd& b) { return a.at < b.at; });
    int64_t free_from = 0;
    for (size_t i = 0; i < ends.size(); ++i) {
      const int64_t at = std::max(ends[i].at, free_from);
      const int64_t room = i + 1 < ends.size() ? ends[i + 1].at - at : kPacketNanosMax;
      const int64_t length = std::clamp<int64_t>(room, 1, kPacketNanosMax);
      free_from = at + length;
      AddPacketEnd(thread, ends[i], at, length);
    }
  }

  void AddPacketEnd(Thread thread, const PacketEnd& end, int64_t at, int64_t length) {
    const RunRecord::Message& message = record_.messages[end.message];
    JsonObject args;
    args.Add("from", absl::StrCat(HostName(record_, message.from), " ", message.from_endpoint));
    args.Add("to", absl::StrCat(HostName(record_, message.to), " ", message.to_endpoint));
    args.Add("kind", PacketKindName(message.kind));
    args.Add("bytes", static_cast<int64_t>(message.size_bytes));
    const std::string name =
        absl::StrCat(end.is_sending ? "send " : "receive ", MessageText(message));
    AddSlice("net", name, thread, at, at + length, args);
    if (message.is_lost) {
      const int64_t lost_at = Nanos(message.ended);
      Push(lost_at, 0, Begin("i", "fault", MessageText(message), thread, lost_at).Add("s", "t"));
      return;
    }
    JsonObject flow = Begin(end.is_sending ? "s" : "f", "net", "message", thread, at);
    flow.Add("id", static_cast<int64_t>(end.message) + 1);
    if (!end.is_sending) flow.Add("bp", "e");
    Push(at, 0, flow);
  }

  void AddFaults() {
    for (const RunRecord::Fault& fault : record_.faults) {
      const int64_t at = Nanos(fault.at);
      Push(at, 0, Begin("i", "fault", fault.text, NetworkOf(kNone), at).Add("s", "g"));
      for (const int host : fault.hosts) {
        Push(at, 0, Begin("i", "fault", fault.text, NetworkOf(host), at).Add("s", "p"));
      }
    }
    for (const RunRecord::Note& note : record_.notes) {
      const int64_t at = Nanos(note.at);
      Push(at, 0,
           Begin("i", "note", absl::StrCat(note.actor, ": ", note.text), NetworkOf(kNone), at)
               .Add("s", "t"));
    }
  }

  void AddBands() {
    for (size_t i = 0; i < record_.bands.size(); ++i) {
      const RunRecord::Band& band = record_.bands[i];
      const std::string name = BandText(record_, band);
      for (const bool is_end : {false, true}) {
        const int64_t at = Nanos(is_end ? band.end : band.begin);
        JsonObject event = Begin(is_end ? "e" : "b", "band", name, NetworkOf(band.host), at);
        Push(at, 0, event.Add("id", static_cast<int64_t>(i) + 1));
      }
    }
  }

  const RunRecord& record_;
  std::vector<std::string> metadata_;
  std::vector<Event> events_;
  std::vector<Thread> networks_;  // By process.
  std::vector<Thread> fibers_;
  std::vector<Thread> step_threads_;  // By host, for steps of no fiber.
  int64_t last_thread_ = 0;
};

}  // namespace

std::string ChromeTrace(const RunRecord& record) { return Trace(record).Text(); }

}  // namespace rollcall::fault
