#include "fault_injection/report/picture_bands.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "fault_injection/report/report_text.h"

namespace rollcall::fault {
namespace {

// Links that share a lane, a time and a kind.
struct Links {
  std::set<int> outgoing;
  std::set<int> incoming;
};

std::string Names(const RunRecord& record, const std::set<int>& hosts) {
  return absl::StrJoin(hosts, ", ", [&](std::string* out, int host) {
    absl::StrAppend(out, HostName(record, host));
  });
}

std::string LinksText(const RunRecord& record, absl::string_view what, const Links& links) {
  std::set<int> both;
  std::set<int> only_out;
  std::set<int> only_in;
  for (const int peer : links.outgoing) (links.incoming.count(peer) ? both : only_out).insert(peer);
  for (const int peer : links.incoming) {
    if (links.outgoing.count(peer) == 0) only_in.insert(peer);
  }
  std::vector<std::string> parts;
  if (!both.empty()) parts.push_back(absl::StrCat("<-> ", Names(record, both)));
  if (!only_out.empty()) parts.push_back(absl::StrCat("-> ", Names(record, only_out)));
  if (!only_in.empty()) parts.push_back(absl::StrCat("<- ", Names(record, only_in)));
  return absl::StrCat(what, " ", absl::StrJoin(parts, ", "));
}

}  // namespace

std::vector<PictureBand> MergeBands(const RunRecord& record) {
  std::vector<int> links_of(record.hosts.size());
  for (const RunRecord::Band& band : record.bands) {
    if (band.peer == kNone) continue;
    ++links_of[band.host];
    ++links_of[band.peer];
  }
  std::vector<PictureBand> merged;
  std::map<std::tuple<int, absl::Duration, absl::Duration, std::string>, Links> groups;
  for (const RunRecord::Band& band : record.bands) {
    if (band.peer == kNone) {
      merged.push_back({band.host, band.begin, band.end, band.what, /*is_link=*/false});
      continue;
    }
    // Of equals the later one: servers come first, and it is workers that are cut off.
    const bool is_peers =
        std::tie(links_of[band.peer], band.peer) > std::tie(links_of[band.host], band.host);
    Links& links = groups[{is_peers ? band.peer : band.host, band.begin, band.end, band.what}];
    (is_peers ? links.incoming : links.outgoing).insert(is_peers ? band.host : band.peer);
  }
  for (const auto& [key, links] : groups) {
    const auto& [host, begin, end, what] = key;
    merged.push_back({host, begin, end, LinksText(record, what, links), /*is_link=*/true});
  }
  std::stable_sort(merged.begin(), merged.end(), [](const PictureBand& a, const PictureBand& b) {
    return std::tie(a.begin, a.host) < std::tie(b.begin, b.host);
  });
  return merged;
}

}  // namespace rollcall::fault
