#include "store/http/status_json.h"

#include <cmath>

#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "store/server/incident.h"
#include "store/server/journal_figures.h"
#include "store/server/server_status.h"

namespace rollcall::http {
namespace {

using Json = nlohmann::ordered_json;

// Milliseconds are all that anybody reads.
double Seconds(absl::Duration duration) {
  return std::round(absl::ToDoubleSeconds(duration) * 1000) / 1000;
}
double UnixSeconds(absl::Time time) { return Seconds(time - absl::UnixEpoch()); }
Json SecondsOrNull(const std::optional<absl::Duration>& duration) {
  return duration.has_value() ? Json(Seconds(*duration)) : Json();
}
Json LimitOrNull(size_t limit) { return limit == 0 ? Json() : Json(limit); }
Json RankOrNull(int rank) { return rank >= 0 ? Json(rank) : Json(); }

Json WorldJson(const ServerStatus& status) {
  return {
      {"size", status.world_size > 0 ? Json(status.world_size) : Json()},
      {"size_from", status.world_size == 0        ? Json()
                    : status.world_size_from_flag ? Json("flag")
                                                  : Json("clients")},
      {"connected", status.joined},
      {"waiting", status.waiting},
      {"gone", status.gone},
      {"missing", status.missing},
      {"missing_ranks", status.missing_ranks},
      {"gone_ranks", status.gone_ranks},
      {"states", status.rank_states},
      {"workers_joined", status.workers_joined.has_value() ? Json(*status.workers_joined) : Json()},
  };
}

Json WaitsJson(const ServerStatus& status) {
  Json waits = Json::array();
  for (const WaitStatus& wait : status.waits) {
    waits.push_back({{"key", wait.key},
                     {"kind", wait.at_barrier ? "barrier" : "key"},
                     {"waiters", wait.waiters},
                     {"nameless_waiters", wait.nameless},
                     {"longest_seconds", Seconds(wait.longest)},
                     {"ranks", wait.ranks},
                     {"absent_ranks", wait.absent_ranks}});
  }
  return waits;
}

Json ClientsJson(const ServerStatus& status) {
  Json clients = Json::array();
  for (const ClientStatus& client : status.clients) {
    clients.push_back({{"address", client.address},
                       {"dialect", client.dialect.empty() ? Json() : Json(client.dialect)},
                       {"waiting_seconds", SecondsOrNull(client.waiting_time)},
                       {"key", client.waiting_time.has_value() ? Json(client.key) : Json()}});
  }
  return clients;
}

Json SlowestJson(const ServerStatus& status) {
  Json slowest = Json::array();
  for (const LateRank& late : status.slowest) {
    slowest.push_back({{"rank", late.rank}, {"after_first_seconds", Seconds(late.after_first)}});
  }
  return slowest;
}

Json ErrorsJson(const ServerStatus& status) {
  Json errors = Json::array();
  for (const IncidentStatus& incident : status.incidents) {
    errors.push_back(
        {{"unix_seconds", UnixSeconds(incident.when)},
         {"code", std::string(incident.info->code)},
         {"address", incident.address},
         {"rank", RankOrNull(incident.rank)},
         {"name_space", incident.name_space.has_value() ? Json(*incident.name_space) : Json()},
         {"reason", incident.reason},
         {"meaning", std::string(incident.info->meaning)},
         {"remedy", std::string(incident.info->remedy)}});
  }
  return errors;
}

Json ThroughputJson(const ServerStatus& status) {
  Json requests = Json::array();
  Json received = Json::array();
  Json sent = Json::array();
  for (const Work& second : status.seconds) {
    requests.push_back(second.requests);
    received.push_back(second.received_bytes);
    sent.push_back(second.sent_bytes);
  }
  return {{"seconds_per_point", 1},
          {"requests", std::move(requests)},
          {"received_bytes", std::move(received)},
          {"sent_bytes", std::move(sent)}};
}

Json NameSpacesJson(const ServerSnapshot& snapshot) {
  Json spaces = Json::array();
  for (const NameSpaceSnapshot& space : snapshot.name_spaces) {
    spaces.push_back({{"name", space.ShownName()},
                      {"connections", space.connections},
                      {"waiting_clients", space.waiting_clients},
                      {"longest_wait_seconds", SecondsOrNull(space.LongestWait(snapshot.now))},
                      {"requests", space.work.requests},
                      {"received_bytes", space.work.received_bytes},
                      {"sent_bytes", space.work.sent_bytes},
                      {"keys", space.keys},
                      {"queues", space.queues},
                      {"memory_bytes", space.memory_bytes},
                      {"clients_limit", LimitOrNull(space.limits.clients_max)},
                      {"keys_limit", LimitOrNull(space.limits.keys_max)},
                      {"memory_limit_bytes", LimitOrNull(space.limits.memory_bytes_max)}});
  }
  return spaces;
}

Json TotalsJson(const ServerSnapshot& snapshot) {
  const StoreFigures figures = snapshot.TotalFigures();
  return {{"connections", snapshot.stats.connections},
          {"connections_accepted", snapshot.stats.connections_accepted},
          {"connections_rejected", snapshot.stats.connections_refused},
          {"waiting_clients", snapshot.stats.waiting_clients},
          {"requests", snapshot.metrics.work.requests},
          {"received_bytes", snapshot.metrics.work.received_bytes},
          {"sent_bytes", snapshot.metrics.work.sent_bytes},
          {"keys", snapshot.stats.keys},
          {"queues", figures.queues},
          {"key_bytes", figures.key_bytes},
          {"value_bytes", figures.value_bytes},
          {"memory_bytes", figures.memory_bytes},
          {"transfer_bytes", snapshot.transfer_bytes},
          {"memory_limit_bytes", LimitOrNull(snapshot.memory_bytes_max)}};
}

Json JournalJson(const std::optional<JournalFigures>& journal) {
  if (!journal.has_value()) return {};
  return {{"failed", journal->has_failed},
          {"commits", journal->commits},
          {"changes", journal->changes},
          {"changed_bytes", journal->changed_bytes},
          {"commit_seconds", Seconds(journal->commit_times.sum())},
          {"commit_under_way_seconds", SecondsOrNull(journal->under_way)},
          {"waiting_replies", journal->waiting_replies},
          {"sessions", journal->sessions},
          {"database_bytes", journal->database_bytes},
          {"log_bytes", journal->log_bytes},
          {"recovery_seconds", Seconds(journal->recovery_time)},
          {"recovered_keys", journal->recovered_keys}};
}

Json RankJson(const std::optional<RankDetails>& details) {
  if (!details.has_value()) return {};
  return {{"rank", details->rank},
          {"state", std::string(RankStateName(details->state))},
          {"address", details->address.empty() ? Json() : Json(details->address)},
          {"joined_seconds_ago", SecondsOrNull(details->since_joined)},
          {"gone_seconds_ago", SecondsOrNull(details->since_gone)},
          {"waiting_seconds", SecondsOrNull(details->waiting_time)},
          {"keys", details->keys},
          {"keys_in_all", details->keys_in_all}};
}

// Whatever a peer sent, the text is valid, and ASCII.
std::string Dump(const Json& json) {
  return json.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
}

}  // namespace

std::string StatusJson(const ServerSnapshot& snapshot, const NameSpaceSnapshot* name_space,
                       const ServerName& server, std::optional<int> rank) {
  const NameSpaceSnapshot& space =
      name_space == nullptr ? snapshot.name_spaces.front() : *name_space;
  const ServerStatus status =
      name_space == nullptr ? StatusOf(snapshot) : StatusOf(snapshot, *name_space);
  Json json = {
      {"format", 1},
      {"summary", status.summary},
      {"wait_summary", status.wait_summary},
      {"server",
       {{"address", server.address},
        {"backend", server.backend},
        {"unix_seconds", UnixSeconds(status.now)},
        {"uptime_seconds", Seconds(status.uptime)}}},
      {"name_space", space.ShownName()},
      {"name_spaces", NameSpacesJson(snapshot)},
      {"world", WorldJson(status)},
      {"waits", WaitsJson(status)},
      {"waits_in_all", status.waits_in_all},
      {"slowest", SlowestJson(status)},
      {"nameless_clients", ClientsJson(status)},
      {"nameless_clients_in_all", status.clients_in_all},
      {"errors", ErrorsJson(status)},
      {"throughput", ThroughputJson(status)},
      {"totals", TotalsJson(snapshot)},
      {"journal", JournalJson(snapshot.journal)},
  };
  if (rank.has_value()) json["rank"] = RankJson(DetailsOf(snapshot, space, *rank));
  return Dump(json);
}

std::string ErrorJson(absl::string_view error) { return Dump({{"error", std::string(error)}}); }

}  // namespace rollcall::http
