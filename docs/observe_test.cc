// observe.md lists all that a server shows: every metric with its type, every field, every error.
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "store/engine/duration_histogram.h"
#include "store/http/metrics_text.h"
#include "store/http/status_json.h"
#include "store/server/incident.h"
#include "store/server/server_snapshot.h"

namespace rollcall {
namespace {

using testing::HasSubstr;

// With one of everything.
ServerSnapshot Snapshot() {
  ServerSnapshot snapshot;
  snapshot.metrics.requests.fill(1);
  snapshot.metrics.serving_times.assign(snapshot.metrics.requests.size(),
                                        engine::DurationHistogram(&engine::kServingTimes));
  snapshot.name_spaces[0].ranks = {{.rank = 0}, {.rank = 1}};
  snapshot.name_spaces[0].waits = {{.missing = 1, .names = {"/k"}}};
  snapshot.name_spaces[0].nameless = {{}};
  snapshot.incidents = {{}};
  snapshot.journal.emplace();
  return snapshot;
}

class ObservePage : public testing::Test {
 protected:
  ObservePage() {
    std::ifstream file("docs/observe.md");
    page_.assign(std::istreambuf_iterator<char>(file), {});
  }

  std::string page_;
};

TEST_F(ObservePage, HasEveryMetricWithItsType) {
  int metrics = 0;
  for (const absl::string_view line : absl::StrSplit(http::MetricsText(Snapshot()), '\n')) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (words.size() != 4 || words[1] != "TYPE") continue;
    EXPECT_THAT(page_, HasSubstr(absl::StrCat("\n| `", words[2], "` | ", words[3], " |")));
    ++metrics;
  }
  EXPECT_GT(metrics, 15);
}

TEST_F(ObservePage, HasEveryFieldOfTheStatus) {
  const auto status =
      nlohmann::json::parse(http::StatusJson(Snapshot(), /*name_space=*/nullptr, {}, /*rank=*/0));
  int fields = 0;
  const auto expect_all = [&](const nlohmann::json& object) {
    for (const auto& [name, value] : object.items()) {
      EXPECT_THAT(page_, testing::AnyOf(HasSubstr(absl::StrCat("`", name, "`")),
                                        HasSubstr(absl::StrCat(".", name, "`"))));
      ++fields;
    }
  };
  for (const auto& [name, value] : status.items()) {
    if (value.is_object()) {
      expect_all(value);
    } else if (value.is_array() && !value.empty()) {
      expect_all(value[0]);
    }
  }
  EXPECT_GT(fields, 50);
}

TEST_F(ObservePage, HasEveryError) {
  for (const IncidentInfo& info : AllIncidents()) {
    EXPECT_THAT(page_, HasSubstr(absl::StrCat("\n| `", info.code, "` | `", info.label, "` |")));
  }
}

}  // namespace
}  // namespace rollcall
