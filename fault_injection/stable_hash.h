// Hashes that are the same in every run and every build: what is drawn from a seed and what is
// compared between two runs must not hang on an address or on a salt of the day.
#ifndef ROLLCALL_FAULT_INJECTION_STABLE_HASH_H_
#define ROLLCALL_FAULT_INJECTION_STABLE_HASH_H_

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
  uint64_t tail = 0;
  if (left > 0) std::memcpy(&tail, next, left);
  return HashCombine(hash, tail);
}

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_STABLE_HASH_H_
