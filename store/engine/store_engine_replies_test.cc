// The protocol's table of replies is what the engine says.
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "store/engine/client_id.h"
#include "store/engine/engine_scenario.h"
#include "store/engine/store_engine.h"
#include "store/protocol/dialect.h"
#include "store/protocol/operation.h"
#include "store/protocol/reply.h"
#include "store/protocol/reply_of.h"
#include "store/protocol/request.h"

namespace rollcall::engine {
namespace {

using protocol::Operation;
using protocol::OperationRow;
using protocol::ReplyKind;
using protocol::Request;

constexpr ClientId kClient = 1;

// Of one key, which is there.
Request Plain(const OperationRow& row) {
  const std::vector<std::string> keys(row.keys == protocol::KeyFields::kNone ? 0 : 1, "key");
  const std::vector<std::string> values(keys.size() * row.values_per_key, "value");
  return MakeRequest(row.operation, keys, values, /*number=*/1);
}

std::vector<ReplyKind> Told(StoreEngine& engine, Request request) {
  Replies replies;
  engine.Apply(kClient, request, absl::UnixEpoch(), replies);
  std::vector<ReplyKind> kinds;
  for (const Outgoing& outgoing : replies) kinds.push_back(outgoing.reply.kind);
  return kinds;
}

TEST(StoreEngineReplies, AreThoseOfTheTable) {
  for (const OperationRow& row : protocol::kOperations) {
    if (row.operation == Operation::kValidate) continue;  // For the parser, not the engine.
    // For who keeps the engine in a journal.
    if (row.operation == Operation::kSession || row.operation == Operation::kNumbered) continue;
    StoreEngine engine;
    engine.Connect(kClient, protocol::Dialect::kModern);
    Told(engine, MakeRequest(Operation::kSet, {"key"}, {"1"}));
    const std::optional<ReplyKind> reply = protocol::ReplyOf(row.operation);
    const std::vector<ReplyKind> expected =
        reply.has_value() ? std::vector<ReplyKind>{*reply} : std::vector<ReplyKind>{};
    EXPECT_EQ(Told(engine, Plain(row)), expected) << row.name;
  }
}

TEST(StoreEngineReplies, OfAnOpeningThereIsNone) {
  EXPECT_EQ(protocol::ReplyOf(Operation::kValidate), std::nullopt);
}

}  // namespace
}  // namespace rollcall::engine
