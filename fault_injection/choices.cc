#include "fault_injection/choices.h"

#include <algorithm>
#include <utility>

#include "fault_injection/stable_hash.h"
#include "glog/logging.h"

namespace rollcall::fault {
namespace {

uint64_t HashSite(uint64_t actor_hash, absl::string_view site) {
  return HashCombine(actor_hash, HashBytes(site));
}

// The upper half of a 128-bit product: without the division that a remainder takes.
uint64_t Below(uint64_t n, uint64_t random) {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(random) * n) >> 64);
}

}  // namespace

Choices::Actor::Actor(std::string actor_name)
    : name(std::move(actor_name)), hash(HashBytes(name)) {}

Choices::Choices(Options options) : seed_(options.seed) {
  for (const auto& [key, choice] : options.replay) {
    replay_[HashCombine(HashSite(HashBytes(key.actor), key.site), key.occurrence)] = choice.value;
  }
}

Choices::Site& Choices::SiteOf(const Actor& actor, absl::string_view site) {
  uint64_t mark = actor.hash + site.size();
  if (!site.empty()) {
    const auto letter = [site](size_t i) { return uint64_t{static_cast<uint8_t>(site[i])}; };
    mark += 3 * letter(0) + 23 * letter(site.size() / 2) + 7 * letter(site.size() - 1);
  }
  Site*& recent = recent_sites_[mark % recent_sites_.size()];
  if (recent != nullptr && &recent->actor_ == &actor && recent->name_ == site) return *recent;
  return *(recent = &FindSite(actor, site));
}

Choices::Site& Choices::FindSite(const Actor& actor, absl::string_view site) {
  const uint64_t hash = HashSite(actor.hash, site);
  Site*& found = site_of_[hash];
  if (found == nullptr) {
    found = &sites_.emplace_back(&actor, std::string(site.data(), site.size()), hash);
  }
  return *found;
}

Choices::Drawn Choices::Next(Site& site, uint64_t n) { return At(site, ++site.occurrences_, n); }

Choices::Drawn Choices::At(Site& site, uint64_t occurrence, uint64_t n) {
  CHECK_GE(n, 1) << "nothing to choose from at " << site.name_ << " of " << site.actor_.name;
  Drawn drawn;
  drawn.key_hash = HashCombine(site.hash_, occurrence);
  if (n == 1) return drawn;
  if (seed_.has_value()) drawn.value = Below(n, HashCombine(*seed_, drawn.key_hash));
  if (!replay_.empty()) {
    const auto said = replay_.find(drawn.key_hash);
    // An edit of the code may leave fewer to choose from than there were.
    if (said != replay_.end()) drawn.value = std::min(said->second, n - 1);
  }
  if (drawn.value != 0) made_.push_back({&site, occurrence, {drawn.value, n}});
  return drawn;
}

ChoiceRecord Choices::record() const {
  ChoiceRecord record;
  for (const Made& made : made_) {
    record[{made.site->actor_.name, made.site->name_, made.occurrence}] = made.choice;
  }
  return record;
}

}  // namespace rollcall::fault
