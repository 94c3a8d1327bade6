#include "fault_injection/sweep/sweep_plan.h"

#include <map>
#include <set>
#include <string>
#include <tuple>

#include "absl/time/time.h"
#include "fault_injection/scenario/errno_names.h"
#include "fault_injection/stable_hash.h"

namespace rollcall::fault {
namespace {

// Long beside a round trip, short beside every time-out.
constexpr absl::Duration kDelay = absl::Milliseconds(50);
// A read offers its whole buffer, and less comes: to halve the offer would change nothing.
constexpr size_t kReadHalf = 4;

using SiteKind = std::tuple<std::string, std::string, Phase, Call>;

SiteKind KindOf(const FaultSite& site) {
  return {site.host, site.operation, site.phase, site.call->call};
}

std::set<size_t> ShorterSizes(const FaultSite& site) {
  std::set<size_t> sizes;
  if (!site.call->may_shorten || site.size_bytes < 2) return sizes;
  const size_t half = site.call->call == Call::kRecv ? kReadHalf : site.size_bytes / 2;
  for (const size_t size : {size_t{1}, half, site.size_bytes - 1}) {
    if (size >= 1 && size < site.size_bytes) sizes.insert(size);
  }
  return sizes;
}

}  // namespace

std::vector<PlannedFault> FaultsAt(const FaultSite& site) {
  std::vector<PlannedFault> faults;
  for (const int error : site.call->legal_errnos) {
    CallFault fault;
    fault.errno_value = error;
    faults.push_back({site, fault, FaultErrnoName(*site.call, error)});
  }
  for (const size_t size : ShorterSizes(site)) {
    CallFault fault;
    fault.transfer_bytes_max = size;
    faults.push_back({site, fault, "shortened"});
  }
  CallFault delayed;
  delayed.delay = kDelay;
  // Closing never blocks.
  if (site.call->call != Call::kClose) faults.push_back({site, delayed, "delayed"});
  return faults;
}

std::vector<PlannedFault> SingleFaults(absl::Span<const FaultSite> sites,
                                       const SweepLimits& limits) {
  std::map<SiteKind, size_t> last;
  for (size_t i = 0; i < sites.size(); ++i) last[KindOf(sites[i])] = i;
  std::map<SiteKind, size_t> so_far;
  std::map<Call, size_t> turn;
  std::vector<PlannedFault> faults;
  for (size_t i = 0; i < sites.size(); ++i) {
    const SiteKind kind = KindOf(sites[i]);
    std::vector<PlannedFault> at_site = FaultsAt(sites[i]);
    const bool is_one_of_the_first = so_far[kind]++ < limits.first_calls;
    if (!limits.all_faults && !is_one_of_the_first && last[kind] != i) {
      const size_t next = turn[sites[i].call->call]++ % at_site.size();
      at_site = {at_site[next]};
    }
    for (PlannedFault& fault : at_site) faults.push_back(std::move(fault));
  }
  return faults;
}

bool IsForPairs(const FaultSite& site) {
  switch (site.call->call) {
    case Call::kConnect:
    case Call::kAccept:
    case Call::kRecv:
    case Call::kSend:
    case Call::kSendMsg:
      return true;
    default:
      return false;
  }
}

size_t DrawFrom(uint64_t key, uint64_t draw, size_t n) {
  return static_cast<size_t>(HashCombine(HashCombine(HashBytes("sweep"), key), draw) % n);
}

}  // namespace rollcall::fault
