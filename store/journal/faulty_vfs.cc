#include "store/journal/faulty_vfs.h"

#include <limits>

#include "glog/logging.h"

namespace rollcall {
namespace {

// SQLite's interface is one of C functions, with no place for what they belong to.
struct Plan {
  int calls = 0;
  int fail_after = std::numeric_limits<int>::max();
  int code = SQLITE_OK;

  int Next() { return calls++ < fail_after ? SQLITE_OK : code; }
};
Plan plan;
sqlite3_vfs vfs;
sqlite3_io_methods methods;

sqlite3_vfs* System() { return static_cast<sqlite3_vfs*>(vfs.pAppData); }

struct File {
  sqlite3_file base;
  // The system's, which follows.
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
sqlite3_file* Real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real(); }

int Write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
  if (const int code = plan.Next(); code != SQLITE_OK) return code;
  return Real(file)->pMethods->xWrite(Real(file), bytes, count, offset);
}

int Sync(sqlite3_file* file, int flags) {
  if (const int code = plan.Next(); code != SQLITE_OK) return code;
  return Real(file)->pMethods->xSync(Real(file), flags);
}

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* got) {
  const int code = System()->xOpen(System(), name, Real(file), flags, got);
  file->pMethods = Real(file)->pMethods == nullptr ? nullptr : &methods;
  return code;
}

void FillMethods() {
  methods.iVersion = 1;
  methods.xClose = [](sqlite3_file* file) { return Real(file)->pMethods->xClose(Real(file)); };
  methods.xRead = [](sqlite3_file* file, void* bytes, int count, sqlite3_int64 offset) {
    return Real(file)->pMethods->xRead(Real(file), bytes, count, offset);
  };
  methods.xWrite = &Write;
  methods.xTruncate = [](sqlite3_file* file, sqlite3_int64 size) {
    return Real(file)->pMethods->xTruncate(Real(file), size);
  };
  methods.xSync = &Sync;
  methods.xFileSize = [](sqlite3_file* file, sqlite3_int64* size) {
    return Real(file)->pMethods->xFileSize(Real(file), size);
  };
  methods.xLock = [](sqlite3_file* file, int level) {
    return Real(file)->pMethods->xLock(Real(file), level);
  };
  methods.xUnlock = [](sqlite3_file* file, int level) {
    return Real(file)->pMethods->xUnlock(Real(file), level);
  };
  methods.xCheckReservedLock = [](sqlite3_file* file, int* reserved) {
    return Real(file)->pMethods->xCheckReservedLock(Real(file), reserved);
  };
  methods.xFileControl = [](sqlite3_file* file, int operation, void* argument) {
    return Real(file)->pMethods->xFileControl(Real(file), operation, argument);
  };
  methods.xSectorSize = [](sqlite3_file* file) {
    return Real(file)->pMethods->xSectorSize(Real(file));
  };
  methods.xDeviceCharacteristics = [](sqlite3_file* file) {
    return Real(file)->pMethods->xDeviceCharacteristics(Real(file));
  };
}

}  // namespace

FaultyVfs::FaultyVfs() : name_("rollcall-faulty") {
  sqlite3_vfs* const system = sqlite3_vfs_find(nullptr);
  CHECK(system != nullptr);
  FillMethods();
  plan = {};
  vfs = *system;
  vfs.zName = name_.c_str();
  vfs.pNext = nullptr;
  vfs.pAppData = system;
  vfs.szOsFile = static_cast<int>(sizeof(File)) + system->szOsFile;
  vfs.xOpen = &Open;
  // The rest of the system's methods look for nothing of their own in the VFS that they are given.
  vfs.xDelete = [](sqlite3_vfs*, const char* name, int sync) {
    return System()->xDelete(System(), name, sync);
  };
  vfs.xAccess = [](sqlite3_vfs*, const char* name, int flags, int* result) {
    return System()->xAccess(System(), name, flags, result);
  };
  vfs.xFullPathname = [](sqlite3_vfs*, const char* name, int size, char* path) {
    return System()->xFullPathname(System(), name, size, path);
  };
  CHECK_EQ(sqlite3_vfs_register(&vfs, /*makeDflt=*/0), SQLITE_OK);
}

FaultyVfs::~FaultyVfs() { sqlite3_vfs_unregister(&vfs); }

void FaultyVfs::FailAfter(int calls, int code) {
  plan = {.calls = 0, .fail_after = calls, .code = code};
}

int FaultyVfs::calls() const { return plan.calls; }

}  // namespace rollcall
