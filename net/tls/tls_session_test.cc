#include "net/tls/tls_session.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/net_error.h"
#include "net/tls/tls_context.h"
#include "net/tls/tls_error.h"
#include "testing/tls_authority.h"

namespace rollcall::net {
namespace {

using testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

std::shared_ptr<const TlsContext> Server(const TlsIdentity& identity, std::string client_ca = "",
                                         TlsVersion min_version = TlsVersion::k12) {
  absl::StatusOr<std::shared_ptr<const TlsContext>> context =
      TlsContext::ForServer({.certificate_chain = identity.certificate,
                             .private_key = identity.private_key,
                             .client_ca = std::move(client_ca),
                             .min_version = min_version});
  EXPECT_TRUE(context.ok()) << context.status();
  return *context;
}

std::shared_ptr<const TlsContext> Client(std::string ca, const TlsIdentity& identity = {}) {
  absl::StatusOr<std::shared_ptr<const TlsContext>> context =
      TlsContext::ForClient({.ca = std::move(ca),
                             .certificate_chain = identity.certificate,
                             .private_key = identity.private_key});
  EXPECT_TRUE(context.ok()) << context.status();
  return *context;
}

// Both ends, and the bytes between them, carried in pieces of at most `piece_bytes`.
class TlsPair {
 public:
  TlsPair(std::shared_ptr<const TlsContext> server, std::shared_ptr<const TlsContext> client,
          const std::string& name = "localhost", size_t piece_bytes = 1 << 20)
      : piece_bytes_(piece_bytes),
        server_(TlsSession::ForServer(std::move(server), kNow)),
        client_(TlsSession::ForClient(std::move(client), name, kNow).value()) {}

  // Until both are done or one has failed; then the other one hears the alert too.
  void Shake() {
    ShakeOne(*client_, to_server, client_why);
    while (!to_server.empty() || !to_client.empty()) {
      Carry(to_server, *server_, to_client, server_why);
      Carry(to_client, *client_, to_server, client_why);
    }
  }

  // What one writes and the other one reads.
  std::string Send(TlsSession& from, TlsSession& to, absl::string_view bytes) {
    std::string wire;
    EXPECT_EQ(from.Write(bytes, wire), absl::OkStatus());
    EXPECT_FALSE(absl::StrContains(wire, "secret"));
    return Hear(to, wire);
  }

  std::string Hear(TlsSession& to, absl::string_view wire) {
    std::string heard;
    for (; !wire.empty(); wire.remove_prefix(std::min(piece_bytes_, wire.size()))) {
      to.Feed(wire.substr(0, piece_bytes_));
      heard += ReadAll(to);
      to.KeepUnread();
    }
    return heard;
  }

  TlsSession& server() { return *server_; }
  TlsSession& client() { return *client_; }

  std::string to_server;
  std::string to_client;
  absl::Status server_why;
  absl::Status client_why;

 private:
  static void ShakeOne(TlsSession& session, std::string& out, absl::Status& why) {
    if (why.ok()) why = session.Handshake(out);
  }

  std::string ReadAll(TlsSession& session) {
    std::string all;
    while (true) {
      char buffer[1000];
      std::string out;
      const absl::StatusOr<size_t> count = session.Read(absl::MakeSpan(buffer), out);
      EXPECT_TRUE(count.ok()) << count.status();
      if (!count.ok() || *count == 0) return all;
      all.append(buffer, *count);
    }
  }

  void Carry(std::string& wire, TlsSession& to, std::string& out, absl::Status& why) {
    const std::string carried = std::exchange(wire, "");
    for (size_t i = 0; i < carried.size(); i += piece_bytes_) {
      to.Feed(absl::string_view(carried).substr(i, piece_bytes_));
      ShakeOne(to, out, why);
      if (why.ok() && to.established()) {
        // An alert may come after the handshake: a TLS 1.3 client is done before its server.
        char buffer[16];
        const absl::StatusOr<size_t> count = to.Read(absl::MakeSpan(buffer), out);
        if (!count.ok()) why = count.status();
      }
      to.KeepUnread();
    }
  }

