// A real etcd cluster of a test's own, on the loopback, on ports that were free, in the test's own
// directory: started, killed, paused, cut in two, and gone at the end.
//
//   auto cluster = EtcdCluster::Start({.members = 3}).value();
//   auto store = EtcdStore::Open(env, {.endpoints = cluster->endpoints()}).value();
//   cluster->Kill(cluster->Leader().value());
//
// Needs Debian's packages etcd-server and etcd-client, and says so where they are missing; a disk
// of its own, or peers that can be parted, need unshare(1) and a kernel that lets users make
// namespaces.
#ifndef ROLLCALL_TESTING_ETCD_CLUSTER_H_
#define ROLLCALL_TESTING_ETCD_CLUSTER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "fault_injection/proxy/fault_proxy.h"
#include "testing/subprocess.h"
#include "testing/temp_directory.h"

namespace rollcall {

struct EtcdClusterOptions {
  size_t members = 1;
  // For every member, after ours: "--quota-backend-bytes=20000000".
  std::vector<std::string> arguments = {};
  // Clients connect with TLS: the directory has ca.pem, server.pem, server.key, client.pem and
  // client.key (MakeCertificates), and clients without a certificate are not let in.
  std::string tls_directory = {};
  // A member's number to its disk's size: it gets a file system of its own, in memory.
  std::map<size_t, int> disk_mebibytes = {};
  // Members reach each other through a proxy that can part them (Isolate).
  bool has_cuttable_peers = false;
};

// Not thread-safe, but for Pause and Resume of a member that runs.
class EtcdCluster {
 public:
  // Returns when every member answers. NotFound, with the name of the package, where a program is
  // missing; DeadlineExceeded and the end of a member's log where it does not come up.
  static absl::StatusOr<std::unique_ptr<EtcdCluster>> Start(EtcdClusterOptions options);
  ~EtcdCluster();

  // "127.0.0.1:PORT", of clients.
  std::vector<std::string> endpoints() const;
  const std::string& endpoint(size_t member) const { return members_.at(member).endpoint; }
  size_t size() const { return members_.size(); }

  // The member that leads, by the word of those that answer. Unavailable if none says so in time.
  absl::StatusOr<size_t> Leader();
  absl::Status AwaitReady(size_t member);

  // SIGKILL, and waits for its end.
  void Kill(size_t member);
  // With its old data, on its old ports; returns when it answers.
  absl::Status Restart(size_t member);
  // SIGSTOP and SIGCONT: the kernel goes on taking what is sent to it, and nobody is told.
  void Pause(size_t member);
  void Resume(size_t member);
  // Cuts one member off from the others, both ways, and joins them again; clients reach it as
  // before.
  void Isolate(size_t member);
  void Rejoin(size_t member);
  // Whether it ends by itself until the deadline.
  bool Ends(size_t member, absl::Time deadline);
  std::string Log(size_t member) const;

  // Runs etcdctl on all members' endpoints and returns what it prints. Its own words if it fails.
  absl::StatusOr<std::string> Ctl(const std::vector<std::string>& arguments);

 private:
  struct Member {
    std::string name;
    std::string endpoint;
    uint16_t peer_port = 0;
    std::unique_ptr<Subprocess> process;
  };

  explicit EtcdCluster(EtcdClusterOptions options);

  absl::Status StartAll();
  absl::Status StartProxy();
  absl::Status StartMember(size_t member);
  std::vector<std::string> CommandOf(size_t member) const;
  std::string PeerUrl(size_t member) const;
  std::string WrapperOf(size_t member) const;
  absl::StatusOr<std::string> CtlOn(const std::string& endpoints,
                                    const std::vector<std::string>& arguments);

  const EtcdClusterOptions options_;
  const TempDirectory directory_;
  std::string etcd_;
  std::string etcdctl_;
  std::unique_ptr<fault::FaultProxy> proxy_;
  std::vector<Member> members_;
};

// One member for all cases of a test's process, of which each has a prefix of its own.
EtcdCluster& SharedEtcdCluster();

// Makes an authority, and certificates for 127.0.0.1 and for a client, by the program openssl.
absl::Status MakeCertificates(const std::string& directory);

}  // namespace rollcall

#endif  // ROLLCALL_TESTING_ETCD_CLUSTER_H_
