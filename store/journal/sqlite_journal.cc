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
#include "store/journal/journal_directory.h"
#include "store/journal/sqlite.h"

namespace rollcall {
namespace {

using Kind = JournalChange::Kind;

constexpr char kDatabaseFile[] = "journal.sqlite";
// What it is called until it is whole.
constexpr char kUnfinishedFile[] = "journal.sqlite.unfinished";
constexpr int64_t kFormat = 1;
// "RCLJ", in the file's header.
constexpr int64_t kApplicationId = 0x52434C4A;
constexpr uint64_t kPageBytes = 4096;

// One table for all: what differs is in the first column. A row of a queue's element has a place.
constexpr char kSchema[] =
    "BEGIN;"
    "CREATE TABLE row(kind INTEGER NOT NULL, space BLOB NOT NULL, name BLOB NOT NULL,"
    " place INTEGER NOT NULL, value BLOB NOT NULL, checksum INTEGER NOT NULL,"
    " PRIMARY KEY(kind, space, name, place)) WITHOUT ROWID;"
    "CREATE TABLE journal(id INTEGER PRIMARY KEY CHECK(id = 1), format INTEGER NOT NULL,"
    " commits INTEGER NOT NULL, sum INTEGER NOT NULL, checksum INTEGER NOT NULL);";

enum class RowKind : int64_t { kKey = 1, kElement = 2, kSession = 3 };

// Views of what is alive elsewhere.
struct Row {
  RowKind kind = RowKind::kKey;
  absl::string_view space;
  absl::string_view name;
  int64_t place = 0;
};

uint64_t ChecksumOf(const Row& row, absl::string_view value) {
  // Lengths, so that no two rows give the same bytes.
  return rollcall::ChecksumOf(absl::StrCat(static_cast<int64_t>(row.kind), ",", row.place, ",",
                                           row.space.size(), ",", row.name.size(), ":", row.space,
                                           row.name, value));
}

// What the database says of itself.
struct Header {
  uint64_t commits = 0;
  uint64_t sum = 0;  // Of all rows' checksums, modulo 2^64.
};

uint64_t ChecksumOf(const Header& header) {
  return rollcall::ChecksumOf(absl::StrCat(kFormat, ",", header.commits, ",", header.sum));
}

// The statements that a commit is made of.
struct Statements {
  sqlite::Statement begin;
  sqlite::Statement commit;
  sqlite::Statement put;
  sqlite::Statement erase;
  sqlite::Statement checksum;
  sqlite::Statement first;
  sqlite::Statement last;
  sqlite::Statement header;
};

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
  const std::string& place() const override { return place_; }

 private:
  // That nothing else than a journal is here. True if there is one, false if one is to be made.
  absl::StatusOr<bool> IsThere() const;
  absl::Status Create(const char* vfs);
  absl::Status Configure(uint64_t bytes_max);
  absl::Status Prepare();
  absl::StatusOr<Header> ReadHeader();
  absl::StatusOr<uint64_t> ReadRows(absl::FunctionRef<void(JournalChange change)> take);
  // That the database has all that was acknowledged.
  absl::Status CompareWithAcknowledged(const Header& header);

  absl::Status Apply(const JournalChange& change);
  absl::Status Put(const Row& row, absl::string_view value);
  absl::Status Erase(const Row& row);
  // Of the queue's first or last element; 0 if it has none.
  absl::StatusOr<int64_t> PlaceOf(sqlite::Statement& which, const JournalChange& change);
  // Of what is there now under the row's name; 0 if nothing is.
  absl::StatusOr<uint64_t> OldChecksum(const Row& row);
  absl::Status Transact(absl::Span<const JournalChange> changes);

  // `why`, as whoever operates the server is told.
  absl::Status Failed(const absl::Status& why) const {
    // A statement that SQLite does not understand is about a schema that is not ours any more.
    if (absl::IsDataLoss(why) || absl::IsInternal(why)) return Damaged(place_, why.message());
    return Told(place_, why, RemedyFor(why));
  }

