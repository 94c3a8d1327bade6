#include "store/journal/sqlite_journal.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "glog/logging.h"
#include "store/journal/journal_database.h"
#include "store/journal/journal_directory.h"

namespace rollcall {
namespace {

constexpr char kDatabaseFile[] = "journal.sqlite";
constexpr char kLogFile[] = "journal.sqlite-wal";
// What it is called until it is whole.
constexpr char kUnfinishedFile[] = "journal.sqlite.unfinished";

absl::Status Told(const std::string& place, const absl::Status& why, absl::string_view remedy) {
  return absl::Status(why.code(),
                      absl::StrCat("the journal in ", place, ": ", why.message(), "; ", remedy));
}

absl::Status Damaged(const std::string& place, absl::string_view what) {
  return absl::DataLossError(absl::StrCat(
      "the journal in ", place, " is damaged: ", what,
      "; nothing in it was changed or served. Bring back a copy of the directory, or move it away "
      "to begin with an empty store"));
}

absl::string_view RemedyFor(const absl::Status& why) {
  switch (why.code()) {
    case absl::StatusCode::kResourceExhausted:
      return "make room on its disk and start the server again: what was acknowledged is there";
    case absl::StatusCode::kFailedPrecondition:
      return "end what uses it, or give each server a directory of its own";
    default:
      return "look at the disk, the directory's owner and its permissions, and start the server "
             "again";
  }
}

class SqliteJournal final : public Journal {
 public:
  explicit SqliteJournal(JournalDirectory directory)
      : directory_(std::move(directory)), place_(directory_.path()) {}

  absl::Status Open(const SqliteJournalOptions& options);
  absl::Status Load(absl::FunctionRef<void(JournalChange change)> take) override;
  absl::Status Commit(absl::Span<const JournalChange> changes) override;
  JournalSizes sizes() const override {
    return {.database_bytes = directory_.BytesOf(kDatabaseFile),
            .log_bytes = directory_.BytesOf(kLogFile)};
  }
  const std::string& place() const override { return place_; }

 private:
  // That nothing else than a journal is here. True if there is one, false if one is to be made.
  absl::StatusOr<bool> IsThere() const;
  absl::Status Create(const char* vfs);
  // That the database has all that was acknowledged.
  absl::Status CompareWithAcknowledged();

  // `why`, as whoever operates the server is told.
  absl::Status Failed(const absl::Status& why) const {
    // A statement that SQLite does not understand is about a schema that is not ours any more.
    if (absl::IsDataLoss(why) || absl::IsInternal(why)) return Damaged(place_, why.message());
    return Told(place_, why, RemedyFor(why));
  }

  JournalDirectory directory_;
  const std::string place_;
  JournalDatabase database_;
  absl::Status broken_;  // What a commit failed with.
};

absl::StatusOr<bool> SqliteJournal::IsThere() const {
  const absl::StatusOr<std::vector<std::string>> names = directory_.Names();
  if (!names.ok()) return names.status();
  if (std::binary_search(names->begin(), names->end(), kDatabaseFile)) return true;
  for (const std::string& name : *names) {
    // Nobody was told of anything in a journal that was not finished.
    if (absl::StartsWith(name, kUnfinishedFile)) continue;
    if (absl::StartsWith(name, kDatabaseFile) || absl::StartsWith(name, kAcknowledgedFile)) {
      return absl::DataLossError(
          absl::StrCat(kDatabaseFile, " is missing, although ", name, " is there"));
    }
    return absl::FailedPreconditionError(
        absl::StrCat("the directory holds \"", name, "\" and no ", kDatabaseFile));
  }
  return false;
}

absl::Status SqliteJournal::Open(const SqliteJournalOptions& options) {
  const char* const vfs = options.vfs.empty() ? nullptr : options.vfs.c_str();
  const absl::StatusOr<bool> is_there = IsThere();
  if (!is_there.ok()) return Failed(is_there.status());
  if (!*is_there) {
    LOG(INFO) << "the journal in " << place_ << " is new";
    if (absl::Status created = Create(vfs); !created.ok()) return Failed(created);
  }
  // SQLite would take an empty file for a new database, and throw its log away.
  if (directory_.BytesOf(kDatabaseFile) < JournalDatabase::kPageBytes) {
    return Damaged(place_, absl::StrCat(kDatabaseFile, " is cut short"));
  }
  const absl::Status opened =
      database_.Open(directory_.File(kDatabaseFile), vfs, options.bytes_max);
  return opened.ok() ? opened : Failed(opened);
}

// Under another name until it is whole, so that no crash leaves half of it under its own.
absl::Status SqliteJournal::Create(const char* vfs) {
  const std::string unfinished = directory_.File(kUnfinishedFile);
  for (const char* const suffix : {"", "-journal", "-wal"}) {
    std::remove(absl::StrCat(unfinished, suffix).c_str());
  }
  if (absl::Status created = JournalDatabase::Create(unfinished, vfs); !created.ok()) {
    return created;
  }
  return directory_.Rename(kUnfinishedFile, kDatabaseFile);
}

absl::Status SqliteJournal::Load(absl::FunctionRef<void(JournalChange change)> take) {
  absl::Status loaded = database_.Load(take);
  if (loaded.ok()) loaded = CompareWithAcknowledged();
  return loaded.ok() ? loaded : Failed(loaded);
}

absl::Status SqliteJournal::CompareWithAcknowledged() {
  const uint64_t commits = database_.commits();
  const absl::StatusOr<std::optional<uint64_t>> acknowledged = directory_.ReadAcknowledged();
  if (!acknowledged.ok()) return acknowledged.status();
  if (!acknowledged->has_value() && commits > 0) {
    LOG(WARNING) << "the journal in " << place_ << " has no file \"" << kAcknowledgedFile
                 << "\": taking it for a copy that was brought back, up to commit " << commits;
  }
  if (acknowledged->value_or(0) > commits) {
    return absl::DataLossError(
        absl::StrCat("clients were told that commit ", **acknowledged,
                     " was safe, but its last one is ", commits, " (", kDatabaseFile,
                     "-wal is cut, changed or missing, or the files are not of one copy)"));
  }
  return directory_.BeginAcknowledging(commits);
}

absl::Status SqliteJournal::Commit(absl::Span<const JournalChange> changes) {
  if (!broken_.ok()) return broken_;
  absl::Status done = database_.Commit(changes);
  if (done.ok()) done = directory_.Acknowledge(database_.commits());
  if (!done.ok()) broken_ = Failed(done);
  return broken_;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Journal>> OpenSqliteJournal(const SqliteJournalOptions& options) {
  absl::StatusOr<JournalDirectory> directory = JournalDirectory::Take(options.directory);
  if (!directory.ok()) {
    return Told(options.directory, directory.status(), RemedyFor(directory.status()));
  }
  auto journal = std::make_unique<SqliteJournal>(*std::move(directory));
  if (absl::Status opened = journal->Open(options); !opened.ok()) return opened;
  return journal;
}

}  // namespace rollcall
