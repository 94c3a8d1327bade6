// What is wrong with a scenario that its schema cannot say.
#include <algorithm>
#include <set>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fault_injection/scenario/call_faults.h"
#include "fault_injection/scenario/cast.h"
#include "fault_injection/scenario/errno_names.h"
#include "fault_injection/scenario/host_set.h"
#include "fault_injection/scenario/scenario_text.h"
#include "net/address.h"
#include "store/error_code.h"
#include "tools/suggest.h"

namespace rollcall::fault {
namespace {

constexpr char kInvalidArgument[] = "INVALID_ARGUMENT";

class Checker {
 public:
  explicit Checker(const Scenario& scenario) : scenario_(scenario), cast_(CastOf(scenario)) {}

  std::vector<std::string> Check() {
    if (scenario_.about().empty()) Say("`about` is missing: say what happens here");
    if (scenario_.rungs_size() > 0 && scenario_.rungs_why().empty()) {
      Say("`rungs` needs `rungs_why`");
    }
    if (cast_.workers.empty()) Say("there are no workers, so nothing would happen");
    CheckTime("time_max", scenario_.time_max());
    CheckServer();
    for (const Workers& group : scenario_.workers()) CheckWorkers(group);
    CheckStrangers();
    In("network", [&] {
      CheckTime("latency", scenario_.network().latency());
      CheckTime("jitter", scenario_.network().jitter());
      CheckPercent(scenario_.network().short_transfer_percent());
    });
    for (int i = 0; i < scenario_.faults_size(); ++i) {
      In(NameOf(scenario_, i), [&] { CheckFault(scenario_.faults(i)); });
    }
    for (const Order& order : scenario_.orders()) {
      In("orders", [&] {
        CheckMoment(order.first());
        CheckMoment(order.then());
        if (order.then().ends()) Say("`then` cannot be the end of a step: only a beginning waits");
      });
    }
    for (int i = 0; i < scenario_.expects_size(); ++i) {
      In(absl::StrCat("expectation ", i + 1), [&] { CheckExpect(scenario_.expects(i)); });
    }
    return std::move(problems_);
  }

 private:
  template <typename Body>
  void In(std::string where, Body body) {
    std::swap(where, where_);
    body();
    std::swap(where, where_);
  }

  void Say(absl::string_view problem) {
    problems_.push_back(where_.empty() ? std::string(problem)
                                       : absl::StrCat(where_, ": ", problem));
  }
  void Say(const absl::Status& status) { Say(status.message()); }

  void CheckTime(absl::string_view field, const std::string& text) {
    absl::Duration duration;
    if (text.empty()) return;
    if (!absl::ParseDuration(text, &duration) || duration < absl::ZeroDuration()) {
      Say(absl::StrCat("`", field, "` is \"", text, "\"; a duration is wanted, such as \"300ms\""));
    }
  }
  void CheckPercent(int percent) {
    if (percent < 0 || percent > 100) Say(absl::StrCat(percent, " is no percentage"));
  }
  void CheckHosts(const std::string& text) {
    if (const auto named = HostsNamed(text, cast_.hosts); !named.ok()) Say(named.status());
  }

  void CheckServer() {
    const Server& server = scenario_.server();
    In("server", [&] {
      CheckTime("start_at", server.start_at());
      CheckTime("stop_at", server.stop_at());
      CheckTime("half_request_timeout", server.half_request_timeout());
      CheckTime("shutdown_grace", server.shutdown_grace());
    });
  }

  void CheckWorkers(const Workers& group) {
    In("workers", [&] {
      if (group.steps().empty()) Say("a group of workers has no steps");
      CheckTime("start_at", group.start_at());
      CheckTime("timeout", group.timeout());
      for (const Step& step : group.steps()) {
        if (OperationOf(step).empty()) Say("a step has no operation");
        CheckTime("timeout", step.timeout());
        CheckTime("close_after", step.close_after());
        if (step.operation_case() == Step::kSleep) CheckTime("sleep", step.sleep());
      }
    });
  }

