#include "store/journal/sqlite_journal.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "store/journal/faulty_vfs.h"
#include "testing/temp_directory.h"

namespace rollcall {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = JournalChange::Kind;
using Changes = std::vector<JournalChange>;

JournalChange SetKey(std::string name, std::string value, std::string space = "") {
  return {Kind::kSetKey, std::move(space), std::move(name), std::move(value)};
}
JournalChange EraseKey(std::string name) { return {Kind::kEraseKey, "", std::move(name), ""}; }
JournalChange Push(std::string name, std::string value) {
  return {Kind::kPush, "", std::move(name), std::move(value)};
}
JournalChange Pop(std::string name) { return {Kind::kPop, "", std::move(name), ""}; }
JournalChange SetSession(std::string name, std::string value) {
  return {Kind::kSetSession, "", std::move(name), std::move(value)};
}
JournalChange EraseSession(std::string name) {
  return {Kind::kEraseSession, "", std::move(name), ""};
}

class SqliteJournalTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Journal>> Open() { return OpenSqliteJournal(options_); }

  static absl::StatusOr<Changes> Load(Journal& journal) {
    Changes changes;
    absl::Status loaded =
        journal.Load([&](JournalChange change) { changes.push_back(std::move(change)); });
    if (!loaded.ok()) return loaded;
    return changes;
  }

  // Opens it, reads it, and closes it.
  absl::StatusOr<Changes> Contents() { return ContentsOf(options_.directory); }
  static absl::StatusOr<Changes> ContentsOf(const std::string& directory) {
    absl::StatusOr<std::unique_ptr<Journal>> journal = OpenSqliteJournal({.directory = directory});
    if (!journal.ok()) return journal.status();
    return Load(**journal);
  }

  std::unique_ptr<Journal> Opened() {
    absl::StatusOr<std::unique_ptr<Journal>> journal = Open();
    EXPECT_TRUE(journal.ok()) << journal.status();
    EXPECT_TRUE(Load(**journal).ok());
    return *std::move(journal);
  }

  void Commit(Journal& journal, const Changes& changes) {
    const absl::Status committed = journal.Commit(changes);
    ASSERT_TRUE(committed.ok()) << committed;
  }

  std::string File(const std::string& name) const { return options_.directory + "/" + name; }

  TempDirectory parent_;
  SqliteJournalOptions options_{.directory = parent_.File("journal")};
};

TEST_F(SqliteJournalTest, GivesBackWhatWasCommitted) {
  {
    const auto journal = Opened();
    Commit(*journal, {SetKey("/a", "1"), SetKey("/b", std::string("\0\xFF", 2)), SetKey("/c", ""),
                      SetKey("/a", "other", "job2")});
    Commit(*journal, {SetKey("/a", "2"), EraseKey("/c"), EraseKey("/never"), SetSession("s", "1")});
    Commit(*journal, {SetSession("s", "2"), SetSession("t", "1"), EraseSession("t")});
  }
  EXPECT_THAT(Contents().value(),
              ElementsAre(SetKey("/a", "2"), SetKey("/b", std::string("\0\xFF", 2)),
                          SetKey("/a", "other", "job2"), SetSession("s", "2")));
}

