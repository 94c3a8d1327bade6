// Tokens between a TcpStore and a server, over real sockets, on both event loops.
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/dist_error.h"
#include "store/error_code.h"
#include "store/protocol/dialect.h"
#include "store/security_scenario.h"
#include "store/server/incident.h"
#include "store/server/server_options.h"
#include "store/server/server_snapshot.h"
#include "store/server/store_server.h"
#include "store/store.h"
#include "store/tcp_store.h"
#include "testing/dist_error_matchers.h"

namespace rollcall {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kToken[] = "a_token_of_the_job";

class TokenStoreTest : public SecurityScenario {};

TEST_P(TokenStoreTest, ServesWhoShowsAToken) {
  ServerOptions options = ServerWith(files_.Server());
  options.token_file = TokenFile("job:a_token_of_the_job\nold:another_token_of_the_job\n");
  Serve(options);
  TcpStoreOptions client = Client(files_.Client());
  for (const char* const token : {"a_token_of_the_job", "any:another_token_of_the_job"}) {
    client.token_file = files_.Write("my_token", token);
    const auto store = Open(client);
    ExpectServed(*store);
    ExpectServed(*store->Clone());
  }
}

TEST_P(TokenStoreTest, ARankWhoseConnectionBrokeIsThereAgainWithItsNextCall) {
  for (const bool secured : {false, true}) {
    ServerOptions options = ServerWith({});
    if (secured) options.token_file = TokenFile(kToken);
    Serve(options);
    TcpStoreOptions client = Client();
    client.rank = 1;
    client.world_size = 2;
    if (secured) client.token_file = options.token_file;
    const auto store = Open(client);
    store->Set("text", "no number");
    // Which is answered by hanging up.
    EXPECT_DIST_ERROR(store->Add("text", 1), ErrorCode::kNotANumber);
    ExpectServed(*store);
    const ServerSnapshot snapshot = server_->Snapshot(Soon()).value();
    EXPECT_EQ(server_->stats().connections_accepted, 2u);
    ASSERT_EQ(snapshot.name_spaces[0].ranks.size(), 1u);
    EXPECT_EQ(snapshot.name_spaces[0].ranks[0].rank, 1);
    EXPECT_FALSE(snapshot.name_spaces[0].ranks[0].gone.has_value()) << secured;
  }
}

TEST_P(TokenStoreTest, WhoShowsAnotherTokenOrNoneIsToldSo) {
  ServerOptions options = ServerWith(files_.Server());
  options.token_file = TokenFile(kToken);
  Serve(options);
  TcpStoreOptions client = Client(files_.Client());
  EXPECT_THAT(Failure(client),
              testing::AllOf(HasSubstr("TOKEN_REJECTED: "), HasSubstr("this client has none")));
  client.token_file = files_.Write("my_token", "the_token_of_another_job");
  EXPECT_THAT(Failure(client),
              testing::AllOf(HasSubstr("TOKEN_REJECTED: "), HasSubstr("none of those"),
                             Not(HasSubstr("the_token_of_another_job"))));
  EXPECT_EQ(server_->stats().keys, 0u);
}

TEST_P(TokenStoreTest, ATokenIsKeptFromServersThatDoNotAskForIt) {
  Serve(ServerWith({}));
  TcpStoreOptions client = Client();
  client.token_file = TokenFile(kToken);
  const auto store = Open(client);
  ExpectServed(*store);
  EXPECT_EQ(store->NumKeys(), 1);
}

TEST_P(TokenStoreTest, AClientOfTorchIsClosedWhereATokenIsWanted) {
  ServerOptions options = ServerWith({});
  options.token_file = TokenFile(kToken);
  Serve(options);
  // VALIDATE and a ping with a process's number; then an opcode of torch 1.x.
  for (const absl::string_view opening :
       {absl::string_view("\x00\xCE\xF7\x85\x3C\x0D\x79\x71\x00\x00", 10),
        absl::string_view("\x03")}) {
    const auto torch = RawClient(server_->port());
    ASSERT_EQ(torch->Write(opening, Soon()), absl::OkStatus());
    EXPECT_EQ(HearToTheEnd(*torch), "");
  }
  EXPECT_EQ(server_->stats().connections_refused, 2u);
}

TEST_P(TokenStoreTest, TokensAreReadAnewAndThoseInsideStay) {
  ServerOptions options = ServerWith({});
  options.token_file = TokenFile(kToken);
  Serve(options);
  TcpStoreOptions client = Client();
  client.token_file = files_.Write("my_token", kToken);
  const auto before = Open(client);
  TokenFile("the_token_that_comes_next");
  ASSERT_EQ(server_->Reload(), absl::OkStatus());
  ExpectServed(*before);
  EXPECT_THAT(Failure(client), HasSubstr("TOKEN_REJECTED: "));
  TokenFile("short");
  EXPECT_THAT(server_->Reload().ToString(), HasSubstr("tokens: line 1 of the tokens has a token"));
  client.token_file = files_.Write("my_token", "the_token_that_comes_next");
  ExpectServed(*Open(client));
}

TEST_P(TokenStoreTest, ALostConnectionShowsTheTokenAgain) {
  ServerOptions options = ServerWith(files_.Server());
  options.token_file = TokenFile(kToken);
  options.port = 0;
  Serve(options);
  TcpStoreOptions client = Client(files_.Client());
  client.token_file = options.token_file;
  const auto store = Open(client);
  ExpectServed(*store);
  options.port = server_->port();
  server_.reset();
  EXPECT_THROW(store->Add("lost", 1), DistNetworkError);
  Serve(options);
  ExpectServed(*store);
  // The next one is told what has changed meanwhile.
  server_.reset();
  TokenFile("the_token_that_comes_next");
  Serve(options);
  EXPECT_THROW(store->Add("lost", 1), DistNetworkError);
  try {
    store->Add("lost", 1);
    ADD_FAILURE() << "its token is of no use any more";
  } catch (const DistNetworkError& error) {
    EXPECT_EQ(error.code(), ErrorCode::kTokenRejected);
  }
}

TEST_P(TokenStoreTest, EachTokenMayHaveANameSpaceOfItsOwn) {
  ServerOptions options = ServerWith(files_.Server());
  options.token_file =
      TokenFile("a:a_token_of_job_a\na:another_one_of_a\nb:a_token_of_job_b\na_token_of_default\n");
  options.name_space_per_token = true;
  options.store_limits.own = {{"a", {.keys_max = 2}}};
  Serve(options);
  const auto client = [&](absl::string_view token) {
    TcpStoreOptions client_options = Client(files_.Client());
    client_options.token_file = files_.Write(std::string(token), std::string(token));
    return Open(client_options);
  };
  const auto a = client("a_token_of_job_a");
  const auto also_a = client("another_one_of_a");
  const auto b = client("a_token_of_job_b");
  const auto other = client("a_token_of_default");
  a->Set("k", "of a");
  a->Ping();
  EXPECT_EQ(also_a->Get("k", absl::Seconds(30)), "of a");
  EXPECT_EQ(a->Clone()->NumKeys(), 1);
  for (Store* const elsewhere : {static_cast<Store*>(b.get()), static_cast<Store*>(other.get())}) {
    EXPECT_FALSE(elsewhere->Check({"k"}));
    EXPECT_EQ(elsewhere->NumKeys(), 0);
    EXPECT_FALSE(elsewhere->DeleteKey("k"));
    EXPECT_EQ(elsewhere->Add("k", 1), 1);
  }
  EXPECT_EQ(a->Get("k", absl::Seconds(30)), "of a");
  EXPECT_EQ(server_->stats().keys, 3u);
  const ServerSnapshot snapshot = server_->Snapshot(Soon()).value();
  ASSERT_EQ(snapshot.name_spaces.size(), 3u);
  EXPECT_EQ(snapshot.name_spaces[0].connections, 1u);
  EXPECT_EQ(snapshot.name_spaces[1].name, "a");
  EXPECT_GE(snapshot.name_spaces[1].connections, 2u);
  EXPECT_EQ(snapshot.name_spaces[2].keys, 1u);
  EXPECT_GT(snapshot.name_spaces[2].work.requests, 3u);

  TcpStoreOptions stranger = Client(files_.Client());
  stranger.token_file = files_.Write("none", "a_token_of_nobody_here");
  EXPECT_EQ(CodeOf(TcpStore::Open(env_, stranger).status()), ErrorCode::kTokenRejected);
  EXPECT_DIST_ERROR(a->Add("k", 1), ErrorCode::kNotANumber);
  const std::vector<Incident> incidents = server_->Snapshot(Soon()).value().incidents;
  ASSERT_EQ(incidents.size(), 2u);
  // Each of a loop of its own, perhaps, whose times are its own.
  for (const Incident& incident : incidents) {
    const bool is_stranger = incident.kind == IncidentKind::kNoToken;
    EXPECT_EQ(incident.name_space, is_stranger ? std::nullopt : std::optional<std::string>("a"));
  }
  EXPECT_NE(incidents[0].kind, incidents[1].kind);
}

TEST_P(TokenStoreTest, ATokenIsOfNoUseInALegacyDialect) {
  Serve(ServerWith({}));
  TcpStoreOptions client = Client();
  client.token_file = TokenFile(kToken);
  client.dialect = protocol::Dialect::kLegacy;
  EXPECT_THROW(TcpStore(env_, client), std::invalid_argument);
}

INSTANTIATE_TEST_SUITE_P(EventLoops, TokenStoreTest, EveryLoops(), LoopsName);

}  // namespace
}  // namespace rollcall
