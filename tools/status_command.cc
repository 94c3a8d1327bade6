#include "tools/status_command.h"

#include <optional>
#include <ostream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "net/clock.h"
#include "store/http/http_get.h"
#include "store/token_file.h"
#include "tools/flag_values.h"
#include "tools/status_text.h"

namespace rollcall::tools {
namespace {

constexpr int kExitUsage = 1;
constexpr int kExitServerError = 2;
constexpr int kExitNetworkError = 3;
constexpr absl::Duration kWatchInterval = absl::Seconds(1);
// Home, and erases what is below: unlike a cleared screen, that does not flicker.
constexpr char kRedraw[] = "\x1b[H\x1b[J";

struct Place {
  net::Endpoint endpoint;
  std::string path;
};

// FailedPrecondition: the server says itself what is wrong.
absl::StatusOr<StatusText> Look(net::Env& env, const Place& place, absl::Duration timeout) {
  const absl::StatusOr<http::Fetched> fetched =
      http::HttpGet(env, place.endpoint, place.path, net::DeadlineAfter(env, timeout));
  if (!fetched.ok()) return fetched.status();
  if (fetched->status != 200) {
    return absl::FailedPreconditionError(
        absl::StrCat("the server answers with status ", fetched->status, ": ",
                     PrintableAscii(absl::string_view(fetched->body).substr(0, 300))));
  }
  return RenderStatus(fetched->body);
}

int ExitOf(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) ? kExitServerError : kExitNetworkError;
}

std::string TimeOfDay(net::Env& env) {
  return absl::FormatTime("%H:%M:%S", env.Now(), absl::LocalTimeZone());
}

int Watch(net::Env& env, const Place& place, absl::Duration timeout, const StatusView& view) {
  std::string told;
  std::optional<std::string> lost_since;
  for (bool first = true; view.out->good(); first = false) {
    const absl::Time next = env.Now() + kWatchInterval;
    const absl::StatusOr<StatusText> status = Look(env, place, timeout);
    std::string summary;
    if (status.ok()) {
      summary = status->summary;
      lost_since.reset();
    } else if (first) {
      *view.errors << "store_cli: " << status.status().message() << "\n";
      return ExitOf(status.status());
    } else {
      if (!lost_since.has_value()) lost_since = TimeOfDay(env);
      summary = absl::StrCat("not reachable since ", *lost_since, ": ", status.status().message());
    }
    if (view.is_terminal) {
      *view.out << kRedraw << (status.ok() ? status->report : absl::StrCat(summary, "\n"));
    } else if (summary != told) {
      *view.out << TimeOfDay(env) << " " << summary << "\n";
    }
    view.out->flush();
    told = summary;
    env.SleepUntil(next);
  }
  return 0;
}

}  // namespace

bool IsStatusCommand(absl::string_view word) { return word == "status" || word == "watch"; }

absl::StatusOr<net::Endpoint> ParseStatusAddress(absl::string_view text) {
  absl::string_view address = text;
  if (absl::StartsWith(address, "https://")) {
    return absl::InvalidArgumentError(
        absl::StrCat("a store server's pages are http, not https: \"", text, "\""));
  }
  absl::ConsumePrefix(&address, "http://");
  return ParseEndpointFlag("status", address.substr(0, address.find('/')));
}

int RunStatusCommand(net::Env& env, const std::vector<std::string>& words, absl::Duration timeout,
                     const StatusView& view) {
  const bool has_name_space = words.size() == 3;
  if (words.size() != 2 && !has_name_space) {
    *view.errors << "store_cli: usage: " << words[0]
                 << " HOST:PORT|URL [NAME_SPACE], of the server's --http_port\n";
    return kExitUsage;
  }
  if (has_name_space && !IsTokenName(words[2])) {
    *view.errors << "store_cli: \"" << PrintableAscii(words[2])
                 << "\" is no name of a name space: letters, digits and _ . -\n";
    return kExitUsage;
  }
  const absl::StatusOr<net::Endpoint> endpoint = ParseStatusAddress(words[1]);
  if (!endpoint.ok()) {
    *view.errors << "store_cli: " << endpoint.status().message() << "\n";
    return kExitUsage;
  }
  const Place place = {
      .endpoint = *endpoint,
      .path = has_name_space ? absl::StrCat("/status.json?name_space=", words[2]) : "/status.json"};
  if (words[0] == "watch") return Watch(env, place, timeout, view);
  const absl::StatusOr<StatusText> status = Look(env, place, timeout);
  if (!status.ok()) {
    *view.errors << "store_cli: " << status.status().message() << "\n";
    return ExitOf(status.status());
  }
  *view.out << status->report;
  return status->is_whole ? 0 : kExitOfRanksAbsent;
}

}  // namespace rollcall::tools
