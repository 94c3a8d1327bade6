#include "testing/etcd_cluster.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "fault_injection/proxy/proxy_types.h"
#include "glog/logging.h"
#include "net/connection.h"
#include "net/real_env.h"
#include "net/syscalls.h"

namespace rollcall {
namespace {

constexpr absl::Duration kReadyWithin = absl::Seconds(60);
constexpr size_t kLogTail = 2000;

absl::StatusOr<std::string> ProgramPath(const std::string& program, const std::string& package) {
  const char* path = std::getenv("PATH");
  for (const absl::string_view directory :
       absl::StrSplit(absl::StrCat(path == nullptr ? "" : path, ":/usr/bin:/usr/sbin"), ':')) {
    const std::string candidate = absl::StrCat(directory, "/", program);
    if (!directory.empty() && access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return absl::NotFoundError(absl::StrCat("this test needs the program ", program,
                                          ", which is not installed; on Debian: apt-get install ",
                                          package));
}

// Ports of the loopback that were free a moment ago, all different.
absl::StatusOr<std::vector<uint16_t>> FreePorts(size_t count) {
  std::vector<std::unique_ptr<net::ListeningSocket>> held;
  std::vector<uint16_t> ports;
  while (ports.size() < count) {
    absl::StatusOr<std::unique_ptr<net::ListeningSocket>> socket =
        net::RealEnv().Listen({.host = "127.0.0.1", .port = 0});
    if (!socket.ok()) return socket.status();
    ports.push_back((*socket)->address().port());
    held.push_back(*std::move(socket));
  }
  return ports;
}

struct Ended {
  int exit_status = 0;
  std::string output;
  std::string errors;
};

absl::StatusOr<Ended> Run(const std::vector<std::string>& argv,
                          const std::vector<std::string>& environment = {}) {
  absl::StatusOr<std::unique_ptr<Subprocess>> process =
      Subprocess::Start({.argv = argv, .environment = environment, .stdin_text = ""});
  if (!process.ok()) return process.status();
  const absl::Time deadline = absl::Now() + kReadyWithin;
  absl::StatusOr<std::string> output = (*process)->ReadToEnd(deadline);
  if (!output.ok()) return output.status();
  const absl::StatusOr<int> exit_status = (*process)->WaitForExit(deadline);
  if (!exit_status.ok()) return exit_status.status();
  return Ended{.exit_status = *exit_status,
               .output = *std::move(output),
               .errors = (*process)->StderrSoFar()};
}

// Of the proxy between members `from` and `to`, as an address of the loopback.
std::string ProxyHost(size_t from, size_t to) {
  return absl::StrCat("127.0.", from + 1, ".", to + 1);
}

std::string RouteName(size_t from, size_t to) { return absl::StrCat(from, ">", to); }

std::string HostName(size_t member) { return absl::StrCat("member", member, ".test"); }

}  // namespace

EtcdCluster::EtcdCluster(EtcdClusterOptions options) : options_(std::move(options)) {}

EtcdCluster::~EtcdCluster() {
  // A paused process does not hear of anything but this.
  for (size_t i = 0; i < members_.size(); ++i) Kill(i);
}

absl::StatusOr<std::unique_ptr<EtcdCluster>> EtcdCluster::Start(EtcdClusterOptions options) {
  auto cluster = std::unique_ptr<EtcdCluster>(new EtcdCluster(std::move(options)));
  absl::Status started = cluster->StartAll();
  if (!started.ok()) return started;
  return cluster;
}

absl::Status EtcdCluster::StartAll() {
  absl::StatusOr<std::string> etcd = ProgramPath("etcd", "etcd-server");
  if (!etcd.ok()) return etcd.status();
  etcd_ = *std::move(etcd);
  absl::StatusOr<std::string> etcdctl = ProgramPath("etcdctl", "etcd-client");
  if (!etcdctl.ok()) return etcdctl.status();
  etcdctl_ = *std::move(etcdctl);
  const absl::StatusOr<std::vector<uint16_t>> ports = FreePorts(2 * options_.members);
  if (!ports.ok()) return ports.status();
  for (size_t i = 0; i < options_.members; ++i) {
    Member member;
    member.name = absl::StrCat("member", i);
    member.endpoint = absl::StrCat("127.0.0.1:", (*ports)[2 * i]);
    member.peer_port = (*ports)[2 * i + 1];
    members_.push_back(std::move(member));
  }
  if (options_.has_cuttable_peers) {
    if (absl::Status started = StartProxy(); !started.ok()) return started;
  }
  for (size_t i = 0; i < size(); ++i) {
    if (absl::Status started = StartMember(i); !started.ok()) return started;
  }
  for (size_t i = 0; i < size(); ++i) {
    if (absl::Status ready = AwaitReady(i); !ready.ok()) return ready;
  }
  return absl::OkStatus();
}

// A member cannot be told another address for each peer: a peer's address is part of what it is. So
// each has a name, which means another proxy to each of the others.
absl::Status EtcdCluster::StartProxy() {
  std::vector<fault::Route> routes;
  for (size_t from = 0; from < size(); ++from) {
    std::ofstream hosts(directory_.File(absl::StrCat("hosts", from)));
    hosts << "127.0.0.1 localhost\n";
    for (size_t to = 0; to < size(); ++to) {
      const bool is_itself = to == from;
      hosts << (is_itself ? "127.0.0.1" : ProxyHost(from, to)) << " " << HostName(to) << "\n";
      if (is_itself) continue;
      fault::Route route;
      route.name = RouteName(from, to);
      route.target = {.host = "127.0.0.1", .port = members_[to].peer_port};
      route.listen_host = ProxyHost(from, to);
      route.port = members_[to].peer_port;
      routes.push_back(std::move(route));
    }
  }
  absl::StatusOr<std::unique_ptr<fault::FaultProxy>> proxy =
      fault::FaultProxy::Start(net::RealEnv(), &net::RealSyscalls(), routes);
  if (!proxy.ok()) return proxy.status();
  proxy_ = *std::move(proxy);
  return absl::OkStatus();
}

void EtcdCluster::Isolate(size_t member) {
  for (size_t other = 0; other < size(); ++other) {
    if (other == member) continue;
    proxy_->BlackHole(RouteName(member, other));
    proxy_->BlackHole(RouteName(other, member));
  }
}

void EtcdCluster::Rejoin(size_t member) {
  for (size_t other = 0; other < size(); ++other) {
    if (other == member) continue;
    proxy_->HealAll(RouteName(member, other));
    proxy_->HealAll(RouteName(other, member));
  }
}

std::string EtcdCluster::PeerUrl(size_t member) const {
  return absl::StrCat("http://", options_.has_cuttable_peers ? HostName(member) : "127.0.0.1", ":",
                      members_[member].peer_port);
}

// What is to be done, in a shell with mounts of its own, before the member starts there.
std::string EtcdCluster::WrapperOf(size_t member) const {
  std::string script;
  if (options_.has_cuttable_peers) {
    absl::StrAppend(&script, "mount --bind '", directory_.File(absl::StrCat("hosts", member)),
                    "' /etc/hosts && ");
  }
  const auto disk = options_.disk_mebibytes.find(member);
  if (disk != options_.disk_mebibytes.end()) {
    const std::string data = directory_.File(members_[member].name);
    absl::StrAppend(&script, "mkdir -p '", data, "' && mount -t tmpfs -o size=", disk->second,
                    "m none '", data, "' && ");
  }
  return script;
}

std::vector<std::string> EtcdCluster::CommandOf(size_t member) const {
  const Member& self = members_[member];
  const std::string scheme = options_.tls_directory.empty() ? "http://" : "https://";
  std::vector<std::string> cluster;
  for (size_t i = 0; i < size(); ++i) {
    cluster.push_back(absl::StrCat(members_[i].name, "=", PeerUrl(i)));
  }
  std::vector<std::string> command = {
      etcd_,
      absl::StrCat("--name=", self.name),
      absl::StrCat("--data-dir=", directory_.File(self.name)),
      absl::StrCat("--listen-client-urls=", scheme, self.endpoint),
      absl::StrCat("--advertise-client-urls=", scheme, self.endpoint),
      absl::StrCat("--listen-peer-urls=http://127.0.0.1:", self.peer_port),
      absl::StrCat("--initial-advertise-peer-urls=", PeerUrl(member)),
      absl::StrCat("--initial-cluster=", absl::StrJoin(cluster, ",")),
      "--initial-cluster-state=new",
      "--max-request-bytes=16777216",
      "--log-level=warn",
  };
  if (!options_.tls_directory.empty()) {
    const std::string& tls = options_.tls_directory;
    command.push_back(absl::StrCat("--cert-file=", tls, "/server.pem"));
    command.push_back(absl::StrCat("--key-file=", tls, "/server.key"));
    command.push_back(absl::StrCat("--trusted-ca-file=", tls, "/ca.pem"));
    command.push_back("--client-cert-auth");
  }
  command.insert(command.end(), options_.arguments.begin(), options_.arguments.end());
  const std::string wrapper = WrapperOf(member);
  if (wrapper.empty()) return command;
  std::vector<std::string> wrapped = {"/usr/bin/unshare",
                                      "--user",
                                      "--map-root-user",
                                      "--mount",
                                      "/bin/sh",
                                      "-c",
                                      absl::StrCat(wrapper, "exec \"$@\""),
                                      "sh"};
  wrapped.insert(wrapped.end(), command.begin(), command.end());
  return wrapped;
}

absl::Status EtcdCluster::StartMember(size_t member) {
  absl::StatusOr<std::unique_ptr<Subprocess>> process =
      Subprocess::Start({.argv = CommandOf(member), .environment = {}, .stdin_text = ""});
  if (!process.ok()) return process.status();
  members_[member].process = *std::move(process);
  return absl::OkStatus();
}

absl::Status EtcdCluster::AwaitReady(size_t member) {
  const absl::Time deadline = absl::Now() + kReadyWithin;
  absl::Status last = absl::DeadlineExceededError("it was not asked");
  while (absl::Now() < deadline) {
    // It waits for a connection by itself, for as long as it is told.
    const absl::StatusOr<std::string> health =
        CtlOn(members_[member].endpoint, {"endpoint", "health", "--command-timeout=5s"});
    if (health.ok()) return absl::OkStatus();
    last = health.status();
    // Nobody but a user gets more than this, and only a member with a leader says it.
    if (absl::StrContains(std::string(last.message()), "user name is empty")) {
      return absl::OkStatus();
    }
    if (Ends(member, absl::Now())) break;
  }
  return absl::DeadlineExceededError(absl::StrCat("etcd ", members_[member].name,
                                                  " does not answer: ", std::string(last.message()),
                                                  "\n", Log(member)));
}

std::vector<std::string> EtcdCluster::endpoints() const {
  std::vector<std::string> endpoints;
  for (const Member& member : members_) endpoints.push_back(member.endpoint);
  return endpoints;
}

absl::StatusOr<size_t> EtcdCluster::Leader() {
  const absl::Time deadline = absl::Now() + kReadyWithin;
  while (absl::Now() < deadline) {
    for (size_t i = 0; i < size(); ++i) {
      const absl::StatusOr<std::string> status =
          CtlOn(members_[i].endpoint, {"endpoint", "status", "--write-out=fields",
                                       "--command-timeout=1s", "--dial-timeout=1s"});
      if (!status.ok()) continue;
      std::string self;
      std::string leader;
      for (absl::string_view line : absl::StrSplit(*status, '\n')) {
        if (absl::ConsumePrefix(&line, "\"MemberID\" : ")) self = std::string(line);
        if (absl::ConsumePrefix(&line, "\"Leader\" : ")) leader = std::string(line);
      }
      if (!leader.empty() && leader == self) return i;
    }
  }
  return absl::UnavailableError("no member of the etcd cluster leads");
}

void EtcdCluster::Kill(size_t member) {
  Member& self = members_[member];
  if (self.process == nullptr) return;
  self.process->Signal(SIGKILL).IgnoreError();
  self.process->WaitForExit(absl::Now() + kReadyWithin).status().IgnoreError();
}

absl::Status EtcdCluster::Restart(size_t member) {
  if (absl::Status started = StartMember(member); !started.ok()) return started;
  return AwaitReady(member);
}

void EtcdCluster::Pause(size_t member) { members_[member].process->Signal(SIGSTOP).IgnoreError(); }

void EtcdCluster::Resume(size_t member) { members_[member].process->Signal(SIGCONT).IgnoreError(); }

bool EtcdCluster::Ends(size_t member, absl::Time deadline) {
  return members_[member].process->WaitForExit(deadline).ok();
}

std::string EtcdCluster::Log(size_t member) const {
  std::string log = members_[member].process->StderrSoFar();
  if (log.size() > kLogTail) log = log.substr(log.size() - kLogTail);
  return log;
}

absl::StatusOr<std::string> EtcdCluster::Ctl(const std::vector<std::string>& arguments) {
  return CtlOn(absl::StrJoin(endpoints(), ","), arguments);
}

absl::StatusOr<std::string> EtcdCluster::CtlOn(const std::string& endpoints,
                                               const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {etcdctl_, absl::StrCat("--endpoints=", endpoints)};
  if (!options_.tls_directory.empty()) {
    const std::string& tls = options_.tls_directory;
    argv.push_back(absl::StrCat("--cacert=", tls, "/ca.pem"));
    argv.push_back(absl::StrCat("--cert=", tls, "/client.pem"));
    argv.push_back(absl::StrCat("--key=", tls, "/client.key"));
  }
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  absl::StatusOr<Ended> ended = Run(argv, {"ETCDCTL_API=3"});
  if (!ended.ok()) return ended.status();
  if (ended->exit_status == 0) return std::move(ended->output);
  return absl::InternalError(
      absl::StrCat("etcdctl ", absl::StrJoin(arguments, " "), ": ", ended->errors, ended->output));
}

EtcdCluster& SharedEtcdCluster() {
  static const std::unique_ptr<EtcdCluster> cluster = [] {
    absl::StatusOr<std::unique_ptr<EtcdCluster>> started = EtcdCluster::Start({.members = 1});
    CHECK(started.ok()) << started.status();
    return *std::move(started);
  }();
  return *cluster;
}

absl::Status MakeCertificates(const std::string& directory) {
  const absl::StatusOr<std::string> openssl = ProgramPath("openssl", "openssl");
  if (!openssl.ok()) return openssl.status();
  std::ofstream(absl::StrCat(directory, "/extensions")) << "subjectAltName=IP:127.0.0.1\n";
  const auto run = [&](const std::string& arguments) -> absl::Status {
    std::vector<std::string> argv = absl::StrSplit(arguments, ' ');
    for (std::string& argument : argv) {
      if (argument[0] == '@') argument = absl::StrCat(directory, "/", argument.substr(1));
    }
    argv.insert(argv.begin(), *openssl);
    const absl::StatusOr<Ended> ended = Run(argv);
    if (!ended.ok()) return ended.status();
    if (ended->exit_status == 0) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("openssl ", arguments, ": ", ended->errors));
  };
  const std::string key = "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ";
  absl::Status made =
      run(absl::StrCat(key, "@ca.key -x509 -days 2 -subj /CN=authority -out @ca.pem"));
  for (const std::string name : {"server", "client"}) {
    if (!made.ok()) return made;
    made = run(absl::StrCat(key, "@", name, ".key -subj /CN=", name, " -out @", name, ".csr"));
    if (!made.ok()) return made;
    made = run(absl::StrCat("x509 -req -days 2 -CA @ca.pem -CAkey @ca.key -CAcreateserial -in @",
                            name, ".csr -extfile @extensions -out @", name, ".pem"));
  }
  return made;
}

}  // namespace rollcall
