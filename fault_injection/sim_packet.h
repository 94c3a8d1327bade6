// What travels between simulated sockets, and the queues that it waits in.
#ifndef ROLLCALL_FAULT_INJECTION_SIM_PACKET_H_
#define ROLLCALL_FAULT_INJECTION_SIM_PACKET_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/packet_kind.h"

namespace rollcall::fault {

// A packet, and the bytes it carries behind itself. Made by a PacketPool, freed by it.
struct Packet {
  Packet* next = nullptr;
  absl::Time arrives;
  absl::Time sent;     // Only while somebody observes.
  uint32_t begin = 0;  // Of what has not been read yet.
  uint32_t end = 0;
  uint32_t capacity_bytes = 0;
  PacketKind kind = PacketKind::kData;

  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  size_t size_bytes() const { return end - begin; }
  absl::string_view payload() { return absl::string_view(bytes() + begin, size_bytes()); }
};

// Larger sends travel in several packets.
constexpr size_t kPacketBytesMax = 64 << 10;

// Memory for packets, in three sizes, kept for the next. Frees all of it at its end.
class PacketPool {
 public:
  PacketPool() = default;
  ~PacketPool();
  PacketPool(const PacketPool&) = delete;
  PacketPool& operator=(const PacketPool&) = delete;

  // Room for `room_bytes` (at most kPacketBytesMax) or more.
  Packet* New(PacketKind kind, size_t room_bytes);
  void Free(Packet* packet);
  // How many are out.
  size_t in_use() const { return in_use_; }

 private:
  static constexpr std::array<uint32_t, 3> kRoomBytes = {192, 4096, kPacketBytesMax};

  std::array<Packet*, kRoomBytes.size()> free_ = {};
  size_t in_use_ = 0;
};

// First in, first out. Owns nothing: clear it into a pool.
class PacketQueue {
 public:
  bool empty() const { return first_ == nullptr; }
  Packet* first() const { return first_; }
  Packet* last() const { return last_; }
  size_t size_bytes() const { return size_bytes_; }

  void Push(Packet* packet) {
    packet->next = nullptr;
    (first_ == nullptr ? first_ : last_->next) = packet;
    last_ = packet;
    size_bytes_ += packet->size_bytes();
  }
  Packet* Pop() {
    Packet* const packet = first_;
    first_ = packet->next;
    if (first_ == nullptr) last_ = nullptr;
    size_bytes_ -= packet->size_bytes();
    packet->next = nullptr;
    return packet;
  }
  // Puts all of `earlier` before what is here.
  void Prepend(PacketQueue& earlier);
  void Clear(PacketPool& pool);

  // Adds as many bytes as the last packet has room for; how many.
  size_t AppendToLast(absl::string_view bytes);
  // Copies up to `size_bytes` out and leaves them here.
  size_t Peek(char* buffer, size_t size_bytes) const;
  // As Peek, and takes them away.
  size_t Read(char* buffer, size_t size_bytes, PacketPool& pool);

 private:
  Packet* first_ = nullptr;
  Packet* last_ = nullptr;
  size_t size_bytes_ = 0;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_SIM_PACKET_H_
