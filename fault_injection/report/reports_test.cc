// What a run is written down as: whole, true to the record, and the same each time.
#include <algorithm>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fault_injection/packet_kind.h"
#include "fault_injection/report/chrome_trace.h"
#include "fault_injection/report/demo_runs.h"
#include "fault_injection/report/markup_check.h"
#include "fault_injection/report/picture_content.h"
#include "fault_injection/report/run_record.h"
#include "fault_injection/report/sequence_svg.h"
#include "fault_injection/report/text_ladder.h"
#include "fault_injection/report/trace_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rollcall::fault {
namespace {

using testing::HasSubstr;
using testing::Not;

size_t CountOf(absl::string_view what, absl::string_view text) {
  size_t count = 0;
  for (size_t at = text.find(what); at != absl::string_view::npos; at = text.find(what, at + 1)) {
    ++count;
  }
  return count;
}

size_t LostIn(const RunRecord& record) {
  return static_cast<size_t>(std::count_if(record.messages.begin(), record.messages.end(),
                                           [](const auto& message) { return message.is_lost; }));
}

struct Writer {
  std::string suffix;
  std::function<std::string(const RunRecord&)> write;
};

std::vector<Writer> Writers() {
  return {{".trace.txt", TraceText},
          {".trace.json", ChromeTrace},
          {".svg", [](const RunRecord& record) { return SequenceSvg(record); }},
          {".ladder.txt", [](const RunRecord& record) { return TextLadder(record); }}};
}

TEST(ReportsTest, AreAsCheckedIn) {
  const RunRecord record = TwoRanksMeet();
  for (const Writer& writer : Writers()) {
    const std::string path =
        absl::StrCat("fault_injection/report/testdata/two_ranks_meet", writer.suffix);
    std::ifstream file(path, std::ios::binary);
    std::stringstream checked_in;
    checked_in << file.rdbuf();
    EXPECT_TRUE(checked_in.str() == writer.write(record))
        << path
        << " is another; if that is meant: bazel run //fault_injection/report:update_testdata"
        << "\n"
        << writer.write(record);
  }
}

TEST(ReportsTest, OfTwoRunsOfASeedAreEqual) {
  const RunRecord first = ARankIsCutOff();
  const RunRecord second = ARankIsCutOff();
  for (const Writer& writer : Writers()) {
    EXPECT_TRUE(writer.write(first) == writer.write(second)) << writer.suffix;
  }
}

TEST(ReportsTest, AreWellFormedWhateverTheRunIsCalled) {
  RunRecord record = ARankIsCutOff();
  record.title = "<&>\"'\\ \x01\xFF\xC3\xA4 ]]>";
  record.verdict = "two\nlines";
  record.hosts[1] = "\"w1\" & <co>";
  record.steps[0].name = "get \n\t\x80\"";
  record.messages[0].label = "\\\"\xE2\x82";
  record.faults[0].text = "</text>";
  EXPECT_EQ(CheckJson(ChromeTrace(record)), absl::OkStatus());
  EXPECT_EQ(CheckXml(SequenceSvg(record)), absl::OkStatus());
  EXPECT_THAT(SequenceSvg(record), HasSubstr("\xC3\xA4"));
  EXPECT_THAT(TraceText(record), Not(HasSubstr("\x80")));
}

TEST(ReportsTest, OfAnEmptyRunAreWellFormed) {
  EXPECT_EQ(CheckJson(ChromeTrace(RunRecord())), absl::OkStatus());
  EXPECT_EQ(CheckXml(SequenceSvg(RunRecord())), absl::OkStatus());
  EXPECT_THAT(TraceText(RunRecord()), HasSubstr("# seconds"));
  EXPECT_FALSE(TextLadder(RunRecord()).empty());
}

// --- The trace for browsers ---

TEST(ChromeTraceTest, EachMessageThatArrivesIsAFlow) {
  const RunRecord record = ARankIsCutOff();
  const std::string trace = ChromeTrace(record);
  const size_t lost = LostIn(record);
  ASSERT_GT(lost, 0);
  EXPECT_EQ(CountOf(R"({"ph":"s")", trace), record.messages.size() - lost);
  EXPECT_EQ(CountOf(R"({"ph":"f")", trace), record.messages.size() - lost);
  EXPECT_EQ(CountOf(R"("bp":"e")", trace), record.messages.size() - lost);
  // A fault marks its two hosts, and the world.
  EXPECT_EQ(CountOf(R"({"ph":"i","cat":"fault")", trace), lost + 3 * record.faults.size());
  EXPECT_EQ(CountOf(R"({"ph":"X","cat":"step")", trace), record.steps.size());
  EXPECT_EQ(CountOf(R"("process_name")", trace), record.hosts.size() + 1);
  EXPECT_EQ(CountOf(R"({"ph":"b")", trace), record.bands.size());
  EXPECT_EQ(CountOf(R"({"ph":"e")", trace), record.bands.size());
}

TEST(ChromeTraceTest, TimesAreMicroseconds) {
  RunRecord record;
  record.hosts = {"w0"};
  record.steps.push_back({.host = 0,
                          .name = "nap",
                          .begin = absl::Nanoseconds(1500),
                          .end = absl::Seconds(2),
                          .is_over = true,
                          .is_ok = true});
  EXPECT_THAT(ChromeTrace(record), HasSubstr(R"("ts":1.500,"dur":1999998.500)"));
}

// --- The picture ---

TEST(SequenceSvgTest, EachMessageIsAnArrowAndLostOnesHaveCrosses) {
  const RunRecord record = AWaiterTimesOut();
  size_t drawn = 0;
  for (const RunRecord::Message& message : record.messages) {
    const bool only_confirms =
        message.kind == PacketKind::kSynAck || message.kind == PacketKind::kAck;
    drawn += only_confirms ? 0 : 1;
  }
  const std::string picture = SequenceSvg(record);
  EXPECT_EQ(CountOf("<path class=\"arrow-head", picture), drawn);
  EXPECT_EQ(CountOf("class=\"cross\"", picture), 0);
  EXPECT_THAT(picture, HasSubstr("= WAIT_TIMEOUT"));
  EXPECT_THAT(picture, HasSubstr("4m59.9s"));  // Of which nothing is drawn.

  const RunRecord cut = ARankIsCutOff();
  EXPECT_EQ(CountOf("class=\"cross\"", SequenceSvg(cut)), LostIn(cut));
  EXPECT_THAT(SequenceSvg(cut), HasSubstr("cut &lt;-&gt; w0"));
}

TEST(SequenceSvgTest, MinutesOfWaitingTakeLittlePaper) {
  const std::string picture = SequenceSvg(AWaiterTimesOut());
  const size_t at = picture.find("height=\"") + 8;
  EXPECT_LT(std::stoi(picture.substr(at)), 800);
}

TEST(SequenceSvgTest, OfALargeRunItShowsTheTroubleAndSaysWhatIsMissing) {
  const RunRecord record = ManyRanksLoseOne();
  const std::string picture = SequenceSvg(record);
  EXPECT_THAT(picture, HasSubstr("crash w5"));
  EXPECT_THAT(picture, HasSubstr("left out: "));
  EXPECT_THAT(picture, HasSubstr("Only what surrounds faults and failures is drawn"));
  EXPECT_EQ(CountOf("class=\"cross\"", picture), LostIn(record));
  EXPECT_LE(CountOf("<path class=\"arrow-head", picture), PictureLimits().items_max);

  const std::string smaller = SequenceSvg(record, {.hosts_max = 6});
  EXPECT_THAT(smaller, HasSubstr("14 hosts of 20"));
  EXPECT_THAT(smaller, HasSubstr(">w5<"));
  EXPECT_THAT(smaller, HasSubstr(">w9<"));
}

// What is chosen and what is left out are together all that there is.
TEST(PictureContentTest, NothingIsForgotten) {
  const RunRecord record = ManyRanksLoseOne();
  const PictureContent all = ChoosePicture(record, {.items_max = 1'000'000});
  EXPECT_TRUE(all.omissions.empty());
  EXPECT_EQ(all.steps.size(), record.steps.size());
  const PictureContent some = ChoosePicture(record, {.items_max = 100});
  size_t messages = some.messages.size();
  for (const PictureContent::Omission& omission : some.omissions) messages += omission.messages;
  EXPECT_EQ(messages, all.messages.size());
  EXPECT_LE(some.messages.size(), 100);
}

// --- The ladder ---

TEST(TextLadderTest, LooksLikeOne) {
  const std::string ladder = TextLadder(NobodyListens());
  const std::vector<std::string> lines = absl::StrSplit(ladder, '\n');
  ASSERT_GE(lines.size(), 4);
  EXPECT_EQ(lines[0], "             w0                          w1");
  EXPECT_EQ(lines[1], "   0.000000  |                           > join");
  EXPECT_EQ(lines[2], "   0.000000  |<---------- SYN -----------|");
  EXPECT_EQ(lines[3], "   0.000050  |----------- RST ---------->|");
  EXPECT_THAT(ladder, HasSubstr("! join = CONNECT_REFUSED"));
}

TEST(TextLadderTest, StaysShort) {
  const std::string ladder = TextLadder(ManyRanksLoseOne());
  EXPECT_LT(CountOf("\n", ladder), 120);
  EXPECT_THAT(ladder, HasSubstr("* crash w5"));
  EXPECT_THAT(ladder, HasSubstr("lost"));
}

// --- The readable trace ---

TEST(TraceTextTest, TellsWhoDidWhatAndWhatWasLost) {
  const std::string trace = TraceText(ARankIsCutOff());
  EXPECT_THAT(trace, HasSubstr("FAULT cut w0 -> w3"));
  EXPECT_THAT(trace, HasSubstr("! get rank1 -> WAIT_TIMEOUT"));
  EXPECT_THAT(trace, HasSubstr("get: host1, wait: over lost at"));
  EXPECT_THAT(trace, HasSubstr("from now on w0 -> w3: cut"));
}

}  // namespace
}  // namespace rollcall::fault