  JournalDirectory directory_;
  const std::string place_;
  sqlite::Database database_;
  std::optional<Statements> statements_;  // They go before their database.
  Header header_;
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
  if (directory_.BytesOf(kDatabaseFile) < kPageBytes) {
    return Damaged(place_, absl::StrCat(kDatabaseFile, " is cut short"));
  }
  absl::StatusOr<sqlite::Database> database =
      sqlite::Database::Open(directory_.File(kDatabaseFile), SQLITE_OPEN_READWRITE, vfs);
  if (!database.ok()) return Failed(database.status());
  database_ = *std::move(database);
  if (absl::Status configured = Configure(options.bytes_max); !configured.ok()) {
    return Failed(configured);
  }
  const absl::Status prepared = Prepare();
  return prepared.ok() ? prepared : Failed(prepared);
}

// Under another name until it is whole, so that no crash leaves half of it under its own.
absl::Status SqliteJournal::Create(const char* vfs) {
  const std::string unfinished = directory_.File(kUnfinishedFile);
  for (const char* const suffix : {"", "-journal", "-wal"}) {
    std::remove(absl::StrCat(unfinished, suffix).c_str());
  }
  absl::StatusOr<sqlite::Database> database =
      sqlite::Database::Open(unfinished, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs);
  if (!database.ok()) return database.status();
  const absl::Status created = database->Execute(
      absl::StrCat("PRAGMA page_size=", kPageBytes, ";PRAGMA application_id=", kApplicationId,
                   ";PRAGMA synchronous=EXTRA;", kSchema, "INSERT INTO journal VALUES(1,", kFormat,
                   ",0,0,", static_cast<int64_t>(ChecksumOf(Header())), ");COMMIT;"));
  if (!created.ok()) return created;
  database->Close();
  return directory_.Rename(kUnfinishedFile, kDatabaseFile);
}

absl::Status SqliteJournal::Configure(uint64_t bytes_max) {
  // With the lock held for good there is no file of shared memory beside the log.
  absl::Status set = database_.Execute(
      "PRAGMA locking_mode=EXCLUSIVE;PRAGMA synchronous=FULL;PRAGMA trusted_schema=OFF;"
      "PRAGMA cell_size_check=ON;PRAGMA journal_size_limit=67108864");
  if (!set.ok()) return set;
  const absl::StatusOr<std::string> id = database_.Ask("PRAGMA application_id");
  if (!id.ok()) return id.status();
  if (*id != absl::StrCat(kApplicationId)) {
    return absl::DataLossError(absl::StrCat(kDatabaseFile, " is no journal of this program's"));
  }
  const absl::StatusOr<std::string> mode = database_.Ask("PRAGMA journal_mode=WAL");
  if (!mode.ok()) return mode.status();
  if (*mode != "wal") return absl::UnavailableError("it cannot have a write-ahead log here");
  if (bytes_max == 0) return absl::OkStatus();
  const uint64_t pages = std::max<uint64_t>(bytes_max / kPageBytes, 1);
  return database_.Execute(absl::StrCat("PRAGMA max_page_count=", pages));
}

absl::Status SqliteJournal::Prepare() {
  absl::Status failed;
  auto prepare = [&](absl::string_view sql) {
    absl::StatusOr<sqlite::Statement> statement = database_.Prepare(sql);
    failed.Update(statement.status());
    return statement.ok() ? *std::move(statement) : sqlite::Statement();
  };
  constexpr char kThisRow[] = " WHERE kind=?1 AND space=?2 AND name=?3 AND place=?4";
  constexpr char kThisQueue[] = " FROM row WHERE kind=?1 AND space=?2 AND name=?3";
  statements_.emplace(Statements{
      .begin = prepare("BEGIN IMMEDIATE"),
      .commit = prepare("COMMIT"),
      .put = prepare("INSERT OR REPLACE INTO row VALUES(?1,?2,?3,?4,?5,?6)"),
      .erase = prepare(absl::StrCat("DELETE FROM row", kThisRow)),
      .checksum = prepare(absl::StrCat("SELECT checksum FROM row", kThisRow)),
      .first = prepare(absl::StrCat("SELECT MIN(place)", kThisQueue)),
      .last = prepare(absl::StrCat("SELECT MAX(place)", kThisQueue)),
      .header = prepare("UPDATE journal SET commits=?1, sum=?2, checksum=?3"),
  });
  return failed;
}

// --- Reading ---

absl::Status SqliteJournal::Load(absl::FunctionRef<void(JournalChange change)> take) {
  const absl::StatusOr<std::string> check = database_.Ask("PRAGMA quick_check(1)");
  if (!check.ok()) return Failed(check.status());
  if (*check != "ok") return Damaged(place_, *check);
  const absl::StatusOr<Header> header = ReadHeader();
  if (!header.ok()) return Failed(header.status());
  const absl::StatusOr<uint64_t> sum = ReadRows(take);
  if (!sum.ok()) return Failed(sum.status());
  if (*sum != header->sum) return Damaged(place_, "rows of it are missing");
  header_ = *header;
  const absl::Status compared = CompareWithAcknowledged(*header);
  return compared.ok() ? compared : Failed(compared);
}

absl::StatusOr<Header> SqliteJournal::ReadHeader() {
  absl::StatusOr<sqlite::Statement> read =
      database_.Prepare("SELECT format, commits, sum, checksum FROM journal");
  if (!read.ok()) return read.status();
  const absl::StatusOr<bool> is_there = read->Step();
  if (!is_there.ok()) return is_there.status();
  if (!*is_there) return absl::DataLossError("it has no header");
  if (read->Number(0) != kFormat) {
    return absl::DataLossError(absl::StrCat("its format is ", read->Number(0),
                                            "; this version knows ", kFormat, " alone"));
  }
  const Header header{.commits = static_cast<uint64_t>(read->Number(1)),
                      .sum = static_cast<uint64_t>(read->Number(2))};
  if (static_cast<uint64_t>(read->Number(3)) != ChecksumOf(header)) {
    return absl::DataLossError("its header has been changed");
  }
  return header;
}

JournalChange::Kind KindOf(RowKind kind) {
  switch (kind) {
    case RowKind::kKey:
      return Kind::kSetKey;
    case RowKind::kElement:
      return Kind::kPush;
    case RowKind::kSession:
      break;
  }
  return Kind::kSetSession;
}

absl::StatusOr<uint64_t> SqliteJournal::ReadRows(
    absl::FunctionRef<void(JournalChange change)> take) {
  absl::StatusOr<sqlite::Statement> read = database_.Prepare(
      "SELECT kind, space, name, place, value, checksum FROM row "
      "ORDER BY kind, space, name, place");
  if (!read.ok()) return read.status();
  uint64_t sum = 0;
  while (true) {
    const absl::StatusOr<bool> is_there = read->Step();
    if (!is_there.ok()) return is_there.status();
    if (!*is_there) return sum;
    const Row row{.kind = static_cast<RowKind>(read->Number(0)),
                  .space = read->Bytes(1),
                  .name = read->Bytes(2),
                  .place = read->Number(3)};
    const uint64_t checksum = ChecksumOf(row, read->Bytes(4));
    if (checksum != static_cast<uint64_t>(read->Number(5))) {
      return absl::DataLossError("a row of it has been changed");
    }
    sum += checksum;
    take({.kind = KindOf(row.kind),
          .space = std::string(row.space),
          .name = std::string(row.name),
          .value = std::string(read->Bytes(4))});
  }
}

absl::Status SqliteJournal::CompareWithAcknowledged(const Header& header) {
  const absl::StatusOr<std::optional<uint64_t>> acknowledged = directory_.ReadAcknowledged();
  if (!acknowledged.ok()) return acknowledged.status();
  if (!acknowledged->has_value() && header.commits > 0) {
    LOG(WARNING) << "the journal in " << place_ << " has no file \"" << kAcknowledgedFile
                 << "\": taking it for a copy that was brought back, up to commit "
                 << header.commits;
  }
  if (acknowledged->value_or(0) > header.commits) {
    return absl::DataLossError(
        absl::StrCat("clients were told that commit ", **acknowledged,
                     " was safe, but its last one is ", header.commits, " (", kDatabaseFile,
                     "-wal is cut, changed or missing, or the files are ", "not of one copy)"));
  }
  return directory_.BeginAcknowledging(header.commits);
}

// --- Writing ---

absl::Status SqliteJournal::Commit(absl::Span<const JournalChange> changes) {
  if (!broken_.ok()) return broken_;
  absl::Status done = Transact(changes);
  if (done.ok()) done = directory_.Acknowledge(header_.commits);
  if (!done.ok()) broken_ = Failed(done);
  return broken_;
}

absl::Status SqliteJournal::Transact(absl::Span<const JournalChange> changes) {
  if (absl::Status begun = statements_->begin.Run(); !begun.ok()) return begun;
  for (const JournalChange& change : changes) {
    if (absl::Status applied = Apply(change); !applied.ok()) return applied;
  }
  ++header_.commits;
  sqlite::Statement& update = statements_->header;
  update.Bind(1, static_cast<int64_t>(header_.commits));
  update.Bind(2, static_cast<int64_t>(header_.sum));
  update.Bind(3, static_cast<int64_t>(ChecksumOf(header_)));
  if (absl::Status updated = update.Run(); !updated.ok()) return updated;
  return statements_->commit.Run();
}

absl::Status SqliteJournal::Apply(const JournalChange& change) {
  Row row{.kind = RowKind::kKey, .space = change.space, .name = change.name};
  switch (change.kind) {
    case Kind::kSetKey:
      return Put(row, change.value);
    case Kind::kEraseKey:
      return Erase(row);
    case Kind::kPush:
    case Kind::kPop: {
      row.kind = RowKind::kElement;
      const bool pushes = change.kind == Kind::kPush;
      const absl::StatusOr<int64_t> place =
          PlaceOf(pushes ? statements_->last : statements_->first, change);
      if (!place.ok()) return place.status();
      row.place = pushes ? *place + 1 : *place;
      return pushes ? Put(row, change.value) : Erase(row);
    }
    case Kind::kSetSession:
      row.kind = RowKind::kSession;
      return Put(row, change.value);
    case Kind::kEraseSession:
      row.kind = RowKind::kSession;
      return Erase(row);
  }
  return absl::InternalError("a change of no kind");
}

void BindRow(sqlite::Statement& statement, const Row& row) {
  statement.Bind(1, static_cast<int64_t>(row.kind));
  statement.Bind(2, row.space);
  statement.Bind(3, row.name);
  statement.Bind(4, row.place);
}

absl::Status SqliteJournal::Put(const Row& row, absl::string_view value) {
  const absl::StatusOr<uint64_t> old_checksum = OldChecksum(row);
  if (!old_checksum.ok()) return old_checksum.status();
  const uint64_t checksum = ChecksumOf(row, value);
  sqlite::Statement& put = statements_->put;
  BindRow(put, row);
  put.Bind(5, value);
  put.Bind(6, static_cast<int64_t>(checksum));
  header_.sum += checksum - *old_checksum;
  return put.Run();
}

absl::Status SqliteJournal::Erase(const Row& row) {
  const absl::StatusOr<uint64_t> old_checksum = OldChecksum(row);
  if (!old_checksum.ok()) return old_checksum.status();
  BindRow(statements_->erase, row);
  header_.sum -= *old_checksum;
  return statements_->erase.Run();
}

absl::StatusOr<uint64_t> SqliteJournal::OldChecksum(const Row& row) {
  sqlite::Statement& read = statements_->checksum;
  BindRow(read, row);
  const absl::StatusOr<bool> is_there = read.Step();
  if (!is_there.ok()) return is_there.status();
  if (!*is_there) return uint64_t{0};
  const auto checksum = static_cast<uint64_t>(read.Number(0));
  read.Reset();
  return checksum;
}

absl::StatusOr<int64_t> SqliteJournal::PlaceOf(sqlite::Statement& which,
                                               const JournalChange& change) {
  which.Bind(1, static_cast<int64_t>(RowKind::kElement));
  which.Bind(2, change.space);
  which.Bind(3, change.name);
  const absl::StatusOr<bool> is_there = which.Step();
  if (!is_there.ok()) return is_there.status();
  // NULL, where there is none, reads as 0.
  const int64_t place = *is_there ? which.Number(0) : 0;
  which.Reset();
  return place;
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
