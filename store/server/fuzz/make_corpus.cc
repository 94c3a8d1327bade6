// Writes the seeds of store_server_fuzz:
//   bazel run //store/server/fuzz:make_corpus -- "$PWD/store/server/fuzz/store_server_corpus"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "store/protocol/dialect.h"
#include "store/protocol/features.h"
#include "store/protocol/wire_text.h"
#include "store/server/fuzz/script.h"

namespace rollcall::fuzz {
namespace {

using protocol::Dialect;

constexpr char kSmallLimits = 4;
constexpr char kFewSilent = 8;
constexpr char kFewUnsent = 16;
constexpr char kFewConnections = 32;
constexpr char kEndByShutdown = 64;

class Script {
 public:
  explicit Script(char options) : bytes_(1, options) {}

  Script& Send(int peer, absl::string_view bytes) {
    AppendStep({.action = Action::kSendAndRun, .peer = peer, .bytes = bytes}, bytes_);
    return *this;
  }
  Script& Say(int peer, absl::string_view line, Dialect dialect = Dialect::kModern) {
    return Send(peer, protocol::RequestBytes(dialect, line));
  }
  Script& Greet(int peer) { return Send(peer, protocol::Greeting(Dialect::kModern)); }
  Script& Do(int peer, Action action, uint8_t argument = 0) {
    AppendStep({.action = action, .peer = peer, .argument = argument}, bytes_);
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

Script Everything(Dialect dialect) {
  Script script(0);
  script.Send(0, protocol::Greeting(dialect));
  for (const absl::string_view line : protocol::SampleRequests()) script.Say(0, line, dialect);
  return script;
}

Script WaitersOfAllEnds() {
  Script script(0);
  for (int peer = 0; peer < 5; ++peer) script.Greet(peer).Say(peer, R"(wait "/a" "/b")");
  script.Do(1, Action::kEndStream).Do(2, Action::kReset).Say(3, "cancel_wait");
  return script.Greet(7).Say(7, R"(set "/a" "1")").Say(7, R"(compare_set "/b" "" "2")");
}

Script Barriers() {
  Script script(0);
  for (int peer = 0; peer < 3; ++peer) script.Greet(peer).Say(peer, R"(barrier "/go" 3)");
  return script;
}

Script Queues() {
  Script script(0);
  script.Greet(0).Greet(1).Greet(2).Say(0, R"(wait "/q")").Say(1, R"(wait "/q")");
  script.Say(2, R"(queue_push "/q" "one")").Say(0, R"(queue_pop "/q")");
  return script.Say(1, "cancel_wait").Say(1, R"(queue_pop "/q")").Say(2, R"(queue_len "/q")");
}

Script SlowReaders() {
  Script script(kFewUnsent);
  script.Greet(0).Greet(1).Say(1, R"(set "/k" "a value of some length")");
  script.Do(0, Action::kWindow, 5);
  for (int i = 0; i < 6; ++i) script.Say(0, R"(get "/k")");
  script.Do(0, Action::kWindow, 50).Say(2, R"(watch_key "/k")", Dialect::kLegacy);
  script.Do(2, Action::kWindow, 0);
  for (int i = 0; i < 6; ++i) script.Say(1, R"(set "/k" "another value")");
  return script.Do(0, Action::kOpenWindow);
}

Script HalfRequests() {
  Script script(kSmallLimits);
  const std::string set = protocol::RequestBytes(Dialect::kModern, R"(set "/k" "v")");
  script.Greet(0).Send(0, set.substr(0, 9)).Do(0, Action::kWait, 30).Send(0, set.substr(9));
  script.Greet(1).Send(1, set.substr(0, 1)).Do(1, Action::kWait, 61);
  return script.Greet(2).Say(2, R"(set "/a key that is too long" "v")");
}

Script Strangers() {
  Script script(kFewSilent | kFewConnections | kEndByShutdown);
  script.Send(0, "GET / HTTP/1.1\r\n\r\n").Send(1, protocol::Unhex("00DEADBEEF"));
  for (int peer = 2; peer < 8; ++peer) script.Do(peer, Action::kOpenWindow);
  return script.Greet(7).Say(7, R"(wait "/never")");
}

// Who asks what the server can do is told goodbye by it.
Script OurClients() {
  Script script(kSmallLimits);
  const std::string ask = absl::StrCat("ping ", protocol::kAskFeatures);
  script.Greet(0).Say(0, ask).Say(0, R"(session "s")").Greet(1).Say(1, "numbered 65536");
  script.Greet(2).Say(2, absl::StrCat("ping ", protocol::AskFeaturesAs(3)));
  script.Say(2, R"(compare_set "rollcall/token" "" "job:token")");
  // On one connection after the other, as one comes back who was not answered.
  for (int i = 0; i < 2; ++i) {
    script.Say(2, R"(session "rank 3")").Say(2, "numbered 131073").Say(2, R"(add "/n" 1)");
    script.Do(2, Action::kReconnect).Greet(2);
  }
  return script.Say(2, absl::StrCat("ping ", protocol::AskFeaturesAs(3)));
}

bool WriteSeed(const std::filesystem::path& path, const Script& script) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file << script.bytes();
  return file.good();
}

}  // namespace
}  // namespace rollcall::fuzz

int main(int argc, char** argv) {
  using namespace rollcall::fuzz;
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_corpus FOLDER\n");
    return 1;
  }
  const std::filesystem::path folder = argv[1];
  const bool written = WriteSeed(folder / "modern", Everything(Dialect::kModern)) &&
                       WriteSeed(folder / "legacy", Everything(Dialect::kLegacy)) &&
                       WriteSeed(folder / "waiters", WaitersOfAllEnds()) &&
                       WriteSeed(folder / "barriers", Barriers()) &&
                       WriteSeed(folder / "queues", Queues()) &&
                       WriteSeed(folder / "slow_readers", SlowReaders()) &&
                       WriteSeed(folder / "half_requests", HalfRequests()) &&
                       WriteSeed(folder / "our_clients", OurClients()) &&
                       WriteSeed(folder / "strangers", Strangers());
  if (!written) std::fprintf(stderr, "cannot write to %s\n", argv[1]);
  return written ? 0 : 1;
}
