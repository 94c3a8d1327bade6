#include "fault_injection/stable_hash.h"

#include <cstdint>
#include <cstring>
#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace rollcall::fault {
namespace {

constexpr absl::string_view kText =
    "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

// Saved choices are found by such hashes, so a value must never change.
TEST(StableHash, ValuesAreThoseOfEveryBuildBefore) {
  EXPECT_EQ(HashBytes(""), HashCombine(0, 0));
  EXPECT_EQ(HashBytes("w0"), HashCombine(2, 0x3077));
  EXPECT_EQ(HashBytes("recv"), HashCombine(4, 0x76636572));
}

TEST(StableHash, TailIsTheLastBytesWhateverComesBeforeThem) {
  for (size_t size = 0; size <= kText.size(); ++size) {
    const absl::string_view bytes = kText.substr(0, size);
    const size_t left = size % sizeof(uint64_t);
    uint64_t expected = 0;
    std::memcpy(&expected, bytes.data() + size - left, left);
    EXPECT_EQ(TailWord(bytes, left), expected) << "of " << size << " bytes";
  }
}

TEST(StableHash, EveryByteAndEveryLengthCounts) {
  std::set<uint64_t> names;
  std::set<uint64_t> payloads;
  for (size_t size = 0; size <= kText.size(); ++size) {
    std::string bytes(kText.substr(0, size));
    EXPECT_TRUE(names.insert(HashBytes(bytes)).second) << "of " << size << " bytes";
    EXPECT_TRUE(payloads.insert(HashPayload(bytes)).second) << "of " << size << " bytes";
  }
  std::string bytes(kText);
  for (char& byte : bytes) {
    byte ^= 1;
    EXPECT_TRUE(names.insert(HashBytes(bytes)).second) << "at " << byte;
    EXPECT_TRUE(payloads.insert(HashPayload(bytes)).second) << "at " << byte;
    byte ^= 1;
  }
}

}  // namespace
}  // namespace rollcall::fault
