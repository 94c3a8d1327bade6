// Cuts bytes into pieces, for fuzz targets that compare what comes of different cuts.
#ifndef ROLLCALL_STORE_PROTOCOL_FUZZ_PIECES_H_
#define ROLLCALL_STORE_PROTOCOL_FUZZ_PIECES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"

namespace rollcall::protocol {

// `pattern` decides where: 0 cuts at every byte, others somewhere, always in the same places.
inline std::vector<absl::string_view> Pieces(absl::string_view bytes, uint8_t pattern) {
  std::vector<absl::string_view> pieces;
  uint32_t state = pattern;
  while (!bytes.empty()) {
    state = state * 1664525 + 1013904223;
    pieces.push_back(bytes.substr(0, pattern == 0 ? 1 : 1 + (state >> 16) % pattern));
    bytes.remove_prefix(pieces.back().size());
  }
  return pieces;
}

}  // namespace rollcall::protocol

#endif  // ROLLCALL_STORE_PROTOCOL_FUZZ_PIECES_H_
