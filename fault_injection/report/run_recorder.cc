#include "fault_injection/report/run_recorder.h"

#include <algorithm>
#include <array>
#include <deque>

#include "glog/logging.h"

namespace rollcall::fault {
namespace {

constexpr absl::string_view kCutBand = "cut";
constexpr absl::string_view kUnreachableBand = "unreachable";
constexpr absl::string_view kBlackHoleBand = "black hole";
constexpr absl::string_view kRefuseBand = "refuses connections";
constexpr absl::string_view kExitBand = "process gone";
constexpr absl::string_view kCrashBand = "crashed";
constexpr std::array<absl::string_view, 2> kLinkBands = {kCutBand, kUnreachableBand};
constexpr std::array<absl::string_view, 2> kHostBands = {kBlackHoleBand, kRefuseBand};
constexpr std::array<absl::string_view, 2> kProcessBands = {kExitBand, kCrashBand};

template <typename Record>
void DropOldest(std::deque<Record>& records, size_t count_max, uint64_t& dropped) {
  for (; records.size() > count_max; ++dropped) records.pop_front();
}

}  // namespace

RunRecorder::RunRecorder(absl::Time start, RunRecorderOptions options)
    : start_(start), options_(options) {}

void RunRecorder::AddHost(absl::string_view host) { HostIndex(host); }

int RunRecorder::HostIndex(absl::string_view host) {
  const auto [found, is_new] =
      host_of_name_.try_emplace(std::string(host), static_cast<int>(record_.hosts.size()));
  if (is_new) record_.hosts.emplace_back(host);
  return found->second;
}

// --- What a scenario's runner knows ---

StepId RunRecorder::BeginStep(absl::Time now, absl::string_view host, absl::string_view name) {
  const StepId step = record_.steps.size();
  record_.steps.push_back(
      {.host = HostIndex(host), .fiber = running_, .name = std::string(name), .begin = Since(now)});
  if (running_ != kNone) fiber_states_[running_].open_steps.push_back(step);
  return step;
}

void RunRecorder::EndStep(absl::Time now, StepId id, bool is_ok, absl::string_view outcome) {
  CHECK_LT(id, record_.steps.size());
  RunRecord::Step& step = record_.steps[id];
  step.end = Since(now);
  step.is_over = true;
  step.is_ok = is_ok;
  step.outcome = std::string(outcome);
  if (step.fiber == kNone) return;
  std::vector<StepId>& open = fiber_states_[step.fiber].open_steps;
  open.erase(std::remove(open.begin(), open.end(), id), open.end());
}

void RunRecorder::NoteFault(absl::Time now, absl::string_view text,
                            absl::Span<const std::string> hosts) {
  RunRecord::Fault fault{.at = Since(now), .text = std::string(text)};
  for (const std::string& host : hosts) fault.hosts.push_back(HostIndex(host));
  record_.faults.push_back(std::move(fault));
}

BandId RunRecorder::BeginBand(absl::Time now, absl::string_view host, absl::string_view peer,
                              absl::string_view what) {
  record_.bands.push_back({.host = HostIndex(host),
                           .peer = peer.empty() ? kNone : HostIndex(peer),
                           .begin = Since(now),
                           .what = std::string(what)});
  return record_.bands.size() - 1;
}

void RunRecorder::EndBand(absl::Time now, BandId id) {
  CHECK_LT(id, record_.bands.size());
  RunRecord::Band& band = record_.bands[id];
  band.end = Since(now);
  band.is_over = true;
}

void RunRecorder::SetTitle(absl::string_view title) { record_.title = std::string(title); }

void RunRecorder::SetVerdict(absl::string_view verdict) { record_.verdict = std::string(verdict); }

// --- Fibers ---

int RunRecorder::FiberIndex(absl::string_view actor, absl::Duration now) {
  const auto [found, is_new] =
      fiber_of_actor_.try_emplace(std::string(actor), static_cast<int>(record_.fibers.size()));
  if (is_new) {
    record_.fibers.push_back({.actor = std::string(actor), .begin = now});
    fiber_states_.emplace_back();
  }
  return found->second;
}

void RunRecorder::EndWait(int fiber, absl::Duration now, absl::string_view ended_by) {
  FiberState& state = fiber_states_[fiber];
  if (!std::exchange(state.is_blocked, false) || state.blocked_since == now) return;
  record_.waits.push_back({.fiber = fiber,
                           .begin = state.blocked_since,
                           .end = now,
                           .waits_for = std::move(state.waits_for),
                           .ended_by = std::string(ended_by)});
  DropOldest(record_.waits, options_.waits_max, record_.waits_dropped);
}

void RunRecorder::EndFiber(int index, absl::Duration now, absl::string_view how) {
  EndWait(index, now, how);
  RunRecord::Fiber& fiber = record_.fibers[index];
  fiber.end = now;
  fiber.outcome = how.empty() ? "ended" : std::string(how);
  for (const StepId id : std::exchange(fiber_states_[index].open_steps, {})) {
    record_.steps[id].end = now;
    record_.steps[id].outcome = fiber.outcome;
  }
  fiber_of_actor_.erase(fiber.actor);
  if (running_ == index) running_ = kNone;
}

void RunRecorder::OnEvent(const TraceEvent& event) {
  switch (event.kind) {
    case TraceKind::kSpawn:
      FiberIndex(event.actor, event.elapsed);
      return;
    case TraceKind::kRun:
      running_ = FiberIndex(event.actor, event.elapsed);
      ++record_.fibers[running_].turns;
      return EndWait(running_, event.elapsed, event.text);
    case TraceKind::kBlock: {
      FiberState& state = fiber_states_[FiberIndex(event.actor, event.elapsed)];
      state.is_blocked = true;
      state.blocked_since = event.elapsed;
      state.waits_for = std::string(event.text);
      running_ = kNone;
      return;
    }
    case TraceKind::kEnd:
      return EndFiber(FiberIndex(event.actor, event.elapsed), event.elapsed, event.text);
    case TraceKind::kNote:
      record_.notes.push_back({event.elapsed, std::string(event.actor), std::string(event.text)});
      return DropOldest(record_.notes, options_.notes_max, record_.notes_dropped);
    case TraceKind::kEvent:
    case TraceKind::kChoice:
      return;
  }
}

// --- The network ---

void RunRecorder::OnPacket(const NetPacket& packet) {
  record_.messages.push_back({.from = HostIndex(packet.from),
                              .to = HostIndex(packet.to),
                              .from_endpoint = packet.from_endpoint.ToString(),
                              .to_endpoint = packet.to_endpoint.ToString(),
                              .kind = packet.kind,
                              .size_bytes = packet.payload.size(),
                              .label = labels_.LabelOf(packet),
                              .sent = Since(packet.sent),
                              .ended = Since(packet.ended),
                              .is_lost = packet.is_lost});
  DropOldest(record_.messages, options_.messages_max, record_.messages_dropped);
}

void RunRecorder::OnFault(const NetFault& fault) {
  if (fault.kind == NetFaultKind::kDrop) return MarkDropped(fault);
  RunRecord::Fault noted{.at = Since(fault.at), .text = std::string(fault.text)};
  noted.hosts.push_back(HostIndex(fault.host));
  if (!fault.peer.empty()) noted.hosts.push_back(HostIndex(fault.peer));
  record_.faults.push_back(std::move(noted));
  NoteBands(fault);
}

void RunRecorder::MarkDropped(const NetFault& fault) {
  if (record_.messages.empty()) return;
  RunRecord::Message& message = record_.messages.back();
  message.is_lost = true;
  message.why_lost = std::string(fault.text);
}

void RunRecorder::NoteBands(const NetFault& fault) {
  const absl::Duration now = Since(fault.at);
  const int host = HostIndex(fault.host);
  const auto begin = [&](absl::string_view what) {
    const int peer = fault.peer.empty() ? kNone : HostIndex(fault.peer);
    EndBandsOf(now, host, peer, {what});
    BeginBand(fault.at, fault.host, fault.peer, what);
  };
  switch (fault.kind) {
    case NetFaultKind::kCut:
      return begin(kCutBand);
    case NetFaultKind::kUnreachable:
      return begin(kUnreachableBand);
    case NetFaultKind::kHeal:
      return EndBandsOf(now, host, HostIndex(fault.peer), kLinkBands);
    case NetFaultKind::kBlackHole:
      return begin(kBlackHoleBand);
    case NetFaultKind::kRefuse:
      return begin(kRefuseBand);
    case NetFaultKind::kHealHost:
      return EndBandsOf(now, host, kNone, kHostBands);
    case NetFaultKind::kExit:
      return begin(kExitBand);
    case NetFaultKind::kCrash:
      return begin(kCrashBand);
    case NetFaultKind::kRestart:
      return EndBandsOf(now, host, kNone, kProcessBands);
    case NetFaultKind::kReset:
    case NetFaultKind::kDrop:
    case NetFaultKind::kCallFault:
      return;
  }
}

void RunRecorder::EndBandsOf(absl::Duration now, int host, int peer,
                             absl::Span<const absl::string_view> whats) {
  for (RunRecord::Band& band : record_.bands) {
    if (band.is_over || band.host != host || band.peer != peer) continue;
    if (std::find(whats.begin(), whats.end(), band.what) == whats.end()) continue;
    band.end = now;
    band.is_over = true;
  }
}

// --- The end ---

RunRecord RunRecorder::Finish(absl::Time time) {
  const absl::Duration now = Since(time);
  for (size_t i = 0; i < record_.fibers.size(); ++i) {
    if (record_.fibers[i].outcome.empty()) {
      EndFiber(static_cast<int>(i), now, "alive at the end of the run");
    }
    const std::string& actor = record_.fibers[i].actor;
    const auto host = host_of_name_.find(actor.substr(0, actor.find('/')));
    if (host != host_of_name_.end()) record_.fibers[i].host = host->second;
  }
  for (RunRecord::Step& step : record_.steps) {
    if (!step.is_over && step.outcome.empty()) {
      step.end = now;
      step.outcome = "not over";
    }
  }
  for (RunRecord::Band& band : record_.bands) {
    if (!band.is_over) band.end = now;
  }
  record_.end = now;
  const auto began_earlier = [](const auto& a, const auto& b) { return a.begin < b.begin; };
  std::stable_sort(record_.waits.begin(), record_.waits.end(), began_earlier);
  std::stable_sort(
      record_.messages.begin(), record_.messages.end(),
      [](const RunRecord::Message& a, const RunRecord::Message& b) { return a.sent < b.sent; });
  return std::exchange(record_, RunRecord());
}

}  // namespace rollcall::fault
