// One connection of a server: what is known of it, and where in its life it is.
#ifndef ROLLCALL_STORE_SERVER_SESSION_H_
#define ROLLCALL_STORE_SERVER_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "net/event_loop.h"
#include "store/engine/client_id.h"
#include "store/protocol/dialect.h"
#include "store/protocol/request_parser.h"
#include "store/server/name_space_traffic.h"
#include "store/server/peer_counts.h"
#include "store/server/token_gate.h"

namespace rollcall {

class Session;
class SessionQueue;

// Decides what happens to a session's events.
class SessionOwner {
 public:
  virtual void OnBytes(Session& session, absl::string_view bytes) = 0;
  virtual absl::Span<char> Room(Session& session) = 0;
  virtual void OnBytesInPlace(Session& session, size_t count) = 0;
  virtual void OnDrained(Session& session) = 0;
  virtual void OnEnd(Session& session, const absl::Status& why) = 0;

 protected:
  ~SessionOwner() = default;
};

enum class SessionPhase : uint8_t {
  kSilent,     // Has said nothing yet.
  kOpen,       // Is served.
  kDoomed,     // Is not served any more; is closed, or lingers, once the engine's batch has ended.
  kLingering,  // Is not served any more; waits for the replies that are due to be taken.
  kClosed,
};

// What is known of a session because not everybody is let in.
struct Admission {
  std::unique_ptr<TokenGate> gate;    // nullptr once it has shown a token, or need not.
  std::optional<int> told_rank = {};  // Before it had; for the engine.
  PeerCounts::Ticket ticket;          // Empty once it is closed.
  // Both nullptr: the default one.
  std::shared_ptr<const std::string> name_space;
  NameSpaceTraffic* traffic = nullptr;
};

// A server holds ten thousands of these that do nothing: keep it small. All that only a busy one
// needs is behind a pointer and gone when it is idle. Loop's thread only.
class Session final : public net::StreamHandler {
 public:
  // `*owner` must outlive the session.
  Session(SessionOwner* owner, engine::ClientId id, std::unique_ptr<net::Stream> stream)
      : owner_(owner), id_(id), stream_(std::move(stream)) {}

  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  engine::ClientId id() const { return id_; }
  net::Stream& stream() { return *stream_; }

  void OnBytes(absl::string_view bytes) override { owner_->OnBytes(*this, bytes); }
  absl::Span<char> Room() override {
    // Nearly always, and asked before each read.
    if (parser == nullptr) return {};
    return owner_->Room(*this);
  }
  void OnBytesInPlace(size_t count) override { owner_->OnBytesInPlace(*this, count); }
  void OnDrained() override { owner_->OnDrained(*this); }
  void OnEnd(absl::Status why) override { owner_->OnEnd(*this, why); }

  // --- State, kept by the owner ---
  SessionPhase phase = SessionPhase::kSilent;
  // Set by the first bytes.
  std::optional<protocol::Dialect> dialect;
  // By the engine: from its first request on, until it is finished.
  bool is_known = false;
  // The stream is not read from: too many reply bytes are unsent, or one of the next two.
  bool paused = false;
  // Of an engine that answers later: it has enough of this session's requests, ...
  bool engine_is_full = false;
  // ... or it has not done them all, and the session is over then.
  bool is_finishing = false;
  // It is told why it is hung up on (protocol/goodbye.h).
  bool takes_goodbye = false;
  // Its number in the Outbox, plus one; 0: nothing is gathered for it.
  uint32_t outbox_place = 0;
  // nullptr where everybody is let in, and to the same.
  std::unique_ptr<Admission> admission;
  absl::string_view name_space() const {
    if (admission == nullptr || admission->name_space == nullptr) return "";
    return *admission->name_space;
  }
  NameSpaceTraffic* traffic() const { return admission == nullptr ? nullptr : admission->traffic; }
  // Holds the part of a request that has come; nullptr between requests.
  std::unique_ptr<protocol::RequestParser> parser;
  // What had come and was not yet parsed when the session was paused; nullptr if nothing.
  std::unique_ptr<std::string> held;

 private:
  friend class SessionQueue;

  SessionOwner* const owner_;
  const engine::ClientId id_;
  const std::unique_ptr<net::Stream> stream_;

  // Its place in the one SessionQueue it may be in.
  SessionQueue* queue_ = nullptr;
  Session* previous_ = nullptr;
  Session* next_ = nullptr;
  absl::Time queued_at_;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_SESSION_H_
