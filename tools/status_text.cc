#include "tools/status_text.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "store/server/server_status.h"

namespace rollcall::tools {
namespace {

using Json = nlohmann::json;

constexpr size_t kRanksPerRow = 64;
constexpr size_t kWaitsShownMax = 20;
constexpr size_t kClientsShownMax = 10;
constexpr size_t kErrorsShownMax = 8;

std::string Text(const Json& json, const char* field) {
  // The server has escaped what peers chose; that it is a server of ours is only hoped.
  return PrintableAscii(json.at(field).get<std::string>());
}
size_t Count(const Json& json, const char* field) { return json.at(field).get<size_t>(); }
std::string Time(const Json& json, const char* field) {
  return ShownDuration(absl::Seconds(json.at(field).get<double>()));
}

// A table whose columns are as wide as what is in them; the last is not padded.
class Table {
 public:
  explicit Table(std::vector<std::string> head) { rows_.push_back(std::move(head)); }
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.size() == 1; }

  std::string ToText() const {
    constexpr size_t kColumnMax = 60;
    std::vector<size_t> widths(rows_[0].size());
    for (const auto& row : rows_) {
      for (size_t i = 0; i < row.size(); ++i) {
        widths[i] = std::min(kColumnMax, std::max(widths[i], row[i].size()));
      }
    }
    std::string text;
    for (const auto& row : rows_) {
      std::string line;
      for (size_t i = 0; i < row.size(); ++i) {
        absl::StrAppendFormat(&line, "  %-*s", static_cast<int>(widths[i]), row[i]);
      }
      absl::StrAppend(&text, absl::StripTrailingAsciiWhitespace(line), "\n");
    }
    return text;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

std::string More(size_t shown, size_t all, absl::string_view what) {
  return all > shown ? absl::StrCat("  and ", all - shown, " more ", what, "\n") : "";
}

std::string Head(const Json& status) {
  const Json& server = status.at("server");
  const Json& totals = status.at("totals");
  const Json& requests = status.at("throughput").at("requests");
  return absl::StrCat(Text(server, "address"), " (", Text(server, "backend"), "), up ",
                      Time(server, "uptime_seconds"), ": ", Count(totals, "connections"),
                      " connections, ", Count(totals, "keys"), " keys, ",
                      requests.empty() ? 0 : requests.back().get<size_t>(),
                      " requests in the last second\n");
}

std::string Journal(const Json& status) {
  const auto found = status.find("journal");  // An older server says nothing of it.
  if (found == status.end() || found->is_null()) return "";
  const Json& journal = *found;
  const size_t commits = Count(journal, "commits");
  std::string text = absl::StrCat("journal: ", commits, " commits");
  if (commits > 0) {
    const absl::Duration mean =
        absl::Seconds(journal.at("commit_seconds").get<double>() / static_cast<double>(commits));
    absl::StrAppend(&text, " with ", Count(journal, "changes"), " changes, ", ShownDuration(mean),
                    " a commit");
  }
  absl::StrAppend(&text, "; ", Count(journal, "waiting_replies"), " replies wait for one");
  if (!journal.at("commit_under_way_seconds").is_null()) {
    absl::StrAppend(&text, ", which has taken ", Time(journal, "commit_under_way_seconds"));
  }
  absl::StrAppend(&text, "; ", Count(journal, "database_bytes"), " bytes and a log of ",
                  Count(journal, "log_bytes"), "; ", Count(journal, "sessions"),
                  " sessions; it gave back ", Count(journal, "recovered_keys"), " keys in ",
                  Time(journal, "recovery_seconds"), "\n");
  if (journal.at("failed").get<bool>()) {
    absl::StrAppend(&text, "THE JOURNAL HAS FAILED: nothing is served any more; the server's log ",
                    "says why\n");
  }
  return text;
}

std::string Waits(const Json& status) {
  Table table({"WAITED FOR", "LONGEST", "WAITING", "NOT THERE YET"});
  size_t shown = 0;
  for (const Json& wait : status.at("waits")) {
    if (shown++ == kWaitsShownMax) break;
    const size_t nameless = Count(wait, "nameless_waiters");
    std::string waiting = absl::StrCat(Count(wait, "waiters"));
    if (nameless > 0) absl::StrAppend(&waiting, " (", nameless, " of unknown rank)");
    const std::string ranks = Text(wait, "ranks");
    if (!ranks.empty()) absl::StrAppend(&waiting, ": ", ranks);
    const std::string absent = Text(wait, "absent_ranks");
    table.Add({absl::StrCat(Text(wait, "kind"), " ", Text(wait, "key")),
               Time(wait, "longest_seconds"), waiting, absent.empty() ? "-" : absent});
  }
  if (table.empty()) return "";
  return absl::StrCat("\n", table.ToText(),
                      More(kWaitsShownMax, Count(status, "waits_in_all"), "keys and barriers"));
}

// Besides the default one.
bool HasNameSpaces(const Json& status) {
  const auto spaces = status.find("name_spaces");  // An older server has none.
  return spaces != status.end() && spaces->size() > 1;
}

std::string Used(const Json& space, const char* field, const char* limit_field) {
  const auto limit = space.find(limit_field);  // An older server does not say.
  std::string used = absl::StrCat(Count(space, field));
  if (limit == space.end() || limit->is_null()) return used;
  return absl::StrCat(used, " of ", limit->get<size_t>());
}

std::string NameSpaces(const Json& status) {
  if (!HasNameSpaces(status)) return "";
  Table table({"NAME SPACE", "CONNECTIONS", "WAITING", "LONGEST", "KEYS", "BYTES", "REQUESTS"});
  for (const Json& space : status.at("name_spaces")) {
    table.Add(
        {Text(space, "name"), Used(space, "connections", "clients_limit"),
         absl::StrCat(Count(space, "waiting_clients")),
         space.at("longest_wait_seconds").is_null() ? "-" : Time(space, "longest_wait_seconds"),
         Used(space, "keys", "keys_limit"), Used(space, "memory_bytes", "memory_limit_bytes"),
         absl::StrCat(Count(space, "requests"))});
  }
  return absl::StrCat("\n", table.ToText());
}

std::string Clients(const Json& status) {
  Table table({"CLIENT OF UNKNOWN RANK", "SPEAKS", "WAITS FOR", "SINCE"});
  size_t shown = 0;
  for (const Json& client : status.at("nameless_clients")) {
    if (shown++ == kClientsShownMax) break;
    const bool waits = !client.at("waiting_seconds").is_null();
    table.Add({Text(client, "address"),
               client.at("dialect").is_null() ? "nothing yet" : Text(client, "dialect"),
               waits ? Text(client, "key") : "-", waits ? Time(client, "waiting_seconds") : "-"});
  }
  if (table.empty()) return "";
  return absl::StrCat("\n", table.ToText(),
                      More(kClientsShownMax, Count(status, "nameless_clients_in_all"), "of them"));
}

std::string Errors(const Json& status) {
  const bool has_name_spaces = HasNameSpaces(status);
  std::string text;
  size_t shown = 0;
  for (const Json& error : status.at("errors")) {
    if (shown++ == kErrorsShownMax) break;
    const absl::Time when =
        absl::UnixEpoch() + absl::Seconds(error.at("unix_seconds").get<double>());
    const std::string rank =
        error.at("rank").is_null() ? "" : absl::StrCat(", rank ", error.at("rank").get<int>());
    const auto space = error.find("name_space");  // An older server does not say.
    const bool says_space = space != error.end() && !space->is_null() &&
                            (has_name_spaces || *space != kDefaultNameSpace);
    const std::string of_space =
        says_space ? absl::StrCat(", name space ", Text(error, "name_space")) : "";
    absl::StrAppend(&text, "  ", absl::FormatTime("%H:%M:%S ", when, absl::LocalTimeZone()),
                    Text(error, "code"), " ", Text(error, "address"), rank, of_space, ": ",
                    Text(error, "reason"), "\n      ", Text(error, "remedy"), "\n");
  }
  return text.empty() ? "" : absl::StrCat("\n  LAST ERRORS\n", text);
}

StatusText Render(const Json& status) {
  const Json& world = status.at("world");
  StatusText rendered;
  rendered.summary = Text(status, "summary");
  rendered.is_whole = Count(world, "missing") + Count(world, "gone") == 0;
  const std::string wait_summary = Text(status, "wait_summary");
  const std::string rows = RankRows(Text(world, "states"));
  rendered.report =
      absl::StrCat(Head(status), Journal(status), rendered.summary, "\n", wait_summary,
                   wait_summary.empty() ? "" : "\n",
                   rows.empty() ? "" : "\n  RANKS (j joined, w waiting, m missing, g gone)\n", rows,
                   Waits(status), NameSpaces(status), Clients(status), Errors(status));
  return rendered;
}

}  // namespace

std::string PrintableAscii(absl::string_view text) {
  std::string printable(text);
  for (char& byte : printable) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(byte))) byte = '?';
  }
  return printable;
}

std::string RankRows(absl::string_view states) {
  std::string text;
  for (size_t first = 0; first < states.size();) {
    const absl::string_view row = states.substr(first, kRanksPerRow);
    const size_t alike = std::min(states.find_first_not_of(states[first], first), states.size());
    if (alike - first >= row.size() && states.size() > kRanksPerRow) {
      // Whole rows, and the last one however short it is.
      const size_t end =
          alike == states.size() ? alike : first + (alike - first) / kRanksPerRow * kRanksPerRow;
      absl::StrAppendFormat(&text, "  %6d  to %d, all %s\n", first, end - 1,
                            RankStateName(static_cast<RankState>(states[first])));
      first = end;
      continue;
    }
    absl::StrAppendFormat(&text, "  %6d  %s\n", first, row);
    first += row.size();
  }
  return text;
}

absl::StatusOr<StatusText> RenderStatus(absl::string_view json) {
  const Json status = Json::parse(json.begin(), json.end(), nullptr, /*allow_exceptions=*/false);
  try {
    return Render(status);
  } catch (const Json::exception& error) {
    return absl::DataLossError(absl::StrCat("what answered is no status of a store server: ",
                                            PrintableAscii(error.what())));
  }
}

}  // namespace rollcall::tools
