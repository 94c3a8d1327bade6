// Hashes that are the same in every run and every build: what is drawn from a seed and what is
// compared between two runs must not hang on an address or on a salt of the day.
#ifndef ROLLCALL_FAULT_INJECTION_STABLE_HASH_H_
#define ROLLCALL_FAULT_INJECTION_STABLE_HASH_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"

namespace rollcall::fault {

// Every bit of the result hangs on every bit of `value`; no two values share a result.
inline uint64_t Scramble(uint64_t value) {
  value ^= value >> 30;
  value *= 0xbf58476d1ce4e5b9;
  value ^= value >> 27;
  value *= 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

// The order matters: HashCombine(a, b) != HashCombine(b, a).
inline uint64_t HashCombine(uint64_t hash, uint64_t value) {
  return Scramble(hash * 0x9e3779b97f4a7c15 + value + 0x632be59bd9b4e019);
}

// The last `left` bytes (fewer than eight) as a number. Loads overlap, so that no loop and no call
// is needed for a few bytes.
inline uint64_t TailWord(absl::string_view bytes, size_t left) {
  if (left == 0) return 0;
  const char* const end = bytes.data() + bytes.size();
  const auto byte = [&](size_t i) {
    return uint64_t{static_cast<uint8_t>(*(end - left + i))} << (8 * i);
  };
  if (left < 4) return byte(0) | byte(left / 2) | byte(left - 1);
  if (bytes.size() >= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, end - sizeof(word), sizeof(word));
    return word >> (8 * (sizeof(word) - left));
  }
  uint32_t first;
  uint32_t last;
  std::memcpy(&first, end - left, sizeof(first));
  std::memcpy(&last, end - sizeof(last), sizeof(last));
  return first | uint64_t{last} << (8 * (left - sizeof(last)));
}

// On a little-endian machine, as all are on which Rollcall is built.
inline uint64_t HashBytes(absl::string_view bytes) {
  uint64_t hash = bytes.size();
  const char* next = bytes.data();
  size_t left = bytes.size();
  for (; left >= sizeof(uint64_t); next += sizeof(uint64_t), left -= sizeof(uint64_t)) {
    uint64_t word;
    std::memcpy(&word, next, sizeof(word));
    hash = (hash ^ word) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 29;
  }
  return HashCombine(hash, TailWord(bytes, left));
}

// For what is longer than a name: four words at a time, which do not wait for each other.
inline uint64_t HashPayload(absl::string_view bytes) {
  constexpr size_t kBlockBytes = 4 * sizeof(uint64_t);
  const auto mix = [](uint64_t lane, const char* from) {
    uint64_t word;
    std::memcpy(&word, from, sizeof(word));
    lane = (lane ^ word) * 0x9e3779b97f4a7c15;
    return lane ^ lane >> 29;
  };
  uint64_t a = 1, b = 2, c = 3, d = 4;
  uint64_t hash = 0;
  if (bytes.size() >= kBlockBytes) {
    do {
      const char* const block = bytes.data();
      a = mix(a, block);
      b = mix(b, block + 8);
      c = mix(c, block + 16);
      d = mix(d, block + 24);
      bytes.remove_prefix(kBlockBytes);
    } while (bytes.size() >= kBlockBytes);
    hash = HashCombine(HashCombine(a, b), HashCombine(c, d));
  }
  return HashCombine(hash, HashBytes(bytes));
}

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_STABLE_HASH_H_
