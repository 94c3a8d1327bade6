#include "fault_injection/real/rungs.h"

#include <cstdint>
#include <string>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "fault_injection/scenario/cast.h"
#include "fault_injection/scenario/host_set.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace rollcall::fault {
namespace {

// Well below what a process may have open by default.
constexpr int64_t kConnectionsMax = 200;

// Why the action cannot be made between real processes; empty: it can.
absl::string_view AgainstRealAction(const Fault& fault) {
  switch (fault.action_case()) {
    case Fault::kUnreachable:
      return "no kernel of the loopback network says that it has no route";
    case Fault::kBacklog:
      return "the proxy takes the clients' connections, whatever the server's queue holds";
    case Fault::kNames:
      return "names are the machine's, and not the run's to change";
    case Fault::kLocalPorts:
      return "local ports are the machine's, and not the run's to limit";
    default:
      return "";
  }
}

bool Listens(const WorkerRole& worker) {
  return absl::c_any_of(worker.group->steps(), [&](const Step& step) {
    return step.has_listen() || step.join().hosts() ||
           (step.join().rank_0_hosts() && worker.rank == 0);
  });
}

// The hosts that listen at the server's port: in a real run they would share one.
int ListenersIn(const Cast& cast) {
  const bool at_server = cast.has_server || absl::c_any_of(cast.strangers, [](auto* stranger) {
                           return stranger->listens();
                         });
  return static_cast<int>(absl::c_count_if(cast.workers, Listens)) + (at_server ? 1 : 0);
}

bool IsRestarted(const Scenario& scenario, const Cast& cast, const std::string& hosts) {
  return absl::c_any_of(scenario.faults(), [&](const Fault& fault) {
    return fault.has_restart() && absl::c_any_of(cast.hosts, [&](const std::string& host) {
             return NamesHost(fault.restart(), host) && NamesHost(hosts, host);
           });
  });
}

void AddAgainstRealSteps(const Scenario& scenario, std::vector<std::string>& reasons) {
  for (const Workers& group : scenario.workers()) {
    if (!group.server_name().empty()) {
      reasons.push_back(absl::StrCat("the server's name \"", group.server_name(),
                                     "\": names are the machine's, and not the run's to change"));
    }
    for (const Step& step : group.steps()) {
      if (step.listen().port() > 0) {
        reasons.push_back(absl::StrCat("listen at port ", step.listen().port(),
                                       ": only the system knows which ports are free"));
      }
    }
  }
}

}  // namespace

RungsReport RungsOf(const Scenario& scenario) {
  const Cast cast = CastOf(scenario);
  RungsReport report;
  if (!scenario.rungs().empty()) {
    const std::string why = absl::StrCat("the scenario says so: ", scenario.rungs_why());
    if (!absl::c_linear_search(scenario.rungs(), Rung::SIM)) report.against_sim.push_back(why);
    if (!absl::c_linear_search(scenario.rungs(), Rung::REAL)) report.against_real.push_back(why);
  }
  for (int i = 0; i < scenario.faults_size(); ++i) {
    const Fault& fault = scenario.faults(i);
    const absl::string_view why = AgainstRealAction(fault);
    if (!why.empty()) report.against_real.push_back(absl::StrCat(NameOf(scenario, i), ": ", why));
    if (fault.has_call() && IsRestarted(scenario, cast, fault.call().host())) {
      report.against_real.push_back(
          absl::StrCat(NameOf(scenario, i), ": a process that is restarted counts its calls anew"));
    }
    const bool loses_history = fault.has_kill() || fault.has_crash();
    if (scenario.linearizable() && loses_history) {
      report.against_real.push_back(
          absl::StrCat(NameOf(scenario, i), ": the dead process takes its history with it"));
    }
  }
  if (scenario.network().short_transfer_percent() > 0) {
    report.against_real.emplace_back(
        "short_transfer_percent: the kernel decides how much it moves");
  }
  if (ListenersIn(cast) > 1) {
    report.against_real.emplace_back(
        "several hosts listen at the server's port: in a real run they "
        "are one machine");
  }
  int64_t connections = cast.world_size();
  for (const Stranger* const stranger : cast.strangers) connections += stranger->connections();
  if (connections > kConnectionsMax) {
    report.against_real.push_back(absl::StrCat(
        connections, " connections: the proxy, which has two descriptors for each, takes up to ",
        kConnectionsMax));
  }
  AddAgainstRealSteps(scenario, report.against_real);
  return report;
}

std::vector<std::string> AgainstForeignServer(const Scenario& scenario) {
  const Cast cast = CastOf(scenario);
  std::vector<std::string> reasons;
  if (!cast.has_server) {
    reasons.emplace_back("the scenario has no server of its own to be replaced");
  }
  std::vector<const google::protobuf::FieldDescriptor*> settings;
  scenario.server().GetReflection()->ListFields(scenario.server(), &settings);
  for (const auto* const setting : settings) {
    reasons.push_back(absl::StrCat("server { ", setting->name(),
                                   " }: a server that runs already is not the run's to set up"));
  }
  for (int i = 0; i < scenario.faults_size(); ++i) {
    const Fault& fault = scenario.faults(i);
    const std::string process =
        absl::StrCat(fault.pause(), fault.resume(), fault.starve().host(), fault.kill(),
                     fault.crash(), fault.restart(), fault.descriptors().host(),
                     fault.occupy_port().host(), fault.stop_server(), fault.call().host());
    if (!process.empty() && NamesHost(process, kServerHost)) {
      reasons.push_back(
          absl::StrCat(NameOf(scenario, i), ": the server's process is not the run's"));
    }
  }
  return reasons;
}

}  // namespace rollcall::fault
