// How many connections each peer has, by its address.
#ifndef ROLLCALL_STORE_SERVER_PEER_COUNTS_H_
#define ROLLCALL_STORE_SERVER_PEER_COUNTS_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "net/address.h"

namespace rollcall {

// One thread lets in. Tickets are for whichever thread has them, and may outlive the counts.
class PeerCounts {
 public:
  // A connection, which counts until this is destroyed or empty.
  class Ticket {
   public:
    Ticket() = default;  // Of none.
    Ticket(Ticket&& other) noexcept = default;
    Ticket& operator=(Ticket&& other) noexcept {
      GiveBack();
      count_ = std::move(other.count_);
      return *this;
    }
    ~Ticket() { GiveBack(); }

    bool is_empty() const { return count_ == nullptr; }

   private:
    friend class PeerCounts;
    explicit Ticket(std::shared_ptr<std::atomic<size_t>> count) : count_(std::move(count)) {}
    void GiveBack() {
      if (count_ != nullptr) count_->fetch_sub(1);
      count_ = nullptr;
    }

    std::shared_ptr<std::atomic<size_t>> count_;
  };

  // 0: as many as come; then nothing is counted.
  explicit PeerCounts(size_t connections_max) : connections_max_(connections_max) {}

  // nullopt if connections_max have come from that address, of whatever ports, and not gone.
  std::optional<Ticket> Admit(const net::SocketAddress& peer);

  size_t connections_max() const { return connections_max_; }
  // For tests: how many addresses take memory.
  size_t remembered() const { return counts_.size(); }

 private:
  void ForgetThoseWithNone();

  const size_t connections_max_;
  absl::flat_hash_map<net::IpBytes, std::shared_ptr<std::atomic<size_t>>> counts_;
  size_t forget_at_ = 0;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_PEER_COUNTS_H_
