// The HTTP server on real sockets, and what reads from it.
#include "store/http/http_server.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/connection.h"
#include "net/net_error.h"
#include "net/real_env.h"
#include "store/http/http_get.h"

namespace rollcall::http {
namespace {

using testing::HasSubstr;

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() { Start({}); }

  void Start(HttpServerOptions options) {
    server_.reset();
    options.endpoint = {.host = "127.0.0.1", .port = 0};
    server_ = HttpServer::Start(env_, options, [](const Request& request) {
                return Response{
                    .body = absl::StrCat(request.path, " rank ", request.rank.value_or("none"))};
              }).value();
  }
  absl::Time Soon() { return env_.Now() + absl::Seconds(60); }
  net::Endpoint Endpoint() const {
    return {.host = "127.0.0.1", .port = server_->address().port()};
  }
  Fetched Get(absl::string_view path, absl::string_view method = "GET",
              absl::string_view host = "") {
    return HttpGet(env_, Endpoint(), path, Soon(), method, host).value();
  }
  std::unique_ptr<net::Connection> Connect() {
    return env_.ConnectAny({server_->address()}, Soon()).value();
  }

  net::Env& env_ = net::RealEnv();
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, AnswersWhatItIsAsked) {
  EXPECT_EQ(Get("/a").body, "/a rank none");
  EXPECT_EQ(Get("/status.json?x=1&rank=%37").body, "/status.json rank 7");
  EXPECT_EQ(Get("/a").status, 200);
}

TEST_F(HttpServerTest, OnlyReads) {
  const Fetched posted = Get("/a", "POST");
  EXPECT_EQ(posted.status, 405);
  EXPECT_THAT(posted.headers, HasSubstr("Allow: GET, HEAD"));
  EXPECT_EQ(Get("/a", "DELETE").status, 405);
  const Fetched head = Get("/a", "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
}

TEST_F(HttpServerTest, LetsNothingFromElsewhereIntoItsPages) {
  const std::string headers = Get("/a").headers;
  EXPECT_THAT(headers, HasSubstr("Content-Security-Policy: default-src 'none'; script-src 'self'"));
  EXPECT_THAT(headers, HasSubstr("X-Content-Type-Options: nosniff"));
  EXPECT_THAT(headers, HasSubstr("frame-ancestors 'none'"));
}

TEST_F(HttpServerTest, OnTheLoopbackAnotherNameGetsNothing) {
  for (const char* host : {"localhost", "LocalHost:8080", "127.0.0.1:1", "127.8.8.8", "[::1]:7"}) {
    EXPECT_EQ(Get("/a", "GET", host).status, 200) << host;
  }
  for (const char* host : {"evil.example", "evil.example:80", "127.0.0.1.evil.example", "[::2]",
                           "localhost.evil.example:80", ":", "]"}) {
    EXPECT_EQ(Get("/a", "GET", host).status, 403) << host;
  }
}

TEST_F(HttpServerTest, WhoSaysNothingHoldsUpNobody) {
  std::vector<std::unique_ptr<net::Connection>> silent;
  for (int i = 0; i < 20; ++i) {
    silent.push_back(Connect());
    ASSERT_TRUE(silent.back()->Write("GET /a HT", Soon()).ok());
  }
  EXPECT_EQ(Get("/a").body, "/a rank none");
}

TEST_F(HttpServerTest, ConnectionsBeyondTheLimitAreClosed) {
  Start({.connections_max = 2});
  const std::unique_ptr<net::Connection> first = Connect();
  const std::unique_ptr<net::Connection> second = Connect();
  ASSERT_TRUE(first->Write("GET /", Soon()).ok());
  ASSERT_TRUE(second->Write("GET /", Soon()).ok());
  // It is not accepted, or closed at once; either way it has no answer while the two are there.
  const std::unique_ptr<net::Connection> third = Connect();
  (void)third->Write("GET /a HTTP/1.0\r\n\r\n", Soon());
  ASSERT_TRUE(first->Write("a HTTP/1.0\r\n\r\n", Soon()).ok());
  char byte = 0;
  EXPECT_TRUE(first->Read(&byte, 1, Soon()).ok());
  EXPECT_EQ(byte, 'H');
}

TEST_F(HttpServerTest, ALongRequestIsRefused) {
  EXPECT_GE(Get("/" + std::string(100'000, 'x')).status, 400);
}

TEST_F(HttpServerTest, ATakenPortIsAnError) {
  HttpServerOptions options;
  options.endpoint = Endpoint();
  const auto second = HttpServer::Start(env_, options, [](const Request&) { return Response(); });
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(net::GetNetErrorInfo(second.status())->kind, net::NetErrorKind::kAddressInUse);
}

TEST_F(HttpServerTest, WhatIsNoHttpIsSaidSo) {
  const auto socket = env_.Listen({.host = "127.0.0.1", .port = 0}).value();
  const auto thread = env_.StartThread("stranger", [&] {
    const auto connection = socket->Accept(Soon()).value();
    (void)connection->Write("SSH-2.0-x\r\n\r\n", Soon());
    (void)connection->ShutdownWrite();
    char bytes[4096];
    while (connection->Read(bytes, sizeof(bytes), Soon()).ok()) {
    }
  });
  const absl::StatusOr<Fetched> fetched = HttpGet(
      env_, {.host = "127.0.0.1", .port = socket->address().port()}, "/status.json", Soon());
  EXPECT_EQ(fetched.status().code(), absl::StatusCode::kDataLoss) << fetched.status();
}

}  // namespace
}  // namespace rollcall::http
