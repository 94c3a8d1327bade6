#include "fault_injection/sim_packet.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "absl/types/span.h"
#include "glog/logging.h"

namespace rollcall::fault {
namespace {

size_t SizeClass(absl::Span<const uint32_t> rooms, size_t room_bytes) {
  size_t size_class = 0;
  while (rooms[size_class] < room_bytes) ++size_class;
  return size_class;
}

}  // namespace

PacketPool::~PacketPool() {
  for (Packet* list : free_) {
    while (list != nullptr) ::operator delete(std::exchange(list, list->next));
  }
}

Packet* PacketPool::New(PacketKind kind, size_t room_bytes) {
  DCHECK_LE(room_bytes, kPacketBytesMax);
  const size_t size_class = SizeClass(kRoomBytes, room_bytes);
  Packet* packet = free_[size_class];
  if (packet != nullptr) {
    free_[size_class] = packet->next;
    packet->next = nullptr;
    packet->begin = packet->end = 0;
  } else {
    packet = new (::operator new(sizeof(Packet) + kRoomBytes[size_class])) Packet;
    packet->capacity_bytes = kRoomBytes[size_class];
  }
  packet->kind = kind;
  ++in_use_;
  return packet;
}

void PacketPool::Free(Packet* packet) {
  Packet*& list = free_[SizeClass(kRoomBytes, packet->capacity_bytes)];
  packet->next = list;
  list = packet;
  --in_use_;
}

void PacketQueue::Prepend(PacketQueue& earlier) {
  if (earlier.empty()) return;
  earlier.last_->next = first_;
  if (last_ == nullptr) last_ = earlier.last_;
  first_ = earlier.first_;
  size_bytes_ += earlier.size_bytes_;
  earlier = PacketQueue();
}

void PacketQueue::Clear(PacketPool& pool) {
  while (!empty()) pool.Free(Pop());
}

size_t PacketQueue::AppendToLast(absl::string_view bytes) {
  if (last_ == nullptr || last_->kind != PacketKind::kData) return 0;
  const size_t taken = std::min<size_t>(bytes.size(), last_->capacity_bytes - last_->end);
  if (taken == 0) return 0;
  std::memcpy(last_->bytes() + last_->end, bytes.data(), taken);
  last_->end += static_cast<uint32_t>(taken);
  size_bytes_ += taken;
  return taken;
}

size_t PacketQueue::Peek(char* buffer, size_t size_bytes) const {
  size_t copied = 0;
  for (Packet* packet = first_; packet != nullptr && copied < size_bytes; packet = packet->next) {
    const size_t taken = std::min(size_bytes - copied, packet->size_bytes());
    std::memcpy(buffer + copied, packet->bytes() + packet->begin, taken);
    copied += taken;
  }
  return copied;
}

size_t PacketQueue::Read(char* buffer, size_t size_bytes, PacketPool& pool) {
  size_t copied = 0;
  while (first_ != nullptr && copied < size_bytes) {
    const size_t taken = std::min(size_bytes - copied, first_->size_bytes());
    std::memcpy(buffer + copied, first_->bytes() + first_->begin, taken);
    copied += taken;
    first_->begin += static_cast<uint32_t>(taken);
    size_bytes_ -= taken;
    if (first_->size_bytes() == 0) pool.Free(Pop());
  }
  return copied;
}

}  // namespace rollcall::fault