  void CheckStrangers() {
    for (const Stranger& stranger : scenario_.strangers()) {
      In("strangers", [&] {
        if (stranger.name().empty()) Say("a stranger has no name");
        CheckTime("start_at", stranger.start_at());
        if (absl::c_count(cast_.hosts, stranger.name()) > 1) {
          Say(absl::StrCat("two hosts have the name \"", stranger.name(), "\""));
        }
        if (stranger.listens() && scenario_.has_server()) {
          Say("a stranger listens where the server does: leave `server` out");
        }
        if (stranger.greets() && !stranger.listens()) Say("`greets` is for one that listens");
      });
    }
  }

  void CheckMoment(const Moment& moment) {
    const auto hosts = HostsNamed(moment.who(), cast_.hosts);
    if (!hosts.ok()) return Say(hosts.status());
    for (const WorkerRole& worker : cast_.workers) {
      if (NamesHost(moment.who(), worker.host)) CheckStep(worker, moment.step());
    }
  }
  void CheckStep(const WorkerRole& worker, const std::string& step) {
    if (absl::c_linear_search(worker.step_names, step)) return;
    const std::vector<absl::string_view> words(worker.step_names.begin(), worker.step_names.end());
    const absl::string_view nearest = tools::NearestWord(step, words);
    Say(absl::StrCat(worker.host, " has no step \"", step, "\"; ",
                     nearest.empty()
                         ? absl::StrCat("it has ", absl::StrJoin(worker.step_names, ", "))
                         : absl::StrCat("did you mean \"", nearest, "\"?")));
  }

  void CheckFault(const Fault& fault) {
    if (fault.action_case() == Fault::ACTION_NOT_SET) return Say("no action");
    CheckTime("at", fault.at());
    CheckTime("after", fault.after());
    CheckTime("lasts", fault.lasts());
    if (fault.has_when()) CheckMoment(fault.when());
    if (!fault.at().empty() && fault.has_when()) Say("both `at` and `when` are given");
    if (!fault.after().empty() && !fault.has_when()) Say("`after` needs `when`");
    if (fault.at().empty() && !fault.has_when() && !BeginsByItself(fault)) {
      Say("neither `at` nor `when` is given");
    }
    CheckAction(fault);
  }

  // Settings are there from the beginning where nothing else is said.
  static bool BeginsByItself(const Fault& fault) {
    switch (fault.action_case()) {
      case Fault::kCall:
      case Fault::kLatency:
      case Fault::kRate:
      case Fault::kDescriptors:
      case Fault::kBacklog:
      case Fault::kOccupyPort:
      case Fault::kNames:
      case Fault::kLocalPorts:
      case Fault::kStarve:
      case Fault::kCut:
      case Fault::kUnreachable:
      case Fault::kBlackHole:
      case Fault::kRefuse:
        return true;
      default:
        return false;
    }
  }

  template <typename Way>
  void CheckWay(const Way& way) {
    CheckHosts(way.from());
    CheckHosts(way.to());
  }

  void CheckAction(const Fault& fault) {
    switch (fault.action_case()) {
      case Fault::kCall:
        return CheckCall(fault.call());
      case Fault::kCut:
        return CheckWay(fault.cut());
      case Fault::kHeal:
        return CheckWay(fault.heal());
      case Fault::kReset:
        return CheckWay(fault.reset());
      case Fault::kUnreachable:
        CheckWay(fault.unreachable());
        if (fault.unreachable().error() != "EHOSTUNREACH" &&
            fault.unreachable().error() != "ENETUNREACH") {
          Say("`error` must be EHOSTUNREACH or ENETUNREACH");
        }
        return;
      case Fault::kLatency:
        CheckTime("latency", fault.latency().latency());
        CheckTime("jitter", fault.latency().jitter());
        return CheckWay(fault.latency());
      case Fault::kRate:
        if (fault.rate().bytes_per_second() <= 0) Say("`bytes_per_second` must be positive");
        return CheckWay(fault.rate());
      case Fault::kBlackHole:
        return CheckHosts(fault.black_hole());
      case Fault::kRefuse:
        return CheckHosts(fault.refuse());
      case Fault::kHealHost:
        return CheckHosts(fault.heal_host());
      case Fault::kPause:
        return CheckHosts(fault.pause());
      case Fault::kResume:
        return CheckHosts(fault.resume());
      case Fault::kStarve:
        CheckTime("pauses_max", fault.starve().pauses_max());
        return CheckHosts(fault.starve().host());
      case Fault::kKill:
        return CheckHosts(fault.kill());
      case Fault::kCrash:
        return CheckHosts(fault.crash());
      case Fault::kRestart:
        return CheckHosts(fault.restart());
      case Fault::kDescriptors:
        return CheckHosts(fault.descriptors().host());
      case Fault::kBacklog:
        return CheckHosts(fault.backlog().host());
      case Fault::kOccupyPort:
        return CheckHosts(fault.occupy_port().host());
      case Fault::kStopServer:
        return CheckHosts(fault.stop_server());
      case Fault::kNames:
        return CheckNames(fault.names());
      case Fault::kLocalPorts:
        return CheckLocalPorts(fault.local_ports());
      case Fault::ACTION_NOT_SET:
        return;
    }
  }

