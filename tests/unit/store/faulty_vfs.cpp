#include "faulty_vfs.h"

#include <sqlite3.h>

#include <cstring>

namespace offhook::store::testing {
namespace {

// Our file, and right behind it the system's.
struct File {
    sqlite3_file base;
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_vfs* system_vfs() {
    static sqlite3_vfs* const vfs = sqlite3_vfs_find(nullptr);
    return vfs;
}

File& mine(sqlite3_file* file) {
    return *reinterpret_cast<File*>(file);
}

template <auto method, class... Args>
int pass(sqlite3_file* file, Args... args) {
    sqlite3_file* real = mine(file).real();
    return (real->pMethods->*method)(real, args...);
}

int write(sqlite3_file* file, const void* data, int bytes, sqlite3_int64 at) {
    const int code = FaultyVfs::instance().write_code();
    return code != SQLITE_OK ? code : pass<&sqlite3_io_methods::xWrite>(file, data, bytes, at);
}

int sync(sqlite3_file* file, int flags) {
    FaultyVfs::instance().before_sync();
    return pass<&sqlite3_io_methods::xSync>(file, flags);
}

int shm_map(sqlite3_file* file, int page, int bytes, int extend, void volatile** out) {
    return pass<&sqlite3_io_methods::xShmMap>(file, page, bytes, extend, out);
}

void shm_barrier(sqlite3_file* file) {
    sqlite3_file* real = mine(file).real();
    real->pMethods->xShmBarrier(real);
}

const sqlite3_io_methods& methods() {
    using M = sqlite3_io_methods;
    static const M all = [] {
        M m{};
        m.iVersion = 2;
        m.xClose = pass<&M::xClose>;
        m.xRead = pass<&M::xRead, void*, int, sqlite3_int64>;
        m.xWrite = write;
        m.xTruncate = pass<&M::xTruncate, sqlite3_int64>;
        m.xSync = sync;
        m.xFileSize = pass<&M::xFileSize, sqlite3_int64*>;
        m.xLock = pass<&M::xLock, int>;
        m.xUnlock = pass<&M::xUnlock, int>;
        m.xCheckReservedLock = pass<&M::xCheckReservedLock, int*>;
        m.xFileControl = pass<&M::xFileControl, int, void*>;
        m.xSectorSize = pass<&M::xSectorSize>;
        m.xDeviceCharacteristics = pass<&M::xDeviceCharacteristics>;
        m.xShmMap = shm_map;
        m.xShmLock = pass<&M::xShmLock, int, int, int>;
        m.xShmBarrier = shm_barrier;
        m.xShmUnmap = pass<&M::xShmUnmap, int>;
        return m;
    }();
    return all;
}

int open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out) {
    File& ours = mine(file);
    std::memset(ours.real(), 0, static_cast<std::size_t>(system_vfs()->szOsFile));
    const int code = system_vfs()->xOpen(system_vfs(), name, ours.real(), flags, out);
    ours.base.pMethods = ours.real()->pMethods != nullptr ? &methods() : nullptr;
    return code;
}

}  // namespace

FaultyVfs& FaultyVfs::instance() {
    static FaultyVfs vfs;
    return vfs;
}

FaultyVfs::FaultyVfs() {
    static sqlite3_vfs vfs;
    vfs = *system_vfs();
    vfs.zName = "faulty";
    vfs.pNext = nullptr;
    vfs.szOsFile = static_cast<int>(sizeof(File)) + system_vfs()->szOsFile;
    vfs.xOpen = open;
    sqlite3_vfs_register(&vfs, 0);
}

int FaultyVfs::write_code() const {
    switch (fault_.load()) {
        case Fault::Full:
            return SQLITE_FULL;
        case Fault::ReadOnly:
            return SQLITE_READONLY;
        case Fault::Io:
            return SQLITE_IOERR_WRITE;
        case Fault::None:
            break;
    }
    return SQLITE_OK;
}

void FaultyVfs::hold_syncs(bool is_held) {
    is_held_ = is_held;
    is_held_.notify_all();
}

void FaultyVfs::before_sync() {
    ++syncs_;
    ++waiting_syncs_;
    is_held_.wait(true);
    --waiting_syncs_;
}

}  // namespace offhook::store::testing
