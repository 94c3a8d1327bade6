// Who is let in, and to which of a server's event loops. Its limits hold over all loops together.
#ifndef ROLLCALL_STORE_SERVER_DOORKEEPER_H_
#define ROLLCALL_STORE_SERVER_DOORKEEPER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "absl/functional/any_invocable.h"

namespace rollcall {

// One thread admits: that of the loop that accepts. The rest is for any thread, each loop telling
// of its own connections.
class Doorkeeper {
 public:
  // What connections_max is where nobody has set one: more than a process can have.
  static constexpr size_t kConnectionsMax = size_t{1} << 24;
  static constexpr uint64_t kNobody = std::numeric_limits<uint64_t>::max();

  Doorkeeper(size_t loops, size_t connections_max, size_t silent_max);

  struct Place {
    size_t loop = 0;
    uint64_t arrival = 0;  // How manieth connection of the server it is.
  };
  // Where one more connection goes: to the loop that has the fewest, so that they stay even
  // whatever leaves. nullopt if connections_max are there: those let in and not yet said to have
  // left.
  std::optional<Place> Admit();
  void Left(size_t loop);

  // --- Those that have said nothing yet ---
  // `make_way` is called, from any thread, when the loop's oldest silent connection is to be
  // closed. Once for each loop, before there are connections.
  void SetMakeWay(size_t loop, absl::AnyInvocable<void()> make_way);
  // One has come to `loop`, and the oldest there is now the one of `oldest`. If there are more than
  // silent_max over all loops, the loop with the oldest is told to let it go.
  void Silent(size_t loop, uint64_t oldest);
  // One has spoken, or left before it did; `oldest` may be kNobody.
  void NoLongerSilent(size_t loop, uint64_t oldest);
  // For who was told to make way: somebody else may have spoken since.
  bool TooManyAreSilent() const { return silent_.load() > silent_max_; }
  // Tells the loop that has the oldest now. For who was told and has none any more.
  void MakeWay();

  size_t loops() const { return loops_count_; }
  size_t connections_max() const { return connections_max_; }
  size_t silent_max() const { return silent_max_; }

 private:
  // A cache line each, so that loops do not slow each other down.
  struct alignas(64) Loop {
    std::atomic<size_t> connections{0};
    std::atomic<uint64_t> oldest_silent{kNobody};
    absl::AnyInvocable<void()> make_way;
  };

  const size_t loops_count_;
  const size_t connections_max_;
  const size_t silent_max_;
  const std::unique_ptr<Loop[]> loops_;
  std::atomic<size_t> silent_{0};
  uint64_t admitted_ = 0;
};

}  // namespace rollcall

#endif  // ROLLCALL_STORE_SERVER_DOORKEEPER_H_
