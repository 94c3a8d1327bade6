#include "store/server/outbox.h"

#include <cstdint>

#include "store/protocol/reply_writer.h"

namespace rollcall {
namespace {

// What is kept from one flush to the next. A wake-up of all ranks needs many entries of one byte, a
// pipelining client one of many kilobytes.
constexpr size_t kKeptEntriesMax = 64;
constexpr size_t kKeptFirstBytesMax = 256 << 10;
constexpr size_t kKeptOtherBytesMax = 1 << 10;

}  // namespace

size_t Outbox::gathered_bytes(const Session& session) const {
  return session.outbox_place == 0 ? 0 : entries_[session.outbox_place - 1].bytes.size();
}

std::string& Outbox::BytesFor(Session& session) {
  if (session.outbox_place == 0) {
    if (used_ == entries_.size()) entries_.emplace_back();
    entries_[used_].session = &session;
    session.outbox_place = static_cast<uint32_t>(++used_);
  }
  return entries_[session.outbox_place - 1].bytes;
}

void Outbox::Append(Session& session, const protocol::Reply& reply) {
  std::string& bytes = BytesFor(session);
  const size_t before = bytes.size();
  protocol::AppendReply(reply, bytes);
  total_bytes_ += bytes.size() - before;
}

void Outbox::AppendBytes(Session& session, absl::string_view bytes) {
  BytesFor(session).append(bytes.data(), bytes.size());
  total_bytes_ += bytes.size();
}

void Outbox::Flush(const Session* last, absl::FunctionRef<void(Session&)> written) {
  Entry* last_entry = nullptr;
  for (size_t i = 0; i < used_; ++i) {
    Entry& entry = entries_[i];
    if (entry.session == nullptr) continue;
    if (entry.session == last) {
      last_entry = &entry;
      continue;
    }
    Session& session = *entry.session;
    Write(entry);
    written(session);
  }
  if (last_entry != nullptr) {
    Session& session = *last_entry->session;
    Write(*last_entry);
    written(session);
  }
  used_ = 0;
  if (entries_.size() > kKeptEntriesMax) {
    entries_.resize(kKeptEntriesMax);
    entries_.shrink_to_fit();
  }
}

void Outbox::FlushOne(Session& session) {
  if (session.outbox_place != 0) Write(entries_[session.outbox_place - 1]);
}

void Outbox::Drop(Session& session) {
  if (session.outbox_place != 0) Empty(entries_[session.outbox_place - 1]);
}

void Outbox::Write(Entry& entry) {
  if (!entry.bytes.empty()) entry.session->stream().Write(entry.bytes);
  Empty(entry);
}

void Outbox::Empty(Entry& entry) {
  total_bytes_ -= entry.bytes.size();
  const size_t kept_max = &entry == entries_.data() ? kKeptFirstBytesMax : kKeptOtherBytesMax;
  if (entry.bytes.capacity() > kept_max) {
    entry.bytes = std::string();
  } else {
    entry.bytes.clear();
  }
  entry.session->outbox_place = 0;
  entry.session = nullptr;
}

}  // namespace rollcall