  void CheckNames(const Names& names) {
    if (names.name().empty()) Say("`name` is missing");
    CheckTime("look_up_takes", names.look_up_takes());
    for (const std::string& address : names.addresses()) {
      if (absl::c_linear_search(cast_.hosts, address)) continue;
      if (net::SocketAddress::FromNumeric(address, 0).ok()) continue;
      Say(absl::StrCat("\"", address, "\" is neither a host nor a numeric address"));
    }
  }

  void CheckLocalPorts(const LocalPorts& ports) {
    CheckHosts(ports.host());
    if (ports.first() < 1 || ports.last() > 65535 || ports.first() > ports.last()) {
      Say(absl::StrCat("ports ", ports.first(), " to ", ports.last(),
                       " are no range of 1 to 65535"));
    }
  }

  void CheckCall(const SyscallFault& call) {
    CheckHosts(call.host());
    CheckPercent(call.percent());
    CheckTime("delayed", call.delayed());
    if (!ParseOrdinals(call.nth()).ok()) Say(ParseOrdinals(call.nth()).status());
    if (call.fails().empty() && call.shortened_to_bytes() <= 0 && call.delayed().empty()) {
      Say("`fails`, `shortened_to_bytes` or `delayed` is wanted");
    }
    if (!call.fails().empty() && call.shortened_to_bytes() > 0) {
      Say("a call that fails moves no bytes: `fails` or `shortened_to_bytes` is wanted");
    }
    const auto row = CallNamed(call.call());
    if (!row.ok()) return Say(row.status());
    if (!call.fails().empty()) {
      if (const auto value = LegalErrnoNamed(**row, call.fails()); !value.ok()) Say(value.status());
    }
    if (call.shortened_to_bytes() > 0 && !(*row)->may_shorten) {
      Say(absl::StrCat(call.call(), " moves no bytes that could be fewer"));
    }
  }

  void CheckExpect(const Expect& expect) {
    CheckHosts(expect.who());
    CheckTime("takes", expect.takes());
    CheckTime("takes_at_least", expect.takes_at_least());
    CheckTime("takes_at_most", expect.takes_at_most());
    if (expect.result_case() == Expect::RESULT_NOT_SET) Say("it does not say what is expected");
    if (!expect.step().empty()) {
      for (const WorkerRole& worker : cast_.workers) {
        if (NamesHost(expect.who(), worker.host)) CheckStep(worker, expect.step());
      }
    }
    for (const std::string& code : expect.fails().code()) CheckCode(code);
    if (expect.has_fails() && expect.fails().code().empty()) Say("`fails` needs a `code`");
  }

  void CheckCode(const std::string& code) {
    std::vector<absl::string_view> known = {kInvalidArgument};
    for (const ErrorCodeInfo& info : AllErrorCodes()) known.push_back(info.name);
    if (absl::c_linear_search(known, code)) return;
    const absl::string_view nearest = tools::NearestWord(code, known);
    Say(absl::StrCat("there is no error code \"", code, "\"",
                     nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?")));
  }

  const Scenario& scenario_;
  const Cast cast_;
  std::string where_;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> CheckScenario(const Scenario& scenario) {
  return Checker(scenario).Check();
}

}  // namespace rollcall::fault