TEST_F(SqliteJournalTest, SaysWhatItsFilesTake) {
  const auto journal = Opened();
  const JournalSizes before = journal->sizes();
  EXPECT_EQ(before.database_bytes, std::filesystem::file_size(File("journal.sqlite")));
  Commit(*journal, {SetKey("/k", std::string(100'000, 'v'))});
  EXPECT_GT(journal->sizes().log_bytes, before.log_bytes + 100'000);
  EXPECT_EQ(journal->sizes().log_bytes, std::filesystem::file_size(File("journal.sqlite-wal")));
}

TEST_F(SqliteJournalTest, KeepsQueuesInTheirOrder) {
  {
    const auto journal = Opened();
    Commit(*journal, {Push("/q", "1"), Push("/q", "2"), Push("/q", "3"), Push("/empty", "x")});
    Commit(*journal, {Pop("/q"), Pop("/empty")});
    Commit(*journal, {Push("/q", "4"), Pop("/q"), Push("/empty", "y")});
  }
  EXPECT_THAT(Contents().value(),
              ElementsAre(Push("/empty", "y"), Push("/q", "3"), Push("/q", "4")));
}

TEST_F(SqliteJournalTest, TakesLargeValues) {
  const std::string large(8 << 20, 'v');
  { Commit(*Opened(), {SetKey("/large", large), SetKey(std::string(8 << 10, 'k'), "x")}); }
  const Changes contents = Contents().value();
  ASSERT_EQ(contents.size(), 2u);
  EXPECT_TRUE(contents[0].value == large);
}

TEST_F(SqliteJournalTest, TwoServersNeverHaveTheSame) {
  const auto journal = Opened();
  const absl::Status second = Open().status();
  EXPECT_TRUE(absl::IsFailedPrecondition(second)) << second;
  EXPECT_THAT(std::string(second.message()), HasSubstr("another server is using"));
  EXPECT_THAT(std::string(second.message()), HasSubstr(options_.directory));
}

TEST_F(SqliteJournalTest, ADirectoryOfSomethingElseIsLeftAlone) {
  std::filesystem::create_directory(options_.directory);
  std::ofstream(File("thesis.tex")) << "dear";
  const absl::Status opened = Open().status();
  EXPECT_TRUE(absl::IsFailedPrecondition(opened)) << opened;
  EXPECT_THAT(std::string(opened.message()), HasSubstr("\"thesis.tex\""));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(options_.directory),
                          std::filesystem::directory_iterator()),
            1);
}

TEST_F(SqliteJournalTest, AFileInThePlaceOfTheDirectoryIsAnError) {
  std::ofstream(options_.directory) << "x";
  const absl::Status opened = Open().status();
  EXPECT_TRUE(absl::IsUnavailable(opened)) << opened;
}

TEST_F(SqliteJournalTest, AStartThatWasCutOffIsBegunAgain) {
  std::filesystem::create_directory(options_.directory);
  std::ofstream(File("journal.sqlite.unfinished")) << "half";
  EXPECT_THAT(Contents().value(), IsEmpty());
}

// --- Damage ---

using Files = std::map<std::string, std::string>;

Files FilesOf(const std::string& directory) {
  Files files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    std::ifstream file(entry.path(), std::ios::binary);
    files[entry.path().filename()] =
        std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return files;
}

class DamagedJournalTest : public SqliteJournalTest {
 protected:
  DamagedJournalTest() {
    const auto journal = Opened();
    for (int i = 0; i < 40; ++i) {
      Commit(*journal, {SetKey(absl::StrCat("/key", i), std::string(50 + 7 * i, 'v')),
                        Push("/queue", absl::StrCat("element", i))});
      if (i == 30) Commit(*journal, {EraseKey("/key7"), SetSession("session", "3"), Pop("/queue")});
    }
    // The server is killed here: nothing is tidied up.
    killed_ = FilesOf(options_.directory);
    expected_ = ContentsAfter(killed_).value();
    EXPECT_EQ(expected_.size(), 39u + 39u + 1u);
  }

  absl::StatusOr<Changes> ContentsAfter(const Files& files) {
    const TempDirectory copy;
    for (const auto& [name, bytes] : files)
      std::ofstream(copy.File(name), std::ios::binary) << bytes;
    return ContentsOf(copy.path());
  }

  // All that was acknowledged, or an error that says that it is damaged. True if the latter.
  bool IsNoticedOrHarmless(const Files& files, const std::string& what) {
    const absl::StatusOr<Changes> contents = ContentsAfter(files);
    if (contents.ok()) {
      EXPECT_TRUE(*contents == expected_) << what << " was not noticed";
      return false;
    }
    EXPECT_TRUE(absl::IsDataLoss(contents.status())) << what << ": " << contents.status();
    EXPECT_THAT(std::string(contents.status().message()), HasSubstr("Bring back a copy")) << what;
    return true;
  }

  // After a clean end: all is in the database.
  Files Closed() {
    const TempDirectory copy;
    for (const auto& [name, bytes] : killed_) {
      std::ofstream(copy.File(name), std::ios::binary) << bytes;
    }
    EXPECT_TRUE(ContentsOf(copy.path()).ok());
    return FilesOf(copy.path());
  }

  void ChangeBytes(const Files& files, size_t step, int at_least_noticed) {
    int noticed = 0;
    for (const auto& [name, bytes] : files) {
      for (size_t i = 0; i < bytes.size(); i += name == "acknowledged" ? 1 : step) {
        Files changed = files;
        changed[name][i] ^= 1 << (i % 8);
        noticed += IsNoticedOrHarmless(changed, absl::StrCat("byte ", i, " of ", name)) ? 1 : 0;
      }
    }
    EXPECT_GE(noticed, at_least_noticed);
  }

  // `harmless`: the file in which what is cut off may be somewhere else too.
  void Truncate(const Files& files, size_t step, const std::string& harmless = "") {
    for (const auto& [name, bytes] : files) {
      for (size_t size = 0; size < bytes.size(); size += name == "acknowledged" ? 1 : step) {
        Files cut = files;
        cut[name].resize(size);
        const bool noticed = IsNoticedOrHarmless(cut, absl::StrCat(name, " cut to ", size));
        EXPECT_TRUE(noticed || name == harmless) << name << " cut to " << size;
      }
    }
  }

  Files killed_;
  Changes expected_;
};

TEST_F(DamagedJournalTest, AChangedByteIsNeverServed) { ChangeBytes(killed_, 2003, 50); }

TEST_F(DamagedJournalTest, AChangedByteIsNeverServedAfterACleanEnd) {
  const Files closed = Closed();
  EXPECT_FALSE(closed.contains("journal.sqlite-wal"));
  ChangeBytes(closed, 151, 50);
}

TEST_F(DamagedJournalTest, ACutFileIsNoticed) {
  // The log has all that the database lacks.
  Truncate(killed_, 9001, /*harmless=*/"journal.sqlite");
  Truncate(Closed(), 1021);
}

TEST_F(DamagedJournalTest, AMissingFileIsNoticed) {
  for (const char* const name : {"journal.sqlite", "journal.sqlite-wal"}) {
    Files without = killed_;
    ASSERT_EQ(without.erase(name), 1u) << name;
    EXPECT_TRUE(IsNoticedOrHarmless(without, name));
  }
}

TEST_F(DamagedJournalTest, ACopyWithoutTheAcknowledgedNumberIsTaken) {
  Files without = Closed();
  ASSERT_EQ(without.erase("acknowledged"), 1u);
  EXPECT_FALSE(IsNoticedOrHarmless(without, "a copy"));
}

TEST_F(DamagedJournalTest, AnOlderDatabaseBesideANewerNumberIsNoticed) {
  Files mixed = Closed();
  const TempDirectory other;
  {
    const auto journal = OpenSqliteJournal({.directory = other.path()}).value();
    ASSERT_TRUE(Load(*journal).ok());
    Commit(*journal, {});
  }
  mixed["journal.sqlite"] = FilesOf(other.path())["journal.sqlite"];
  EXPECT_TRUE(IsNoticedOrHarmless(mixed, "an older database"));
}

// --- A medium that fails ---

TEST_F(SqliteJournalTest, AFullDiskLosesNothingThatWasAcknowledged) {
  options_.bytes_max = 200 << 10;
  int acknowledged = 0;
  {
    const auto journal = Opened();
    absl::Status committed;
    while (acknowledged < 1000) {
      committed =
          journal->Commit({{SetKey(absl::StrCat(1000 + acknowledged), std::string(3000, 'x'))}});
      if (!committed.ok()) break;
      ++acknowledged;
    }
    EXPECT_TRUE(absl::IsResourceExhausted(committed)) << committed;
    EXPECT_THAT(std::string(committed.message()), HasSubstr(options_.directory));
    EXPECT_THAT(std::string(committed.message()), HasSubstr("make room"));
    // It goes on failing: nobody can say what the file holds now.
    EXPECT_EQ(journal->Commit({{SetKey("small", "x")}}), committed);
  }
  EXPECT_GT(acknowledged, 10);
  EXPECT_EQ(Contents().value().size(), static_cast<size_t>(acknowledged));
}

// Each write and each sync fails in its turn.
class FailingMediumTest : public SqliteJournalTest, public testing::WithParamInterface<int> {};

TEST_P(FailingMediumTest, LosesNothingThatWasAcknowledged) {
  FaultyVfs vfs;
  int failures = 0;
  for (int after = 0;; ++after) {
    const TempDirectory directory;
    options_ = {.directory = directory.path(), .vfs = vfs.name()};
    int acknowledged = 0;
    absl::Status committed;
    {
      const auto journal = Opened();
      vfs.FailAfter(after, GetParam());
      // More than a thousand pages, so that the log is copied into the database on the way.
      for (; acknowledged < 5 && committed.ok(); ++acknowledged) {
        committed = journal->Commit(
            {{SetKey(absl::StrCat(acknowledged), std::string(1 << 20, 'x')), Push("q", "e")}});
      }
      if (!committed.ok()) --acknowledged;
      vfs.FailAfter(1 << 30, SQLITE_OK);
    }
    if (committed.ok()) break;
    ++failures;
    EXPECT_TRUE(absl::IsUnavailable(committed) || absl::IsResourceExhausted(committed))
        << committed;
    const absl::StatusOr<Changes> contents = Contents();
    ASSERT_TRUE(contents.ok()) << contents.status() << " after " << after;
    const auto kept = contents->size() / 2;
    EXPECT_GE(kept, static_cast<size_t>(acknowledged)) << after;
    EXPECT_LE(kept, static_cast<size_t>(acknowledged) + 1) << after;
    // The rest of thousands alike: every call of the first commits, then some.
    if (after > 10) after += 97;
  }
  EXPECT_GT(failures, 10);
}

INSTANTIATE_TEST_SUITE_P(Codes, FailingMediumTest,
                         testing::Values(SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC));

}  // namespace
}  // namespace rollcall