  const size_t piece_bytes_;
  const std::unique_ptr<TlsSession> server_;
  const std::unique_ptr<TlsSession> client_;
};

class TlsSessionTest : public testing::Test {
 protected:
  const TlsAuthority authority_{kNow};
  const TlsAuthority stranger_{kNow, "somebody else"};
};

TEST_F(TlsSessionTest, BothWaysWhereverTheBytesAreCut) {
  const auto server = Server(authority_.Issue());
  const auto client = Client(authority_.certificate());
  const std::string large(100'000, 'x');
  for (const size_t piece_bytes : {size_t{1}, size_t{2}, size_t{5}, size_t{100}, size_t{1} << 20}) {
    TlsPair pair(server, client, "localhost", piece_bytes);
    pair.Shake();
    ASSERT_TRUE(pair.server().established() && pair.client().established())
        << pair.server_why << pair.client_why;
    EXPECT_EQ(pair.Send(pair.client(), pair.server(), "a secret"), "a secret");
    EXPECT_EQ(pair.Send(pair.server(), pair.client(), "its answer"), "its answer");
    EXPECT_TRUE(pair.Send(pair.server(), pair.client(), large) == large);
  }
}

TEST_F(TlsSessionTest, TheEndIsSaidAndTheOtherDirectionGoesOn) {
  TlsPair pair(Server(authority_.Issue()), Client(authority_.certificate()));
  pair.Shake();
  std::string end;
  pair.client().End(end);
  EXPECT_FALSE(pair.server().peer_ended());
  EXPECT_EQ(pair.Hear(pair.server(), end), "");
  EXPECT_TRUE(pair.server().peer_ended());
  EXPECT_EQ(pair.Send(pair.server(), pair.client(), "still here"), "still here");
}

TEST_F(TlsSessionTest, ANumericAddressIsANameToo) {
  for (const char* const name : {"127.0.0.1", "::1"}) {
    TlsPair pair(Server(authority_.Issue()), Client(authority_.certificate()), name);
    pair.Shake();
    EXPECT_TRUE(pair.client().established()) << name << pair.client_why;
  }
}

TEST_F(TlsSessionTest, ADamagedRecordEndsIt) {
  TlsPair pair(Server(authority_.Issue()), Client(authority_.certificate()));
  pair.Shake();
  std::string wire;
  ASSERT_EQ(pair.client().Write("to be damaged", wire), absl::OkStatus());
  wire.back() ^= 1;
  pair.server().Feed(wire);
  char buffer[100];
  std::string alert;
  const absl::Status why = pair.server().Read(absl::MakeSpan(buffer), alert).status();
  EXPECT_EQ(GetNetErrorInfo(why)->kind, NetErrorKind::kTls);
  EXPECT_NE(alert, "");
  pair.server().KeepUnread();
  EXPECT_EQ(pair.server().Read(absl::MakeSpan(buffer), alert).status(), why);
}

// --- Who is not let in, and what each side says of it ---

struct Refusal {
  std::string server;
  std::string client;
};

Refusal Shaken(TlsPair pair) {
  pair.Shake();
  for (const absl::Status& why : {pair.server_why, pair.client_why}) {
    if (why.ok()) continue;
    EXPECT_TRUE(absl::IsUnauthenticated(why)) << why;
    EXPECT_EQ(GetNetErrorInfo(why)->kind, NetErrorKind::kTls);
  }
  return {std::string(pair.server_why.message()), std::string(pair.client_why.message())};
}

TEST_F(TlsSessionTest, AServerOutOfDate) {
  const Refusal refusal =
      Shaken({Server(authority_.Issue({.begins = -absl::Hours(5), .ends = -absl::Hours(1)})),
              Client(authority_.certificate())});
  EXPECT_THAT(refusal.client, HasSubstr("the server's certificate is not accepted: certificate "
                                        "has expired"));
  EXPECT_THAT(refusal.server, HasSubstr("our certificate is out of date"));
}

TEST_F(TlsSessionTest, AServerSignedBySomebodyElse) {
  const Refusal refusal = Shaken({Server(stranger_.Issue()), Client(authority_.certificate())});
  EXPECT_THAT(refusal.client, HasSubstr("unable to get local issuer certificate"));
  EXPECT_THAT(refusal.server, HasSubstr("it does not trust who signed our certificate"));
}

TEST_F(TlsSessionTest, AServerOfAnotherName) {
  EXPECT_THAT(
      Shaken({Server(authority_.Issue({.names = {"elsewhere"}})), Client(authority_.certificate())})
          .client,
      HasSubstr("hostname mismatch"));
  EXPECT_THAT(Shaken({Server(authority_.Issue({.names = {"10.0.0.1"}})),
                      Client(authority_.certificate()), "127.0.0.1"})
                  .client,
              HasSubstr("IP address mismatch"));
}

TEST_F(TlsSessionTest, AClientWithoutACertificate) {
  const Refusal refusal = Shaken(
      {Server(authority_.Issue(), authority_.certificate()), Client(authority_.certificate())});
  EXPECT_THAT(refusal.server, HasSubstr("the client presented no certificate"));
  EXPECT_THAT(refusal.client, HasSubstr("it wants a certificate of us, and we have none"));
}

TEST_F(TlsSessionTest, AClientOutOfDateOrSignedBySomebodyElse) {
  const auto server = Server(authority_.Issue(), authority_.certificate());
  EXPECT_THAT(
      Shaken(
          {server, Client(authority_.certificate(),
                          authority_.Issue({.begins = -absl::Hours(5), .ends = -absl::Hours(1)}))})
          .server,
      HasSubstr("the client's certificate is not accepted: certificate has expired"));
  EXPECT_THAT(Shaken({server, Client(authority_.certificate(), stranger_.Issue())}).server,
              HasSubstr("unable to get local issuer certificate"));
  EXPECT_EQ(Shaken({server, Client(authority_.certificate(), authority_.Issue())}).server, "");
}

TEST_F(TlsSessionTest, PlainBytesAreNamedAndAnsweredWithAnAlert) {
  const auto server = TlsSession::ForServer(Server(authority_.Issue()), kNow);
  server->Feed("GET / HTTP/1.1\r\n");
  std::string out;
  EXPECT_THAT(
      std::string(server->Handshake(out).message()),
      HasSubstr("plain bytes where a TLS handshake should begin: \"GET / HTTP/1.1\\r\\n\""));
  EXPECT_TRUE(LooksLikeTlsAlert(out));
}

TEST_F(TlsSessionTest, AClientTellsAPortWithoutTls) {
  const auto context = Client(authority_.certificate());
  auto client = *TlsSession::ForClient(context, "localhost", kNow);
  std::string out;
  ASSERT_EQ(client->Handshake(out), absl::OkStatus());
  client->Feed("220 mail.example ESMTP\r\n");
  EXPECT_THAT(std::string(client->Handshake(out).message()),
              HasSubstr("is this a port without TLS?"));

  client = *TlsSession::ForClient(context, "localhost", kNow);
  ASSERT_EQ(client->Handshake(out), absl::OkStatus());
  client->Feed(PlainTlsAlert());
  EXPECT_THAT(std::string(client->Handshake(out).message()),
              HasSubstr("or the port is one without TLS"));
}

// --- What a context takes ---

TEST_F(TlsSessionTest, AContextSaysWhatIsWrongWithItsTexts) {
  const TlsIdentity good = authority_.Issue();
  const auto why = [](TlsServerOptions options) {
    return TlsContext::ForServer(options).status().ToString();
  };
  EXPECT_THAT(why({.certificate_chain = "none", .private_key = good.private_key}),
              HasSubstr("the certificate is no PEM of one"));
  EXPECT_THAT(why({.certificate_chain = good.certificate, .private_key = "none"}),
              HasSubstr("the private key is no PEM of one, or is encrypted"));
  EXPECT_THAT(
      why({.certificate_chain = good.certificate, .private_key = authority_.Issue().private_key}),
      HasSubstr("the private key does not fit the certificate"));
  EXPECT_THAT(why({.certificate_chain = good.certificate,
                   .private_key = good.private_key,
                   .client_ca = "none"}),
              HasSubstr("the certificates of the authorities"));
  EXPECT_THAT(TlsContext::ForClient({.certificate_chain = good.certificate}).status().ToString(),
              HasSubstr("one of them is missing"));
}

TEST_F(TlsSessionTest, AContextKnowsWhenItsCertificateEnds) {
  EXPECT_EQ(Server(authority_.Issue({.ends = absl::Hours(3)}))->expires(), kNow + absl::Hours(3));
  EXPECT_EQ(Client(authority_.certificate())->expires(), absl::InfiniteFuture());
}

TEST_F(TlsSessionTest, AServerNameThatIsNoneIsTheCallersMistake) {
  EXPECT_TRUE(absl::IsInvalidArgument(
      TlsSession::ForClient(Client(authority_.certificate()), "", kNow).status()));
}

}  // namespace
}  // namespace rollcall::net
