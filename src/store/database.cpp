#include "store/database.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/monotonic.h"

namespace offhook::store {
namespace {

using base::ErrorCode;

constexpr int kBusyMs = 2'000;
constexpr int kStepsBetweenLooks = 10'000;

base::Error error_of(sqlite3* database, int code) {
    const int kind = code & 0xff;
    const std::string cause = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
    switch (kind) {
        case SQLITE_FULL:
            return {ErrorCode::LimitReached, "the disk is full", cause};
        case SQLITE_READONLY:
            return {ErrorCode::Denied, "the disk or the file is read-only", cause};
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return {ErrorCode::Denied, "the file may not be written", cause};
        case SQLITE_CANTOPEN:
            return {ErrorCode::NotFound, "the file cannot be opened", cause};
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return {ErrorCode::Malformed,
                    "the file is broken: move it away, and a new one is made",
                    cause};
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {ErrorCode::Unavailable, "another program locks the file", cause};
        case SQLITE_INTERRUPT:
            return {ErrorCode::Timeout, "it took too long: ask for less", cause};
        case SQLITE_NOMEM:
            return {ErrorCode::LimitReached, "there is no memory left", cause};
        case SQLITE_IOERR:
            return {ErrorCode::Io, "the disk refuses", cause};
        default:
            return {ErrorCode::Internal, "SQLite refuses", cause};
    }
}

// SQLite gives a new file the mode of everybody's umask; what stands in ours is nobody else's.
void make_private(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0) ::close(fd);
}

}  // namespace

Statement& Statement::bind(int parameter, std::string_view text) {
    note(sqlite3_bind_text64(
        raw_.get(), parameter, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
    return *this;
}

Statement& Statement::bind(int parameter, std::int64_t number) {
    note(sqlite3_bind_int64(raw_.get(), parameter, number));
    return *this;
}

Statement& Statement::bind(int parameter, double number) {
    note(sqlite3_bind_double(raw_.get(), parameter, number));
    return *this;
}

Statement& Statement::bind_null(int parameter) {
    note(sqlite3_bind_null(raw_.get(), parameter));
    return *this;
}

base::Result<bool> Statement::step() {
    if (failed_ != SQLITE_OK) return tl::unexpected(error_of(database_, failed_));
    const int code = sqlite3_step(raw_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return tl::unexpected(error_of(database_, code));
}

void Statement::reset() {
    failed_ = SQLITE_OK;
    sqlite3_reset(raw_.get());
    sqlite3_clear_bindings(raw_.get());
}

std::string Statement::text(int column) const {
    const auto* bytes = sqlite3_column_text(raw_.get(), column);
    if (bytes == nullptr) return {};
    return {reinterpret_cast<const char*>(bytes),
            static_cast<std::size_t>(sqlite3_column_bytes(raw_.get(), column))};
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(raw_.get(), column);
}

double Statement::real(int column) const {
    return sqlite3_column_double(raw_.get(), column);
}

bool Statement::is_null(int column) const {
    return sqlite3_column_type(raw_.get(), column) == SQLITE_NULL;
}

base::Result<Database> Database::open(const std::string& path, Mode mode, const std::string& vfs) {
    if (mode == Mode::Write) make_private(path);
    // A reader writes as well: its marks beside the file (WAL).
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    sqlite3* raw = nullptr;
    const int code =
        sqlite3_open_v2(path.c_str(), &raw, flags, vfs.empty() ? nullptr : vfs.c_str());
    Database database(raw);
    if (code != SQLITE_OK) return tl::unexpected(error_of(raw, code));
    sqlite3_busy_timeout(raw, kBusyMs);
    for (const char* sql : {"PRAGMA journal_mode = WAL",
                            "PRAGMA synchronous = FULL",
                            "PRAGMA secure_delete = ON",
                            "PRAGMA trusted_schema = OFF"}) {
        if (auto done = database.run(sql); !done) return tl::unexpected(done.error());
    }
    if (mode == Mode::Read) {
        if (auto done = database.run("PRAGMA query_only = ON"); !done)
            return tl::unexpected(done.error());
    }
    sqlite3_progress_handler(
        raw,
        kStepsBetweenLooks,
        [](void* deadline) {
            const std::int64_t at = *static_cast<const std::int64_t*>(deadline);
            return static_cast<int>(at != 0 && base::monotonic_ns() > at);
        },
        database.deadline_ns_.get());
    return database;
}

base::Result<void> Database::run(const std::string& sql) {
    const int code = sqlite3_exec(raw_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return tl::unexpected(error_of(raw_.get(), code));
    return {};
}

base::Result<Statement> Database::prepare(const std::string& sql) {
    sqlite3_stmt* raw = nullptr;
    const int code = sqlite3_prepare_v3(
        raw_.get(), sql.c_str(), static_cast<int>(sql.size()) + 1, 0, &raw, nullptr);
    if (code != SQLITE_OK) return tl::unexpected(error_of(raw_.get(), code));
    return Statement(raw_.get(), raw);
}

void Database::set_deadline(std::int64_t monotonic_ns) {
    *deadline_ns_ = monotonic_ns;
}

}  // namespace offhook::store
