// An etcd cluster as one thing that answers: the next member where one does not, and a token where
// there are users.
#ifndef ROLLCALL_STORE_ETCD_ETCD_CLIENT_H_
#define ROLLCALL_STORE_ETCD_ETCD_CLIENT_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "net/env.h"
#include "net/monitor.h"
#include "store/etcd/etcd_failure.h"
#include "store/etcd/etcd_member.h"
#include "store/etcd/etcd_options.h"

namespace rollcall::etcd {

// Thread-safe. Time and chance are the Env's; gRPC has threads and sockets of its own, so that only
// an Env of the real world will do.
class EtcdClient {
 public:
  // `env` must outlive it. `options` has at least one endpoint.
  EtcdClient(net::Env& env, EtcdOptions options);
  ~EtcdClient();

  net::Env& env() { return env_; }
  const EtcdOptions& options() const { return options_; }
  // "etcd 10.0.0.1:2379,10.0.0.2:2379/prefix", as errors name it.
  const std::string& peer() const { return peer_; }

  // Asks one member after the other, again and again, until one has answered or the call's deadline
  // has passed: once at least, whatever the deadline. A request may reach etcd several times, so it
  // must be one that does no harm when it does (etcd_writer.h). Errors: etcd_failure.h.
  absl::Status Ask(const EtcdCall& call, const char* method,
                   const google::protobuf::MessageLite& request,
                   google::protobuf::MessageLite& response);

  // --- For streams, whose users see to it themselves that they go on with another member ---

  // A stream to the member that answered last.
  struct Opened {
    size_t member = 0;
    std::unique_ptr<EtcdStream> stream;
  };
  // Any error that Ask gives; each failure to get a token is noted in `attempts`.
  absl::StatusOr<Opened> OpenStream(const EtcdCall& call, const char* method, Attempts& attempts);
  // That `member` has failed with `status`: the next stream, or call, is another's, or has another
  // token. OK if that is worth a try, which begins after a pause where all have failed; the call's
  // error if not.
  absl::Status GoOn(const EtcdCall& call, size_t member, const RpcStatus& status,
                    absl::Duration waited, Attempts& attempts);

 private:
  // Leaves the token empty where there are no users.
  RpcStatus GetToken(size_t member, absl::Duration timeout, std::string& token);
  void ForgetToken();
  size_t preferred();
  void Prefer(size_t member);

  net::Env& env_;
  const EtcdOptions options_;
  const std::string peer_;
  std::vector<std::unique_ptr<EtcdMember>> members_;
  const std::unique_ptr<net::Monitor> monitor_;
  size_t preferred_ ABSL_GUARDED_BY(*monitor_) = 0;
  std::string token_ ABSL_GUARDED_BY(*monitor_);
};

// How long one member is given for an answer before another is asked, the first time; doubled with
// each round, so that a large request over a slow line comes through in the end.
constexpr absl::Duration kAttemptTimeout = absl::Seconds(3);

}  // namespace rollcall::etcd

#endif  // ROLLCALL_STORE_ETCD_ETCD_CLIENT_H_
