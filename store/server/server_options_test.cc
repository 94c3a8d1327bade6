#include "store/server/server_options.h"

#include "gtest/gtest.h"

namespace rollcall {
namespace {

std::string Complaint(const ServerOptions& options) {
  return std::string(ValidateServerOptions(options).message());
}

TEST(ServerOptionsTest, TheDefaultsAreValid) { EXPECT_TRUE(ValidateServerOptions({}).ok()); }

TEST(ServerOptionsTest, AComplaintNamesTheOptionItsValueAndWhatItMayBe) {
  ServerOptions options;
  options.unsent_bytes_soft_max = 20;
  options.unsent_bytes_hard_max = 10;
  EXPECT_EQ(Complaint(options),
            "server option unsent_bytes_soft_max is 20; it must be at most unsent_bytes_hard_max, "
            "which is 10");
}

TEST(ServerOptionsTest, WhatNoServerCanDoIsInvalid) {
  const auto invalid = [](auto change) {
    ServerOptions options;
    change(options);
    return ValidateServerOptions(options).code() == absl::StatusCode::kInvalidArgument;
  };
  EXPECT_TRUE(invalid([](ServerOptions& options) { options.expected_clients = -1; }));
  EXPECT_TRUE(invalid([](ServerOptions& options) {
    options.listen_fd = 3;
    options.host = "127.0.0.1";
  }));
  EXPECT_TRUE(invalid(
      [](ServerOptions& options) { options.parser.legacy_dialect = protocol::Dialect::kModern; }));
  EXPECT_TRUE(invalid([](ServerOptions& options) { options.parser.limits.key_bytes_max = 0; }));
  EXPECT_TRUE(
      invalid([](ServerOptions& options) { options.half_request_timeout = absl::ZeroDuration(); }));
  EXPECT_TRUE(invalid([](ServerOptions& options) { options.idle_timeout = absl::ZeroDuration(); }));
  EXPECT_TRUE(invalid([](ServerOptions& options) { options.shutdown_grace = -absl::Seconds(1); }));
  EXPECT_TRUE(invalid([](ServerOptions& options) { options.silent_connections_max = 0; }));
  EXPECT_TRUE(invalid([](ServerOptions& options) { options.io_threads = 0; }));
  EXPECT_TRUE(invalid([](ServerOptions& options) { options.name_space_per_token = true; }));
  for (const char* const name : {"", "a/b", "a b"}) {
    EXPECT_TRUE(invalid([&](ServerOptions& options) {
      options.name_space_ports = {{.name_space = name, .host = "", .port = 0}};
    }));
  }
  EXPECT_TRUE(invalid([](ServerOptions& options) { options.io_threads = 65; }));
}

}  // namespace
}  // namespace rollcall
