// One member of an etcd cluster, by gRPC.
#ifndef ROLLCALL_STORE_ETCD_ETCD_MEMBER_H_
#define ROLLCALL_STORE_ETCD_ETCD_MEMBER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "store/etcd/etcd_options.h"

namespace google::protobuf {
class MessageLite;
}

namespace rollcall::etcd {

// What gRPC says of a call: its status code (grpc::StatusCode has the numbers of absl::StatusCode)
// and message, as they came.
using RpcStatus = absl::Status;

// A call in which both sides send many messages. Not thread-safe, but for Cancel.
class EtcdStream {
 public:
  enum class Result {
    kDone,
    kTimedOut,  // Not yet; ask again.
    kEnded,     // By the other side: ask End() why.
  };

  virtual ~EtcdStream() = default;
  // kTimedOut is the end: destroy the stream.
  virtual Result Write(const google::protobuf::MessageLite& message, absl::Duration timeout) = 0;
  // After kTimedOut, the next call waits on for the same message, and must have the same object to
  // put it in.
  virtual Result Read(google::protobuf::MessageLite& message, absl::Duration timeout) = 0;
  // After kEnded, once. Never OK: a stream that its user still needed has failed.
  virtual RpcStatus End() = 0;
  // Ends it from any thread: who waits gets kEnded.
  virtual void Cancel() = 0;
};

// Connects by itself, and again when the connection is lost. A connection on which nothing comes
// back for some ten seconds, pings included, counts as lost. Thread-safe.
class EtcdMember {
 public:
  // `endpoint` is "host:port"; of `options`, what says how to encrypt.
  EtcdMember(std::string endpoint, const EtcdOptions& options);
  ~EtcdMember();

  const std::string& endpoint() const { return endpoint_; }

  // One request, one answer. `token` may be empty. A member that has lost its leader says so rather
  // than waiting for another.
  RpcStatus Call(const char* method, const std::string& token,
                 const google::protobuf::MessageLite& request,
                 google::protobuf::MessageLite& response, absl::Duration timeout);
  // Waits at most `timeout` for a connection; the stream ends at once if there is none. The member
  // must outlive it.
  std::unique_ptr<EtcdStream> OpenStream(const char* method, const std::string& token,
                                         absl::Duration timeout);

 private:
  class Channel;
  class Stream;

  const std::string endpoint_;
  const std::unique_ptr<Channel> channel_;
};

}  // namespace rollcall::etcd

#endif  // ROLLCALL_STORE_ETCD_ETCD_MEMBER_H_
