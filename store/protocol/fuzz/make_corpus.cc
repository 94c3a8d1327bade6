// Writes the seeds of the two fuzz targets:
//   bazel run //store/protocol/fuzz:make_corpus -- "$PWD/store/protocol/fuzz"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "store/protocol/dialect.h"
#include "store/protocol/features.h"
#include "store/protocol/goodbye.h"
#include "store/protocol/reply.h"
#include "store/protocol/request_number.h"
#include "store/protocol/wire_text.h"

namespace rollcall::protocol {
namespace {

constexpr char kStrict = 1;
constexpr char kTorch21 = 2;
constexpr char kSmallLimits = 4;
constexpr char kPiece = 7;

struct ReplySeed {
  ReplyKind kind;
  absl::string_view line;
  char texts = 0;
};

constexpr ReplySeed kReplySeeds[] = {
    {ReplyKind::kSignal, "signal 1"},
    {ReplyKind::kNumber, "number -2"},
    {ReplyKind::kNonce, "nonce 29049"},
    {ReplyKind::kBytes, R"(bytes "value")"},
    {ReplyKind::kTexts, R"(texts "1" "" "22")", 3},
    {ReplyKind::kList, R"(list "/k" "init/")"},
    {ReplyKind::kPopped, R"(popped 2 "job")"},
    {ReplyKind::kKeyEvent, R"(key_event 0 "/w" "old" "new")"},
};

bool WriteSeed(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  return file.good();
}

std::string AllRequests(Dialect dialect) {
  std::string bytes = Greeting(dialect);
  for (absl::string_view line : SampleRequests()) bytes += RequestBytes(dialect, line);
  return bytes;
}

// What only clients of ours say: that they ask what the server can do, a token, a session, numbers.
std::string OurRequests() {
  std::string bytes = Greeting(Dialect::kModern);
  for (const std::string& line :
       {absl::StrCat("ping ", kAskFeatures), absl::StrCat("ping ", AskFeaturesAs(3)),
        absl::StrCat("compare_set \"", kTokenKey, "\" \"\" \"job:token\""),
        std::string(R"(session "0123456789abcdef")")}) {
    bytes += RequestBytes(Dialect::kModern, line);
  }
  for (const RequestNumber number :
       {RequestNumber{.number = 1}, RequestNumber{.number = 3, .unanswered = 2},
        RequestNumber{.number = RequestNumber::kNumberMax,
        .unanswered = RequestNumber::kUnansweredMax}}) {
    bytes += RequestBytes(Dialect::kModern, absl::StrCat("numbered ", number.Pack()));
    bytes += RequestBytes(Dialect::kModern, R"(add "/n" 1)");
  }
  // Numbers that are none, and one with no request behind it.
  for (const absl::string_view line : {"numbered 0", "numbered -1", "numbered 65537"}) {
    bytes += RequestBytes(Dialect::kModern, line);
  }
  return bytes;
}

bool MakeRequestSeeds(const std::filesystem::path& folder) {
  const std::string modern = AllRequests(Dialect::kModern);
  return WriteSeed(folder / "modern", std::string{0, kPiece} + modern) &&
         WriteSeed(folder / "modern_strict", std::string{kStrict, 0} + modern.substr(0, 60)) &&
         WriteSeed(folder / "modern_small_limits", std::string{kSmallLimits, kPiece} + modern) &&
         WriteSeed(folder / "legacy", std::string{0, kPiece} + AllRequests(Dialect::kLegacy)) &&
         WriteSeed(folder / "torch21",
                   std::string{kTorch21, kPiece} + AllRequests(Dialect::kTorch21)) &&
         WriteSeed(folder / "ours", std::string{0, kPiece} + OurRequests()) &&
         WriteSeed(folder / "wrong_magic", std::string{0, 0} + Unhex("00 DE AD BE EF")) &&
         WriteSeed(folder / "http", std::string{0, kPiece} + "GET / HTTP/1.1\r\n\r\n");
}

bool MakeReplySeeds(const std::filesystem::path& folder) {
  for (const ReplySeed& seed : kReplySeeds) {
    std::string bytes = {static_cast<char>(seed.kind), seed.texts, kPiece};
    if (!AppendReplyLine(seed.line, bytes).ok()) return false;
    const std::string name(ReplyKindName(seed.kind));
    if (!WriteSeed(folder / name, bytes)) return false;
  }
  std::string features = {static_cast<char>(ReplyKind::kNonce), 0, kPiece};
  const std::string answer =
      absl::StrCat("nonce ", PingAnswer(kAskFeatures, kServerFeatures | kKeepsJournal));
  if (!AppendReplyLine(answer, features).ok()) return false;
  // Where a value was expected: a length that no value has.
  std::string goodbye = {static_cast<char>(ReplyKind::kBytes), 0, kPiece};
  AppendGoodbye("STORE_FULL", "the store holds all that it may hold", goodbye);
  return WriteSeed(folder / "features", features) && WriteSeed(folder / "goodbye", goodbye);
}

}  // namespace
}  // namespace rollcall::protocol

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_corpus FOLDER\n");
    return 1;
  }
  const std::filesystem::path folder = argv[1];
  const bool made = rollcall::protocol::MakeRequestSeeds(folder / "request_parser_corpus") &&
                    rollcall::protocol::MakeReplySeeds(folder / "reply_parser_corpus");
  if (!made) std::fprintf(stderr, "make_corpus: cannot write below %s\n", argv[1]);
  return made ? 0 : 1;
}
