#include "fault_injection/sweep/fault_site.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "fault_injection/scenario/cast.h"

namespace rollcall::fault {
namespace {

constexpr char kServerThread[] = "/store_server";
constexpr char kServe[] = "serve";
constexpr char kEnd[] = "end";
constexpr char kStart[] = "start";
constexpr char kJoin[] = "join";
constexpr char kListen[] = "listen";

// Calls that only a server makes.
bool IsOfServersOnly(Call call) {
  switch (call) {
    case Call::kBind:
    case Call::kListen:
    case Call::kAccept:
    case Call::kEpollCreate:
    case Call::kEpollCtl:
    case Call::kEpollWait:
    case Call::kEventFd:
    case Call::kEventFdSignal:
    case Call::kEventFdDrain:
      return true;
    default:
      return false;
  }
}

bool IsOfConnecting(Call call) {
  switch (call) {
    case Call::kSocket:
    case Call::kConnect:
    case Call::kGetSockOpt:
    case Call::kSetSockOpt:
    case Call::kGetSockName:
    case Call::kGetPeerName:
    case Call::kFcntl:
      return true;
    default:
      return false;
  }
}

// A poll has the phase of the call for whose sake it is made.
Phase ClientPhase(Call call, const std::string& operation) {
  if (call == Call::kGetAddrInfo) return RESOLVE;
  if (IsOfConnecting(call)) return CONNECT;
  if (call == Call::kShutdown || call == Call::kClose) return CLOSE;
  if (operation == kJoin) return GREET;
  return call == Call::kSend || call == Call::kSendMsg ? SEND : RECEIVE;
}

// Whether the step that the host is in may be the one that starts a server.
bool StartsServers(const FaultSite& site) {
  return !site.step.empty() &&
         (site.operation == kStart || site.operation == kJoin || site.operation == kListen);
}

const CallRow* RowNamed(absl::string_view name) {
  for (const CallRow& row : CallTable()) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace

std::string FaultText(const PlannedFault& planned) {
  std::string text = absl::StrCat(planned.site.host, " ", planned.site.call->name, "#",
                                  planned.site.occurrence, " ", planned.name);
  if (planned.fault.transfer_bytes_max.has_value()) {
    absl::StrAppend(&text, " to ", *planned.fault.transfer_bytes_max);
  }
  if (!planned.site.step.empty()) absl::StrAppend(&text, " in ", planned.site.step);
  return text;
}

void SiteRecorder::OnBegin(const StepOutcome& outcome) {
  workers_[outcome.who()] = {outcome.step(), outcome.operation()};
}

void SiteRecorder::OnEnd(const StepOutcome& outcome) { workers_[outcome.who()] = {"", kEnd}; }

CallFault SiteRecorder::OnCall(const CallSite& site) {
  Seen seen;
  seen.site.host = std::string(site.host);
  seen.site.call = RowNamed(site.call);
  seen.site.occurrence = site.occurrence;
  seen.site.size_bytes = site.size_bytes;
  seen.actor = std::string(site.actor);
  const WorkerState& worker = workers_[seen.site.host];
  seen.site.step = worker.step;
  seen.site.operation = worker.operation;
  Call& last_call = last_call_.try_emplace(seen.actor, Call::kPoll).first->second;
  if (seen.site.call->call != Call::kPoll) last_call = seen.site.call->call;
  seen.purpose = last_call;
  seen_.push_back(std::move(seen));
  for (size_t i = 0; i < faults_.size(); ++i) {
    const PlannedFault& planned = faults_[i];
    if (planned.site.occurrence != site.occurrence || planned.site.call->name != site.call ||
        planned.site.host != site.host) {
      continue;
    }
    fired_at_[i] = seen_.size() - 1;
    return planned.fault;
  }
  return {};
}

std::map<std::string, size_t> SiteRecorder::LastOfListening() const {
  std::map<std::string, size_t> last;
  for (size_t i = seen_.size(); i-- > 0;) {
    const Call call = seen_[i].site.call->call;
    if (call == Call::kListen || call == Call::kBind || seen_[i].site.operation == kListen) {
      last.try_emplace(seen_[i].actor, i);
    }
  }
  // What is asked of the sockets afterwards belongs to it; the next socket is a client's.
  for (auto& [actor, at] : last) {
    for (size_t i = at + 1; i < seen_.size(); ++i) {
      if (seen_[i].actor != actor) continue;
      const Call call = seen_[i].site.call->call;
      if (call == Call::kSocket || call == Call::kGetAddrInfo) break;
      if (call == Call::kGetSockName || call == Call::kGetSockOpt || call == Call::kSetSockOpt) {
        at = i;
      }
    }
  }
  return last;
}

std::vector<FaultSite> SiteRecorder::Sites() const {
  const std::map<std::string, size_t> listening = LastOfListening();
  std::vector<FaultSite> sites;
  for (size_t i = 0; i < seen_.size(); ++i) {
    FaultSite site = seen_[i].site;
    const auto listened = listening.find(seen_[i].actor);
    const bool is_of_listening = listened != listening.end() && i <= listened->second;
    const bool is_servers_thread = absl::StrContains(seen_[i].actor, kServerThread);
    const Call call = site.call->call;
    if (site.host == kServerHost || is_servers_thread || is_of_listening || IsOfServersOnly(call)) {
      const bool starts = !is_servers_thread && StartsServers(site);
      site.phase = starts ? START : SERVE;
      if (!starts) {
        site.operation = kServe;
        site.step.clear();
      }
    } else {
      site.phase = ClientPhase(seen_[i].purpose, site.operation);
    }
    sites.push_back(std::move(site));
  }
  return sites;
}

}  // namespace rollcall::fault
