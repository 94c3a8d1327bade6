#include "store/etcd/etcd_member.h"

#include <google/protobuf/message_lite.h>
#include <grpc/support/time.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

// How gRPC serializes messages of protobuf; its own generated code includes the one or the other.
#if __has_include(<grpcpp/impl/proto_utils.h>)
#include <grpcpp/impl/proto_utils.h>
#else
#include <grpcpp/impl/codegen/proto_utils.h>
#endif

namespace rollcall::etcd {
namespace {

using google::protobuf::MessageLite;
using Stub = grpc::TemplatedGenericStub<MessageLite, MessageLite>;

// etcd ends connections that ping more often than every five seconds.
constexpr absl::Duration kPingInterval = absl::Seconds(6);
constexpr absl::Duration kPingTimeout = absl::Seconds(4);
constexpr absl::Duration kReconnectMin = absl::Milliseconds(50);
constexpr absl::Duration kReconnectMax = absl::Seconds(1);
constexpr absl::Duration kConnectTimeout = absl::Seconds(3);
// How long a call waits for a member that could not be reached to be tried again.
constexpr absl::Duration kNextTryWithin = absl::Milliseconds(100);

int Milliseconds(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Milliseconds(duration));
}

// gRPC's own monotonic clock: nobody can step it.
gpr_timespec After(absl::Duration timeout) {
  if (timeout == absl::InfiniteDuration()) return gpr_inf_future(GPR_CLOCK_MONOTONIC);
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_micros(absl::ToInt64Microseconds(timeout), GPR_TIMESPAN));
}

RpcStatus Converted(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return RpcStatus(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

std::shared_ptr<grpc::ChannelCredentials> CredentialsFor(const EtcdOptions& options) {
  if (!options.use_tls) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = options.ca_certificates;
  ssl.pem_cert_chain = options.certificate;
  ssl.pem_private_key = options.private_key;
  return grpc::SslCredentials(ssl);
}

std::shared_ptr<grpc::Channel> ChannelTo(const std::string& endpoint, const EtcdOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(kPingInterval));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(kPingTimeout));
  // A watch may be silent for hours: without this, pings end after the second.
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, Milliseconds(kReconnectMin));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, Milliseconds(kReconnectMax));
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, Milliseconds(kConnectTimeout));
  // Calls are tried again above, where it is known what that may mean.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // An http_proxy of the environment is meant for the web.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Otherwise stores of one process would share connections, and one's broken one be all's.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  return grpc::CreateCustomChannel(absl::StrCat("dns:///", endpoint), CredentialsFor(options),
                                   arguments);
}

void AddMetadata(const std::string& token, grpc::ClientContext& context) {
  context.AddMetadata("hasleader", "true");
  if (!token.empty()) context.AddMetadata("token", token);
}

}  // namespace

class EtcdMember::Channel {
 public:
  Channel(const std::string& endpoint, const EtcdOptions& options)
      : channel_(ChannelTo(endpoint, options)), stub_(channel_) {}

  Stub& stub() { return stub_; }

  // Gives a connection that is being made the time to be made. A call alone does not: while there
  // is none it fails at once, and a connection only comes about while somebody waits, since gRPC
  // reads sockets in the threads of its callers.
  void AwaitConnection(absl::Duration timeout) {
    const gpr_timespec deadline = After(timeout);
    const gpr_timespec next_try_by = After(std::min(timeout, kNextTryWithin));
    grpc_connectivity_state state = channel_->GetState(/*try_to_connect=*/true);
    for (bool tried = false; state != GRPC_CHANNEL_READY;) {
      if (state == GRPC_CHANNEL_TRANSIENT_FAILURE && tried) return;
      const bool is_trying = state != GRPC_CHANNEL_TRANSIENT_FAILURE;
      if (!channel_->WaitForStateChange(state, is_trying ? deadline : next_try_by)) return;
      state = channel_->GetState(/*try_to_connect=*/true);
      tried = tried || is_trying;
    }
  }

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  Stub stub_;
};

