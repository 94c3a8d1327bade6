// The same bytes give the same requests however they are cut, and no changed byte does harm.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "store/protocol/wire_text.h"

namespace rollcall::protocol {
namespace {

class RequestCuts : public testing::TestWithParam<Dialect> {
 protected:
  RequestCuts() {
    if (GetParam() != Dialect::kModern) options_.legacy_dialect = GetParam();
  }

  // Each line the dialect can say, after the greeting, with what must come out.
  struct Sample {
    std::string bytes;
    Heard heard;
  };
  std::vector<Sample> Samples() {
    std::vector<Sample> samples;
    for (absl::string_view line : SampleRequests()) {
      const std::string bytes = RequestBytes(GetParam(), line);
      if (bytes.empty()) continue;
      samples.push_back({Greeting(GetParam()) + bytes, {{std::string(line)}, false}});
    }
    return samples;
  }

  ParserOptions options_;
};

TEST_P(RequestCuts, EveryRequestAtEveryByte) {
  for (const Sample& sample : Samples()) {
    const absl::string_view wire = sample.bytes;
    for (size_t cut = 0; cut <= wire.size(); ++cut) {
      EXPECT_EQ(HearPieces(options_, {wire.substr(0, cut), wire.substr(cut)}), sample.heard)
          << sample.heard.requests[0] << " cut at byte " << cut;
    }
  }
}

TEST_P(RequestCuts, EveryRequestAtEveryPairOfBytes) {
  for (const Sample& sample : Samples()) {
    const absl::string_view wire = sample.bytes;
    for (size_t first = 0; first <= wire.size(); ++first) {
      for (size_t second = first; second <= wire.size(); ++second) {
        EXPECT_EQ(HearPieces(options_, {wire.substr(0, first), wire.substr(first, second - first),
                                        wire.substr(second)}),
                  sample.heard)
            << sample.heard.requests[0] << " cut at bytes " << first << " and " << second;
      }
    }
  }
}

TEST_P(RequestCuts, AllRequestsPipelinedInPiecesOfEverySize) {
  std::string wire = Greeting(GetParam());
  Heard expected;
  for (absl::string_view line : SampleRequests()) {
    const std::string bytes = RequestBytes(GetParam(), line);
    if (!bytes.empty()) expected.requests.push_back(std::string(line));
    wire += bytes;
  }
  for (size_t size = 1; size <= wire.size(); ++size) {
    std::vector<absl::string_view> pieces;
    for (size_t at = 0; at < wire.size(); at += size) {
      pieces.push_back(absl::string_view(wire).substr(at, size));
    }
    EXPECT_EQ(HearPieces(options_, pieces), expected) << "pieces of " << size;
  }
}

// As a server that reads long values into their places: all that there is room for, some, or none.
TEST_P(RequestCuts, ALongValueMayBePutInPlaceHoweverItComes) {
  const std::string value(4'000'000, 'v');
  const std::string wire = Greeting(GetParam()) +
                           RequestBytes(GetParam(), absl::StrCat("set \"/k\" \"", value, "\"")) +
                           RequestBytes(GetParam(), "add \"/n\" 1");
  for (const size_t piece_bytes : {1'000, 100'000, 4'000'000}) {
    RequestParser parser(&options_);
    absl::string_view left = wire;
    std::vector<std::string> keys;
    size_t in_place = 0;
    for (size_t step = 0; !left.empty(); ++step) {
      const absl::Span<char> room = step % 5 == 4 ? absl::Span<char>() : parser.TextRoom();
      if (!room.empty() && step % 7 == 6) continue;  // Nothing came.
      const size_t count =
          std::min({piece_bytes, left.size(), room.empty() ? left.size() : room.size()});
      const absl::string_view piece = left.substr(0, count);
      left.remove_prefix(count);
      if (!room.empty()) {
        std::memcpy(room.data(), piece.data(), count);
        parser.TookInPlace(count);
        in_place += count;
        continue;
      }
      parser.Feed(piece);
      while (Request* const request = parser.Next()) {
        keys.push_back(request->keys[0]);
        if (!request->values.empty()) {
          EXPECT_TRUE(request->values[0] == value);
        }
      }
    }
    EXPECT_TRUE(parser.status().ok()) << parser.status();
    EXPECT_EQ(keys, (std::vector<std::string>{"/k", "/n"})) << "in pieces of " << piece_bytes;
    if (piece_bytes < 4'000'000) {
      EXPECT_GT(in_place, 2'000'000u);
    }
  }
}

TEST_P(RequestCuts, EveryPrefixIsNoRequestYetAndNoError) {
  for (const Sample& sample : Samples()) {
    for (size_t end = 0; end < sample.bytes.size(); ++end) {
      EXPECT_EQ(HearPieces(options_, {absl::string_view(sample.bytes).substr(0, end)}), Heard())
          << sample.heard.requests[0] << " up to byte " << end;
    }
  }
}

TEST_P(RequestCuts, EveryByteChangedInEveryWayDoesNoHarmAndCutsTheSame) {
  for (const Sample& sample : Samples()) {
    for (size_t at = 0; at < sample.bytes.size(); ++at) {
      std::string changed = sample.bytes;
      for (int value = 0; value < 256; ++value) {
        changed[at] = static_cast<char>(value);
        const absl::string_view wire = changed;
        const Heard whole = HearPieces(options_, {wire});
        EXPECT_EQ(
            HearPieces(options_, {wire.substr(0, at), wire.substr(at, 1), wire.substr(at + 1)}),
            whole)
            << sample.heard.requests[0] << " with byte " << at << " = " << value;
      }
    }
  }
}

TEST_P(RequestCuts, SamplesCoverEveryOperationOfTheDialect) {
  for (const OperationRow& row : kOperations) {
    if (!OpcodeOf(GetParam(), row.operation).has_value()) continue;
    if (row.operation == Operation::kValidate) continue;
    bool found = false;
    for (const Sample& sample : Samples()) {
      found |=
          absl::StrCat(sample.heard.requests[0], " ").rfind(absl::StrCat(row.name, " "), 0) == 0;
    }
    EXPECT_TRUE(found) << row.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Dialects, RequestCuts, testing::ValuesIn(kDialects),
                         [](const auto& info) { return std::string(DialectName(info.param)); });

}  // namespace
}  // namespace rollcall::protocol
