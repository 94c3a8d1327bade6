#include "fault_injection/scenario/call_faults.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "fault_injection/legal_errnos.h"
#include "fault_injection/scenario/cast.h"
#include "fault_injection/scenario/errno_names.h"
#include "fault_injection/scenario/host_set.h"

namespace rollcall::fault {
namespace {

CallFault EffectOf(const SyscallFault& call) {
  CallFault effect;
  if (!call.fails().empty()) {
    effect.errno_value = LegalErrnoNamed(**CallNamed(call.call()), call.fails()).value();
  }
  if (call.shortened_to_bytes() > 0) {
    effect.transfer_bytes_max = static_cast<size_t>(call.shortened_to_bytes());
  }
  effect.delay = DurationOf(call.delayed(), absl::ZeroDuration());
  return effect;
}

}  // namespace

absl::StatusOr<Ordinals> ParseOrdinals(absl::string_view text) {
  Ordinals ordinals;
  if (text.empty()) return ordinals;
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('-', 1));
  const bool is_range = text.find('-') != absl::string_view::npos;
  bool is_good = absl::SimpleAtoi(parts.first, &ordinals.first) && ordinals.first >= 1;
  if (!is_range) {
    ordinals.last = ordinals.first;
  } else if (!parts.second.empty()) {
    is_good = is_good && absl::SimpleAtoi(parts.second, &ordinals.last) &&
              ordinals.first <= ordinals.last;
  }
  if (is_good) return ordinals;
  return absl::InvalidArgumentError(
      absl::StrCat("`nth` is \"", text, "\"; \"3\", \"2-4\" or \"3-\" is wanted"));
}

CallFaults::CallFaults(const Scenario& scenario, Draw draw, OnActed on_acted)
    : draw_(std::move(draw)), on_acted_(std::move(on_acted)) {
  for (int i = 0; i < scenario.faults_size(); ++i) {
    const Fault& fault = scenario.faults(i);
    if (!fault.has_call()) continue;
    const SyscallFault& call = fault.call();
    Rule rule;
    rule.fault = i;
    rule.name = NameOf(scenario, i);
    rule.hosts = call.host();
    rule.call = call.call();
    rule.nth = ParseOrdinals(call.nth()).value();
    if (call.percent() > 0) rule.percent = static_cast<uint64_t>(call.percent());
    if (call.times_max() > 0) rule.times_left = static_cast<uint64_t>(call.times_max());
    rule.enabled = fault.at().empty() && !fault.has_when();
    rule.effect = EffectOf(call);
    rules_.push_back(std::move(rule));
  }
}

CallFault CallFaults::OnCall(const CallSite& site) {
  for (Rule& rule : rules_) {
    if (!rule.enabled || rule.times_left == 0 || rule.call != site.call ||
        site.occurrence < rule.nth.first || site.occurrence > rule.nth.last ||
        !NamesHost(rule.hosts, site.host)) {
      continue;
    }
    // The dull choice, 0, is that nothing happens.
    if (rule.percent < 100 && draw_(rule.name, 100) < 100 - rule.percent) continue;
    --rule.times_left;
    if (on_acted_) on_acted_(rule.fault, site);
    return rule.effect;
  }
  return {};
}

void CallFaults::Enable(int fault, bool enabled) {
  for (Rule& rule : rules_) {
    if (rule.fault == fault) rule.enabled = enabled;
  }
}

bool CallFaults::IsMine(int fault) const {
  for (const Rule& rule : rules_) {
    if (rule.fault == fault) return true;
  }
  return false;
}

}  // namespace rollcall::fault