class EtcdMember::Stream : public EtcdStream {
 public:
  Stream(Stub& stub, const char* method, const std::string& token) {
    AddMetadata(token, context_);
    call_ = stub.PrepareCall(&context_, method, &queue_);
    call_->StartCall(Tag(kStart));
    pending_ |= kStart;
  }

  ~Stream() override {
    context_.TryCancel();
    const gpr_timespec forever = gpr_inf_future(GPR_CLOCK_MONOTONIC);
    for (const Step step : {kStart, kWrite, kRead}) Await(step, forever);
    if (!finished_) {
      call_->Finish(&status_, Tag(kFinish));
      pending_ |= kFinish;
      Await(kFinish, forever);
    }
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) continue;
  }

  Result Write(const MessageLite& message, absl::Duration timeout) override {
    const gpr_timespec deadline = After(timeout);
    if (Result started = Await(kStart, deadline); started != Result::kDone) return started;
    call_->Write(message, Tag(kWrite));
    pending_ |= kWrite;
    return Await(kWrite, deadline);
  }

  Result Read(MessageLite& message, absl::Duration timeout) override {
    const gpr_timespec deadline = After(timeout);
    if (Result started = Await(kStart, deadline); started != Result::kDone) return started;
    if ((pending_ & kRead) == 0) {
      call_->Read(&message, Tag(kRead));
      pending_ |= kRead;
    }
    return Await(kRead, deadline);
  }

  RpcStatus End() override {
    const gpr_timespec forever = gpr_inf_future(GPR_CLOCK_MONOTONIC);
    for (const Step step : {kStart, kWrite, kRead}) Await(step, forever);
    finished_ = true;
    call_->Finish(&status_, Tag(kFinish));
    pending_ |= kFinish;
    Await(kFinish, forever);
    if (!status_.ok()) return Converted(status_);
    return absl::UnavailableError("the member ended the stream");
  }

  void Cancel() override { context_.TryCancel(); }

 private:
  // One of each at most is under way.
  enum Step : unsigned { kStart = 1, kWrite = 2, kRead = 4, kFinish = 8 };

  static void* Tag(Step step) { return reinterpret_cast<void*>(static_cast<uintptr_t>(step)); }

  Result Await(Step step, gpr_timespec deadline) {
    while ((pending_ & step) != 0) {
      void* tag = nullptr;
      bool ok = false;
      if (queue_.AsyncNext(&tag, &ok, deadline) != grpc::CompletionQueue::GOT_EVENT) {
        return Result::kTimedOut;
      }
      const auto done = static_cast<Step>(reinterpret_cast<uintptr_t>(tag));
      pending_ &= ~static_cast<unsigned>(done);
      if (!ok) failed_ = true;
    }
    return failed_ && step != kFinish ? Result::kEnded : Result::kDone;
  }

  grpc::CompletionQueue queue_;
  grpc::ClientContext context_;
  grpc::Status status_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<MessageLite, MessageLite>> call_;
  unsigned pending_ = 0;
  bool failed_ = false;
  bool finished_ = false;
};

EtcdMember::EtcdMember(std::string endpoint, const EtcdOptions& options)
    : endpoint_(std::move(endpoint)), channel_(std::make_unique<Channel>(endpoint_, options)) {}

EtcdMember::~EtcdMember() = default;

RpcStatus EtcdMember::Call(const char* method, const std::string& token, const MessageLite& request,
                           MessageLite& response, absl::Duration timeout) {
  const gpr_timespec deadline = After(timeout);
  channel_->AwaitConnection(timeout);
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  context.set_deadline(deadline);
  AddMetadata(token, context);
  grpc::Status status;
  auto call = channel_->stub().PrepareUnaryCall(&context, method, request, &queue);
  call->StartCall();
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  // It comes by the deadline at the latest.
  queue.Next(&tag, &ok);
  return Converted(status);
}

std::unique_ptr<EtcdStream> EtcdMember::OpenStream(const char* method, const std::string& token,
                                                   absl::Duration timeout) {
  channel_->AwaitConnection(timeout);
  return std::make_unique<Stream>(channel_->stub(), method, token);
}

}  // namespace rollcall::etcd
