// Who is let in by etcd: its users, and certificates.
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/etcd/etcd_fixture.h"
#include "store/factory.h"
#include "testing/dist_error_matchers.h"
#include "testing/temp_directory.h"

namespace rollcall {
namespace {

using testing::HasSubstr;

class EtcdUsers : public EtcdFixture {
 protected:
  void SetUp() override {
    StartCluster({.arguments = {"--bcrypt-cost=4"}});
    Ctl({"user", "add", "root:secret"});
    Ctl({"user", "grant-role", "root", "root"});
    Ctl({"user", "add", "trainer:password"});
    Ctl({"role", "add", "jobs"});
    Ctl({"role", "grant-permission", "jobs", "readwrite", "--prefix=true", "/jobs/"});
    Ctl({"user", "grant-role", "trainer", "jobs"});
    Ctl({"auth", "enable"});
  }

  EtcdOptions As(std::string user, std::string password, std::string prefix = "/jobs/42") {
    EtcdOptions options = Options(std::move(prefix));
    options.user = std::move(user);
    options.password = std::move(password);
    return options;
  }
  void ExpectRefused(EtcdOptions options, const std::string& says) {
    const absl::Time started = env().Now();
    const absl::StatusOr<std::unique_ptr<EtcdStore>> store =
        EtcdStore::Open(env(), std::move(options));
    ASSERT_FALSE(store.ok());
    EXPECT_EQ(ErrorCodeName(CodeOf(store.status())), "ETCD_AUTH") << store.status();
    EXPECT_THAT(std::string(store.status().message()), HasSubstr(says));
    EXPECT_LT(env().Now() - started, absl::Seconds(20)) << "at once, not when time is up";
  }
};

TEST_F(EtcdUsers, AreLetInWithTheirPassword) {
  std::unique_ptr<EtcdStore> store = Open(As("trainer", "password"));
  store->Set("k", "v");
  EXPECT_EQ(store->Get("k"), "v");
}

TEST_F(EtcdUsers, AreRefusedWithoutAPasswordAndWithAWrongOne) {
  ExpectRefused(Options("/jobs/42"), "user name is empty");
  ExpectRefused(As("trainer", "wrong"), "invalid user ID or password");
  ExpectRefused(As("nobody", "password"), "invalid user ID or password");
}

TEST_F(EtcdUsers, AreRefusedElsewhereThanWhereTheirRoleIs) {
  ExpectRefused(As("trainer", "password", "/elsewhere"), "permission denied");
}

TEST_F(EtcdUsers, GetANewTokenWhenTheOldOneIsOver) {
  std::unique_ptr<EtcdStore> store = Open(As("trainer", "password"));
  store->Set("k", "v");
  // Who was let in, a member keeps in memory only.
  cluster().Kill(0);
  RestartMember();
  EXPECT_EQ(store->Add("n", 1), 1);
  std::unique_ptr<net::Thread> waiter =
      env().StartThread("waiter", [&] { EXPECT_EQ(store->Get("late"), "v"); });
  cluster().Kill(0);
  RestartMember();
  store->Set("late", "v");
  waiter.reset();
}

TEST_F(EtcdUsers, CanBeNamedInTheUrl) {
  TempDirectory directory;
  std::ofstream(directory.File("password")) << "password\n";
  const auto store = CreateStore(
      env(), absl::StrCat("etcd://", cluster().endpoint(0),
                          "/jobs/42?user=trainer&password_file=", directory.File("password")));
  store->Set("k", "v");
  EXPECT_EQ(store->Get("k"), "v");
  EXPECT_THAT(store->Describe(), testing::Not(HasSubstr("password")));
}

class EtcdTls : public EtcdFixture {
 protected:
  void SetUp() override {
    const absl::Status made = MakeCertificates(directory_.path());
    ASSERT_TRUE(made.ok()) << made;
    StartCluster({.tls_directory = directory_.path()});
  }
  std::string Url(const std::string& parameters) {
    return absl::StrCat("etcd://", cluster().endpoint(0), "/job?", parameters);
  }
  std::string File(const std::string& name) { return directory_.File(name); }
  void ExpectUnreachable(const std::string& parameters) {
    EXPECT_DIST_ERROR(CreateStore(env(), Url(parameters), {.timeout = absl::Seconds(2)}),
                      ErrorCode::kEtcdUnreachable);
  }

  TempDirectory directory_;
};

TEST_F(EtcdTls, LetsInWhoHasACertificate) {
  const auto store =
      CreateStore(env(), Url(absl::StrCat("ca=", File("ca.pem"), "&cert=", File("client.pem"),
                                          "&key=", File("client.key"))));
  store->Set("k", "v");
  EXPECT_EQ(store->Get("k"), "v");
  EXPECT_THAT(store->Describe(), HasSubstr("tls=yes"));
}

TEST_F(EtcdTls, RefusesWhoHasNone) { ExpectUnreachable(absl::StrCat("ca=", File("ca.pem"))); }

TEST_F(EtcdTls, IsNotSpokenToInPlainText) { ExpectUnreachable("ttl=60s"); }

TEST_F(EtcdTls, AServerOfAnotherAuthorityIsNotTrusted) {
  TempDirectory other;
  ASSERT_TRUE(MakeCertificates(other.path()).ok());
  ExpectUnreachable(absl::StrCat("ca=", other.File("ca.pem"), "&cert=", File("client.pem"),
                                 "&key=", File("client.key")));
}

}  // namespace
}  // namespace rollcall
