// The one stream of choices that decides everything in a world that could have gone another way.
#ifndef ROLLCALL_FAULT_INJECTION_CHOICES_H_
#define ROLLCALL_FAULT_INJECTION_CHOICES_H_

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "fault_injection/choice_record.h"

namespace rollcall::fault {

// A choice is known by who made it, where, and how often that actor has been there before: not by
// its place in the stream. So neither an edit elsewhere nor a choice more or less by somebody else
// shifts the others, and a saved failure survives.
//
// Not thread-safe.
class Choices {
 public:
  struct Options {
    // Draws what `replay` does not say; each value hangs on the seed and its key alone. Without a
    // seed what `replay` does not say is 0, the dull choice.
    std::optional<uint64_t> seed;
    ChoiceRecord replay;
  };

  // A place of one actor, found once and used often.
  class Site;

  struct Actor {
    explicit Actor(std::string actor_name);
    std::string name;  // "w3", "server/loop"
    uint64_t hash;
  };

  struct Drawn {
    uint64_t key_hash = 0;  // Of actor, site and occurrence.
    uint64_t value = 0;
  };

  explicit Choices(Options options);

  // Lives as long as the Choices. Equal names, equal site. `actor` must live as long as record() is
  // called.
  Site& SiteOf(const Actor& actor, absl::string_view site);

  // A number in [0, n), n >= 1, for the next occurrence at this site. One of a single possibility
  // counts as an occurrence but is not recorded.
  Drawn Next(Site& site, uint64_t n);
  // The same for an occurrence that the caller counts (from 1), for choices that are made late or
  // perhaps never. Not to be mixed with Next() on one site.
  Drawn At(Site& site, uint64_t occurrence, uint64_t n);

  // All that was chosen so far, 0s left out: they are what a replay takes anyway.
  ChoiceRecord record() const;

 private:
  Site& FindSite(const Actor& actor, absl::string_view site);

  struct Made {
    const Site* site;
    uint64_t occurrence;
    Choice choice;
  };

  const std::optional<uint64_t> seed_;
  absl::flat_hash_map<uint64_t, uint64_t> replay_;  // By hash of the key.
  absl::flat_hash_map<uint64_t, Site*> site_of_;    // By hash of actor and site.
  std::deque<Site> sites_;
  std::array<Site*, 512> recent_sites_ = {};  // Only to be found sooner.
  std::vector<Made> made_;
};

class Choices::Site {
 public:
  Site(const Actor* actor, std::string name, uint64_t hash)
      : actor_(*actor), name_(std::move(name)), hash_(hash) {}

 private:
  friend class Choices;
  const Actor& actor_;
  const std::string name_;
  const uint64_t hash_;
  uint64_t occurrences_ = 0;
};

}  // namespace rollcall::fault

#endif  // ROLLCALL_FAULT_INJECTION_CHOICES_H_
