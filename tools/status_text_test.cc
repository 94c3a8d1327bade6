#include "tools/status_text.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall::tools {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string StatusJson(absl::string_view key = "leader", absl::string_view states = "wjmg") {
  return absl::StrCat(R"({
    "summary": "2 of 4 ranks are connected.", "wait_summary": "1 client waits.",
    "server": {"address": "10.0.0.1:29500", "backend": "epoll", "uptime_seconds": 125.2},
    "world": {"missing": 1, "gone": 1, "states": ")",
                      states, R"("},
    "waits": [{"key": ")",
                      key, R"(", "kind": "key", "waiters": 2, "nameless_waiters": 1,
      "longest_seconds": 12.3, "ranks": "0", "absent_ranks": "1-3"}],
    "waits_in_all": 3,
    "nameless_clients": [{"address": "10.0.0.9:4711", "dialect": null, "waiting_seconds": null,
      "key": null}],
    "nameless_clients_in_all": 1,
    "errors": [{"unix_seconds": 1700000000.5, "code": "TOO_LATE", "address": "10.0.0.2:1",
      "rank": 2, "reason": "too late", "remedy": "Look at it."}],
    "throughput": {"requests": [5, 7]},
    "totals": {"connections": 3, "keys": 9}})");
}

TEST(RenderStatusTest, ShowsAllThatMatters) {
  const StatusText status = RenderStatus(StatusJson()).value();
  EXPECT_EQ(status.summary, "2 of 4 ranks are connected.");
  EXPECT_FALSE(status.is_whole);
  EXPECT_THAT(
      status.report,
      AllOf(HasSubstr("10.0.0.1:29500 (epoll), up 2m 5s: 3 connections, 9 keys, 7 requests"),
            HasSubstr("       0  wjmg\n"), HasSubstr("  key leader"),
            HasSubstr("2 (1 of unknown rank): 0  1-3\n"), HasSubstr("nothing yet"),
            HasSubstr("TOO_LATE 10.0.0.2:1, rank 2: too late\n      Look at it.\n")));
}

TEST(RenderStatusTest, ListsNameSpacesWhereThereAreSeveral) {
  std::string json = StatusJson();
  EXPECT_THAT(RenderStatus(json).value().report, Not(HasSubstr("NAME SPACE")));
  json.insert(1, R"("name_spaces": [
    {"name": "default", "connections": 1, "waiting_clients": 0, "longest_wait_seconds": null,
     "keys": 2, "memory_bytes": 300, "requests": 4},
    {"name": "jobA", "connections": 5, "waiting_clients": 6, "longest_wait_seconds": 70.5,
     "keys": 8, "keys_limit": 9, "memory_bytes": 900, "memory_limit_bytes": null,
     "requests": 10}],)");
  EXPECT_THAT(RenderStatus(json).value().report,
              AllOf(HasSubstr("  NAME SPACE  CONNECTIONS"), HasSubstr("  default     1 "),
                    HasSubstr("  jobA        5            6        1m 10s   8 of 9  900    10\n")));
}

TEST(RenderStatusTest, AnErrorSaysItsNameSpaceWhereThatSaysSomething) {
  const auto report = [](absl::string_view name_space, bool has_several) {
    std::string json = StatusJson();
    json.insert(json.find(R"("rank": 2)"), absl::StrCat(R"("name_space": )", name_space, ","));
    const std::string space =
        R"({"name": "x", "connections": 0, "waiting_clients": 0, "longest_wait_seconds": null,
            "keys": 0, "memory_bytes": 0, "requests": 0})";
    json.insert(1, absl::StrCat(R"("name_spaces": [)", space, has_several ? "," : "",
                                has_several ? space : "", "],"));
    return RenderStatus(json).value().report;
  };
  EXPECT_THAT(report(R"("jobA")", false), HasSubstr("10.0.0.2:1, rank 2, name space jobA: too"));
  EXPECT_THAT(report(R"("default")", true), HasSubstr("rank 2, name space default: too"));
  EXPECT_THAT(report(R"("default")", false), HasSubstr("rank 2: too"));
  EXPECT_THAT(report("null", true), HasSubstr("rank 2: too"));
}

TEST(RenderStatusTest, SaysHowTheJournalIsWhereThereIsOne) {
  std::string json = StatusJson();
  EXPECT_THAT(RenderStatus(json).value().report, Not(HasSubstr("journal")));
  const auto with = [&json](absl::string_view failed, absl::string_view under_way) {
    std::string shown = json;
    shown.insert(1, absl::StrCat(R"("journal": {"failed": )", failed, R"(, "commits": 4,
      "changes": 30, "changed_bytes": 50, "commit_seconds": 0.02,
      "commit_under_way_seconds": )",
                                 under_way, R"(, "waiting_replies": 7, "sessions": 8,
      "database_bytes": 9000, "log_bytes": 100, "recovery_seconds": 0.25,
      "recovered_keys": 11},)"));
    return RenderStatus(shown).value().report;
  };
  EXPECT_THAT(
      with("false", "12.0"),
      HasSubstr("journal: 4 commits with 30 changes, 5ms a commit; 7 replies wait for one, which "
                "has taken 12s; 9000 bytes and a log of 100; 8 sessions; it gave back 11 "
                "keys in 250ms\n"));
  EXPECT_THAT(with("false", "null"), Not(HasSubstr("which has taken")));
  EXPECT_THAT(with("true", "null"), HasSubstr("\nTHE JOURNAL HAS FAILED: nothing is served"));
}

TEST(RenderStatusTest, NothingInItMovesTheCursor) {
  const StatusText status = RenderStatus(StatusJson("\\u001b[2J\\n\\u009b\\u202e")).value();
  EXPECT_THAT(status.report, AllOf(HasSubstr("?[2J?"), Not(HasSubstr("\x1b"))));
  EXPECT_FALSE(RenderStatus(StatusJson()).value().report.empty());
}

TEST(RenderStatusTest, WhatIsNoStatusIsAnError) {
  for (const char* json : {"", "{", "[]", "{}", "<html>", R"({"summary": 1})", "\xff"}) {
    EXPECT_EQ(RenderStatus(json).status().code(), absl::StatusCode::kDataLoss) << json;
  }
  const std::string whole = StatusJson();
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(RenderStatus(whole.substr(0, size)).ok()) << "cut at byte " << size;
  }
}

TEST(RankRowsTest, RowsThatAreAlikeAreOneLine) {
  EXPECT_EQ(RankRows(""), "");
  EXPECT_EQ(RankRows("jjm"), "       0  jjm\n");
  std::string states(4096, 'w');
  states[17] = 'm';
  states[4000] = 'g';
  const std::string row = std::string(17, 'w') + "m" + std::string(46, 'w');
  const std::string gone = std::string(32, 'w') + "g" + std::string(31, 'w');
  EXPECT_EQ(RankRows(states),
            absl::StrCat("       0  ", row, "\n", "      64  to 3967, all waiting\n", "    3968  ",
                         gone, "\n", "    4032  to 4095, all waiting\n"));
  EXPECT_EQ(RankRows(std::string(100, 'j')), "       0  to 99, all joined\n");
}

}  // namespace
}  // namespace rollcall::tools
