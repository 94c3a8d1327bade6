#include "store/journal/journal_database.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "store/journal/journal_directory.h"

namespace rollcall {
namespace {

using Kind = JournalChange::Kind;

constexpr int64_t kFormat = 1;
// "RCLJ", in the file's header.
constexpr int64_t kApplicationId = 0x52434C4A;

// One table for all: what differs is in the first column. A row of a queue's element has a place.
constexpr char kSchema[] =
    "BEGIN;"
    "CREATE TABLE row(kind INTEGER NOT NULL, space BLOB NOT NULL, name BLOB NOT NULL,"
    " place INTEGER NOT NULL, value BLOB NOT NULL, checksum INTEGER NOT NULL,"
    " PRIMARY KEY(kind, space, name, place)) WITHOUT ROWID;"
    "CREATE TABLE journal(id INTEGER PRIMARY KEY CHECK(id = 1), format INTEGER NOT NULL,"
    " commits INTEGER NOT NULL, sum INTEGER NOT NULL, checksum INTEGER NOT NULL);";

enum class RowKind : int64_t { kKey = 1, kElement = 2, kSession = 3 };

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

}  // namespace

// Views of what is alive elsewhere.
struct JournalDatabase::Row {
  RowKind kind = RowKind::kKey;
  absl::string_view space;
  absl::string_view name;
  int64_t place = 0;
};

uint64_t JournalDatabase::ChecksumOf(const Row& row, absl::string_view value) {
  // Lengths, so that no two rows give the same bytes.
  return rollcall::ChecksumOf(absl::StrCat(static_cast<int64_t>(row.kind), ",", row.place, ",",
                                           row.space.size(), ",", row.name.size(), ":", row.space,
                                           row.name, value));
}

uint64_t JournalDatabase::ChecksumOf(const Header& header) {
  return rollcall::ChecksumOf(absl::StrCat(kFormat, ",", header.commits, ",", header.sum));
}

// --- Opening ---

absl::Status JournalDatabase::Create(const std::string& path, const char* vfs) {
  absl::StatusOr<sqlite::Database> database =
      sqlite::Database::Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs);
  if (!database.ok()) return database.status();
  return database->Execute(
      absl::StrCat("PRAGMA page_size=", kPageBytes, ";PRAGMA application_id=", kApplicationId,
                   ";PRAGMA synchronous=EXTRA;", kSchema, "INSERT INTO journal VALUES(1,", kFormat,
                   ",0,0,", static_cast<int64_t>(ChecksumOf(Header())), ");COMMIT;"));
}

absl::Status JournalDatabase::Open(const std::string& path, const char* vfs, uint64_t bytes_max) {
  absl::StatusOr<sqlite::Database> database =
      sqlite::Database::Open(path, SQLITE_OPEN_READWRITE, vfs);
  if (!database.ok()) return database.status();
  database_ = *std::move(database);
  if (absl::Status configured = Configure(bytes_max); !configured.ok()) return configured;
  return Prepare();
}

absl::Status JournalDatabase::Configure(uint64_t bytes_max) {
  // With the lock held for good there is no file of shared memory beside the log.
  absl::Status set = database_.Execute(
      "PRAGMA locking_mode=EXCLUSIVE;PRAGMA synchronous=FULL;PRAGMA trusted_schema=OFF;"
      "PRAGMA cell_size_check=ON;PRAGMA journal_size_limit=67108864");
  if (!set.ok()) return set;
  const absl::StatusOr<std::string> id = database_.Ask("PRAGMA application_id");
  if (!id.ok()) return id.status();
  if (*id != absl::StrCat(kApplicationId)) {
    return absl::DataLossError("its database is none of this program's");
  }
  const absl::StatusOr<std::string> mode = database_.Ask("PRAGMA journal_mode=WAL");
  if (!mode.ok()) return mode.status();
  if (*mode != "wal") return absl::UnavailableError("it cannot have a write-ahead log here");
  if (bytes_max == 0) return absl::OkStatus();
  const uint64_t pages = std::max<uint64_t>(bytes_max / kPageBytes, 1);
  return database_.Execute(absl::StrCat("PRAGMA max_page_count=", pages));
}

absl::Status JournalDatabase::Prepare() {
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

absl::Status JournalDatabase::Load(absl::FunctionRef<void(JournalChange change)> take) {
  const absl::StatusOr<std::string> check = database_.Ask("PRAGMA quick_check(1)");
  if (!check.ok()) return check.status();
  if (*check != "ok") return absl::DataLossError(*check);
  const absl::StatusOr<Header> header = ReadHeader();
  if (!header.ok()) return header.status();
  const absl::StatusOr<uint64_t> sum = ReadRows(take);
  if (!sum.ok()) return sum.status();
  if (*sum != header->sum) return absl::DataLossError("rows of it are missing");
  header_ = *header;
  return absl::OkStatus();
}

absl::StatusOr<JournalDatabase::Header> JournalDatabase::ReadHeader() {
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

absl::StatusOr<uint64_t> JournalDatabase::ReadRows(
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

// --- Writing ---

absl::Status JournalDatabase::Commit(absl::Span<const JournalChange> changes) {
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

absl::Status JournalDatabase::Apply(const JournalChange& change) {
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

void JournalDatabase::BindRow(sqlite::Statement& statement, const Row& row) {
  statement.Bind(1, static_cast<int64_t>(row.kind));
  statement.Bind(2, row.space);
  statement.Bind(3, row.name);
  statement.Bind(4, row.place);
}

absl::Status JournalDatabase::Put(const Row& row, absl::string_view value) {
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

absl::Status JournalDatabase::Erase(const Row& row) {
  const absl::StatusOr<uint64_t> old_checksum = OldChecksum(row);
  if (!old_checksum.ok()) return old_checksum.status();
  BindRow(statements_->erase, row);
  header_.sum -= *old_checksum;
  return statements_->erase.Run();
}

absl::StatusOr<uint64_t> JournalDatabase::OldChecksum(const Row& row) {
  sqlite::Statement& read = statements_->checksum;
  BindRow(read, row);
  const absl::StatusOr<bool> is_there = read.Step();
  if (!is_there.ok()) return is_there.status();
  if (!*is_there) return uint64_t{0};
  const auto checksum = static_cast<uint64_t>(read.Number(0));
  read.Reset();
  return checksum;
}

absl::StatusOr<int64_t> JournalDatabase::PlaceOf(sqlite::Statement& which,
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

}  // namespace rollcall
