// The primitives of the wire: little-endian integers, and texts with their length before them;
// whole when written, in any pieces when read.
#ifndef ROLLCALL_STORE_PROTOCOL_WIRE_H_
#define ROLLCALL_STORE_PROTOCOL_WIRE_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/string_view.h"

namespace rollcall::protocol::wire {

// The width of every length and count.
inline constexpr size_t kLengthBytes = sizeof(uint64_t);

constexpr uint64_t ToLittleEndian(uint64_t value) {
  if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
  return value;
}

constexpr uint32_t ToLittleEndian(uint32_t value) {
  if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap32(value);
  return value;
}

template <typename Unsigned>
void Put(Unsigned value, std::string& out) {
  value = ToLittleEndian(value);
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

inline void PutByte(uint8_t value, std::string& out) { out.push_back(static_cast<char>(value)); }

inline void PutText(absl::string_view text, std::string& out) {
  Put(uint64_t{text.size()}, out);
  out.append(text.data(), text.size());
}

// As Put and PutText, for many in a row: Extend gives room for all of them, and the others return
// where the next one goes.
inline char* Extend(std::string& out, size_t size_bytes) {
  out.resize(out.size() + size_bytes);
  return out.data() + out.size() - size_bytes;
}

template <typename Unsigned>
char* Store(Unsigned value, char* to) {
  value = ToLittleEndian(value);
  std::memcpy(to, &value, sizeof(value));
  return to + sizeof(value);
}

// Most texts are short, and a call would cost more than to copy them here.
inline char* StoreText(absl::string_view text, char* to) {
  const size_t size = text.size();
  to = Store(uint64_t{size}, to);
  char* const end = to + size;
  if (size >= sizeof(uint64_t) && size <= 2 * sizeof(uint64_t)) {
    std::memcpy(to, text.data(), sizeof(uint64_t));
    std::memcpy(end - sizeof(uint64_t), text.data() + size - sizeof(uint64_t), sizeof(uint64_t));
  } else if (size >= sizeof(uint32_t) && size < sizeof(uint64_t)) {
    std::memcpy(to, text.data(), sizeof(uint32_t));
    std::memcpy(end - sizeof(uint32_t), text.data() + size - sizeof(uint32_t), sizeof(uint32_t));
  } else if (size > 0) {
    std::memcpy(to, text.data(), size);
  }
  return end;
}

// Reads sizeof(Unsigned) bytes.
template <typename Unsigned>
Unsigned Get(const char* bytes) {
  Unsigned value;
  std::memcpy(&value, bytes, sizeof(value));
  return ToLittleEndian(value);
}

// Moves bytes from the front of `in` to `word` until it has `width` of them (4 or 8); `arrived`
// counts those that came in earlier pieces, 0 at first. Returns whether the word is whole; then
// `arrived` is 0 again, for the next one.
inline bool TakeWord(absl::string_view& in, size_t width, uint64_t& word, uint8_t& arrived) {
  if (arrived == 0 && in.size() >= width) {
    word = width == sizeof(uint64_t) ? Get<uint64_t>(in.data()) : Get<uint32_t>(in.data());
    in.remove_prefix(width);
    return true;
  }
  if (arrived == 0) word = 0;
  while (arrived < width && !in.empty()) {
    word |= uint64_t{static_cast<uint8_t>(in.front())} << (8 * arrived);
    ++arrived;
    in.remove_prefix(1);
  }
  if (arrived < width) return false;
  arrived = 0;
  return true;
}

// A text is given room for at most this many times what has come of it. So a peer pays for the
// memory it takes, and a long text is still copied only 1 + 1/15 times.
inline constexpr uint64_t kTextGrowth = 16;

// Room in `text` for `arrived` bytes of the `whole` that it is to have.
inline void ReserveText(uint64_t arrived, uint64_t whole, std::string& text) {
  if (arrived <= text.capacity()) return;
  text.reserve(static_cast<size_t>(std::min(whole, arrived * kTextGrowth)));
}

// Moves at most `left` bytes from the front of `in` to the end of `text`. Returns whether the text
// is whole; `left` is what is missing of it.
inline bool TakeText(absl::string_view& in, uint64_t& left, std::string& text) {
  const size_t taken = static_cast<size_t>(std::min<uint64_t>(left, in.size()));
  ReserveText(text.size() + taken, text.size() + left, text);
  text.append(in.data(), taken);
  in.remove_prefix(taken);
  left -= taken;
  return left == 0;
}

}  // namespace rollcall::protocol::wire

#endif  // ROLLCALL_STORE_PROTOCOL_WIRE_H_
