// Writes testdata/ anew: `bazel run //fault_injection/report:update_testdata`. With a directory as
// argument: what all demo runs look like, there.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fault_injection/report/chrome_trace.h"
#include "fault_injection/report/demo_runs.h"
#include "fault_injection/report/run_record.h"
#include "fault_injection/report/sequence_svg.h"
#include "fault_injection/report/text_ladder.h"
#include "fault_injection/report/trace_text.h"

namespace rollcall::fault {
namespace {

void Write(const std::string& path, absl::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) {
    std::cerr << "cannot write " << path << "\n";
    std::exit(1);
  }
  std::cout << "wrote " << path << "\n";
}

void WriteReports(const std::string& directory, absl::string_view name, const RunRecord& record) {
  const std::string path = absl::StrCat(directory, "/", name);
  Write(path + ".trace.txt", TraceText(record));
  Write(path + ".trace.json", ChromeTrace(record));
  Write(path + ".svg", SequenceSvg(record));
  Write(path + ".ladder.txt", TextLadder(record));
}

int Main(int argc, char** argv) {
  if (argc == 2) {
    const std::string directory = argv[1];
    WriteReports(directory, "two_ranks_meet", TwoRanksMeet());
    WriteReports(directory, "four_ranks_meet", FourRanksMeet());
    WriteReports(directory, "a_rank_is_cut_off", ARankIsCutOff());
    WriteReports(directory, "a_waiter_times_out", AWaiterTimesOut());
    WriteReports(directory, "many_ranks_lose_one", ManyRanksLoseOne());
    WriteReports(directory, "nobody_listens", NobodyListens());
    return 0;
  }
  const char* const workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (workspace == nullptr) {
    std::cerr << "run it as: bazel run //fault_injection/report:update_testdata\n";
    return 1;
  }
  WriteReports(absl::StrCat(workspace, "/fault_injection/report/testdata"), "two_ranks_meet",
               TwoRanksMeet());
  return 0;
}

}  // namespace
}  // namespace rollcall::fault

int main(int argc, char** argv) { return rollcall::fault::Main(argc, argv); }
