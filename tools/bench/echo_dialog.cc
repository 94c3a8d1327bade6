// Requests with the sizes of a modern TCPStore's, and in each the frame that the echo limit reads.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "store/protocol/dialect.h"
#include "tools/bench/dialog.h"
#include "tools/bench/echo_frame.h"

namespace rollcall::bench {
namespace {

constexpr uint32_t kLengthBytes = sizeof(uint64_t);

class EchoDialog : public Dialog {
 public:
  Call Hello() const override { return Framed(store_->Hello(), 4); }
  Call Set(absl::string_view key, absl::string_view value) const override {
    return Framed(store_->Set(key, value), 0);
  }
  Call Get(absl::string_view key, size_t value_bytes) const override {
    return Framed(store_->Get(key, value_bytes), kLengthBytes + static_cast<uint32_t>(value_bytes));
  }
  Call Add(absl::string_view key, int64_t delta) const override {
    return Framed(store_->Add(key, delta), 8);
  }
  Call Await(absl::string_view key) const override { return Framed(store_->Await(key), 1); }
  Call Hold(absl::Span<const std::string> keys, Gate gate) const override {
    return Framed(store_->Hold(keys, gate), 1, EchoKind::kHold, gate);
  }
  Call Wake(absl::string_view key, Gate gate, int holders) const override {
    return Framed(store_->Wake(key, gate, holders), 0, EchoKind::kOpen, gate);
  }
  absl::StatusOr<Call> Push(absl::string_view queue, Gate gate,
                            absl::string_view item) const override {
    return Framed(*store_->Push(queue, gate, item), 0, EchoKind::kPassOne, gate);
  }
  absl::StatusOr<std::vector<Call>> Take(absl::string_view queue, Gate gate,
                                         size_t item_bytes) const override {
    const std::vector<Call> calls = *store_->Take(queue, gate, item_bytes);
    return std::vector<Call>{
        Framed(calls[0], 1, EchoKind::kHold, gate),
        Framed(calls[1], 2 * kLengthBytes + static_cast<uint32_t>(item_bytes))};
  }

  std::optional<uint64_t> AnswerBytes(Expected expected, absl::string_view) const override {
    return expected.bytes;
  }
  std::optional<int64_t> Number(absl::string_view) const override { return std::nullopt; }

 private:
  static Call Framed(Call call, uint32_t answer_bytes, EchoKind kind = EchoKind::kAnswer,
                     Gate gate = 0) {
    call.bytes.resize(std::max(call.bytes.size(), kEchoHeaderBytes));
    PutEchoHeader({.request_bytes = static_cast<uint32_t>(call.bytes.size()),
                   .answer_bytes = answer_bytes,
                   .kind = kind,
                   .gate = gate},
                  call.bytes.data());
    call.answers.clear();
    if (answer_bytes > 0) call.answers.push_back({.bytes = answer_bytes});
    return call;
  }

  const std::unique_ptr<Dialog> store_ = MakeStoreDialog(protocol::Dialect::kModern);
};

}  // namespace

std::unique_ptr<Dialog> MakeEchoDialog() { return std::make_unique<EchoDialog>(); }

}  // namespace rollcall::bench
