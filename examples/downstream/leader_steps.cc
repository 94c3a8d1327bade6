// A small protocol of the user's own: who sets "leader" first is it, and all others follow.
#include <string>

#include "absl/strings/str_cat.h"
#include "fault_injection/scenario/fixtures.h"
#include "store/store.h"

namespace {

std::string Elect(const rollcall::fault::FixtureContext& context) {
  const std::string me = absl::StrCat("rank ", context.place.rank);
  return context.store->CompareSet("leader", "", me);
}

}  // namespace

rollcall::fault::Fixtures rollcall::fault::UserFixtures() { return {{"elect", Elect}}; }
