#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace offhook::store {

/// One prepared statement. Parameters and columns count as SQLite counts them: parameters from 1,
/// columns from 0. A failed bind shows at the next `step`.
/// @thread that of its Database
class Statement {
public:
    Statement& bind(int parameter, std::string_view text);  ///< copied
    Statement& bind(int parameter, std::int64_t number);
    Statement& bind(int parameter, double number);
    Statement& bind_null(int parameter);

    /// @return whether there is a row to look at
    /// @errors as Database
    [[nodiscard]] base::Result<bool> step();
    /// Ready to be bound and stepped again; parameters are NULL.
    void reset();

    [[nodiscard]] std::string text(int column) const;
    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] double real(int column) const;
    [[nodiscard]] bool is_null(int column) const;

private:
    friend class Database;
    struct Finalize {
        void operator()(sqlite3_stmt* raw) const { sqlite3_finalize(raw); }
    };
    Statement(sqlite3* database, sqlite3_stmt* raw) : database_(database), raw_(raw) {}
    void note(int code) {
        if (failed_ == SQLITE_OK) failed_ = code;
    }

    sqlite3* database_;
    std::unique_ptr<sqlite3_stmt, Finalize> raw_;
    int failed_ = SQLITE_OK;
};

/// One connection to one SQLite file.
/// @thread one at a time
class Database {
public:
    enum class Mode { Write, Read };
    /// Write: made when it is not there, readable by this user only, in WAL mode; a commit is on
    /// the disk when it returns. Read: the file has to be there, and cannot be changed.
    /// @param vfs  name of the SQLite VFS; empty: the system's
    /// @errors LimitReached: the disk is full; Denied: no right, or read-only; NotFound; Malformed:
    ///         it is no database, or broken; Unavailable: somebody else locks it; Timeout:
    ///         interrupted; Io
    [[nodiscard]] static base::Result<Database> open(const std::string& path,
                                                     Mode mode,
                                                     const std::string& vfs = {});

    /// Statements without parameters and results.
    [[nodiscard]] base::Result<void> run(const std::string& sql);
    [[nodiscard]] base::Result<Statement> prepare(const std::string& sql);
    /// Rows that the last statement changed.
    [[nodiscard]] std::int64_t changes() const { return sqlite3_changes64(raw_.get()); }
    /// A statement that runs longer than this from now on ends with Timeout.
    void set_deadline(std::int64_t monotonic_ns);

private:
    struct Close {
        void operator()(sqlite3* raw) const { sqlite3_close_v2(raw); }
    };
    explicit Database(sqlite3* raw) : raw_(raw), deadline_ns_(std::make_unique<std::int64_t>(0)) {}

    std::unique_ptr<sqlite3, Close> raw_;
    std::unique_ptr<std::int64_t> deadline_ns_;
};

}  // namespace offhook::store
