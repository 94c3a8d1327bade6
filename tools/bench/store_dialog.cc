// The TCPStore's dialects.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "glog/logging.h"
#include "store/protocol/dialect.h"
#include "store/protocol/features.h"
#include "store/protocol/operation.h"
#include "store/protocol/reply.h"
#include "store/protocol/reply_parser.h"
#include "store/protocol/request_writer.h"
#include "tools/bench/dialog.h"

namespace rollcall::bench {
namespace {

using protocol::Dialect;
using protocol::Operation;
using protocol::ReplyKind;

// Torch's clients send their process's number.
constexpr uint32_t kNonce = 4321;

constexpr Expected Answer(ReplyKind kind) { return {.form = static_cast<uint8_t>(kind)}; }

class StoreDialog : public Dialog {
 public:
  StoreDialog(Dialect dialect, std::shared_ptr<const std::string> token)
      : dialect_(dialect), token_(std::move(token)) {}

  Call Hello() const override {
    Call call;
    if (dialect_ != Dialect::kModern) return call;
    protocol::AppendValidate(call.bytes);
    // As torch's clients, but for servers that serve none of those.
    const uint32_t number = token_ == nullptr ? kNonce : protocol::kAskFeatures;
    Must(protocol::AppendPing(dialect_, number, call.bytes));
    call.answers.push_back(Answer(ReplyKind::kNonce));
    return call;
  }

  std::optional<Call> Token() const override {
    if (token_ == nullptr) return std::nullopt;
    Call call{.answers = {Answer(ReplyKind::kBytes)}};
    Must(protocol::AppendCompareSet(dialect_, protocol::kTokenKey, "", *token_, call.bytes));
    return call;
  }

  Call Probe() const override {
    Call call{.answers = {Answer(ReplyKind::kNumber)}};
    Must(protocol::AppendBareRequest(dialect_, Operation::kNumKeys, call.bytes));
    return call;
  }

  Call Set(absl::string_view key, absl::string_view value) const override {
    Call call;
    Must(protocol::AppendKeyValueRequest(dialect_, Operation::kSet, key, value, call.bytes));
    return call;
  }

  Call Get(absl::string_view key, size_t) const override {
    Call call{.answers = {Answer(ReplyKind::kBytes)}};
    Must(protocol::AppendKeyRequest(dialect_, Operation::kGet, key, call.bytes));
    return call;
  }

  Call Add(absl::string_view key, int64_t delta) const override {
    Call call{.answers = {Answer(ReplyKind::kNumber)}};
    Must(protocol::AppendKeyNumberRequest(dialect_, Operation::kAdd, key, delta, call.bytes));
    return call;
  }

  Call Await(absl::string_view key) const override { return Hold({std::string(key)}, 0); }

  Call Hold(absl::Span<const std::string> keys, Gate) const override {
    Call call{.answers = {Answer(ReplyKind::kSignal)}};
    Must(protocol::AppendKeysRequest(dialect_, Operation::kWait, keys, call.bytes));
    return call;
  }

  Call Wake(absl::string_view key, Gate, int) const override { return Set(key, "1"); }

  absl::StatusOr<Call> Push(absl::string_view queue, Gate, absl::string_view item) const override {
    Call call;
    if (absl::Status can = protocol::AppendKeyValueRequest(dialect_, Operation::kQueuePush, queue,
                                                           item, call.bytes);
        !can.ok()) {
      return can;
    }
    return call;
  }

  absl::StatusOr<std::vector<Call>> Take(absl::string_view queue, Gate gate,
                                         size_t) const override {
    Call pop{.answers = {Answer(ReplyKind::kPopped)}};
    if (absl::Status can =
            protocol::AppendKeyRequest(dialect_, Operation::kQueuePop, queue, pop.bytes);
        !can.ok()) {
      return can;
    }
    return std::vector<Call>{Hold({std::string(queue)}, gate), std::move(pop)};
  }

  // Not by the reply parser, which keeps what it reads: the load must not cost more than the server
  // that it measures.
  std::optional<uint64_t> AnswerBytes(Expected expected, absl::string_view in) const override {
    constexpr uint64_t kLength = sizeof(uint64_t);
    switch (static_cast<ReplyKind>(expected.form)) {
      case ReplyKind::kSignal:
        return 1;
      case ReplyKind::kNonce:
        return sizeof(uint32_t);
      case ReplyKind::kNumber:
        return sizeof(int64_t);
      case ReplyKind::kBytes:
        if (in.size() < kLength) return std::nullopt;
        return kLength + Word(in);
      case ReplyKind::kPopped:
        if (in.size() < kLength) return std::nullopt;
        if (static_cast<int64_t>(Word(in)) <= 0) return kLength;
        if (in.size() < 2 * kLength) return std::nullopt;
        return 2 * kLength + Word(in.substr(kLength));
      default:
        LOG(FATAL) << "no request of a load has an answer of kind " << int{expected.form};
    }
  }

  std::optional<int64_t> Number(absl::string_view answer) const override {
    protocol::ReplyParser parser(ReplyKind::kNumber);
    if (!parser.Consume(answer).ok() || !parser.done()) return std::nullopt;
    return parser.Take().number;
  }

 private:
  static void Must(const absl::Status& appended) { CHECK(appended.ok()) << appended; }

  static uint64_t Word(absl::string_view in) {
    uint64_t word;
    std::memcpy(&word, in.data(), sizeof(word));
    return word;  // Every machine that this runs on is little-endian, as the wire is.
  }

  const Dialect dialect_;
  const std::shared_ptr<const std::string> token_;
};

}  // namespace

std::unique_ptr<Dialog> MakeStoreDialog(Dialect dialect, std::shared_ptr<const std::string> token) {
  return std::make_unique<StoreDialog>(dialect, std::move(token));
}

}  // namespace rollcall::bench
