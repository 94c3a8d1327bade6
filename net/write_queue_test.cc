#include "net/write_queue.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gtest/gtest.h"

namespace rollcall::net {
namespace {

// The oldest bytes, as far as `part_count` parts show them.
std::string Seen(const WriteQueue& queue, size_t part_count) {
  std::vector<iovec> parts(part_count);
  const size_t used = queue.Peek(absl::MakeSpan(parts));
  std::string bytes;
  for (size_t i = 0; i < used; ++i) {
    bytes.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  }
  return bytes;
}

std::string Counting(size_t size_bytes) {
  std::string bytes(size_bytes, '\0');
  for (size_t i = 0; i < size_bytes; ++i) bytes[i] = static_cast<char>(i * 7 + i / 251);
  return bytes;
}

TEST(WriteQueue, GathersSmallWritesInOnePart) {
  WriteQueue queue;
  EXPECT_EQ(Seen(queue, 4), "");
  queue.Append("one");
  queue.Append("");
  queue.Append("two");
  EXPECT_EQ(queue.size_bytes(), 6u);
  EXPECT_EQ(Seen(queue, 1), "onetwo");
}

TEST(WriteQueue, GivesBackWhatItGotHoweverItIsTaken) {
  const std::string bytes = Counting(5 * WriteQueue::kChunkBytes + 123);
  for (const size_t step : {size_t{1000}, WriteQueue::kChunkBytes, bytes.size()}) {
    WriteQueue queue;
    queue.Append(absl::string_view(bytes).substr(0, 10));
    queue.Append(absl::string_view(bytes).substr(10));
    size_t taken = 0;
    while (queue.size_bytes() > 0) {
      const std::string seen = Seen(queue, 8);
      ASSERT_FALSE(seen.empty());
      ASSERT_TRUE(bytes.compare(taken, seen.size(), seen) == 0) << "after " << taken;
      const size_t count = std::min({step, seen.size(), queue.size_bytes()});
      queue.Consume(count);
      taken += count;
    }
    EXPECT_EQ(taken, bytes.size());
    EXPECT_EQ(Seen(queue, 8), "");
  }
}

TEST(WriteQueue, TakesMoreWhileItIsEmptied) {
  WriteQueue queue;
  std::string expected;
  std::string taken;
  for (int i = 0; i < 300; ++i) {
    const std::string piece = Counting(static_cast<size_t>(i) * 11);
    queue.Append(piece);
    expected += piece;
    const std::string seen = Seen(queue, 1).substr(0, static_cast<size_t>(i) * 5);
    taken += seen;
    queue.Consume(seen.size());
    ASSERT_EQ(queue.size_bytes(), expected.size() - taken.size());
  }
  taken += Seen(queue, 1000);
  EXPECT_TRUE(taken == expected);
}

}  // namespace
}  // namespace rollcall::net
