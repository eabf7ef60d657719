#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "store/call_record.h"
#include "store/database.h"
#include "store/record_query.h"

namespace offhook::store {

/// `PRAGMA user_version` of what this program writes.
inline constexpr int kSchemaVersion = 2;

/// The table of call records in one database. Errors are those of Database.
/// @thread that of the database
class RecordTable {
public:
    /// Makes what is missing and brings older files to `kSchemaVersion`.
    /// @errors Unsupported: a newer program made the file
    [[nodiscard]] static base::Result<void> prepare(Database& database);

    explicit RecordTable(Database& database) : database_(database) {}

    /// Inserts, or replaces what is still open; a row that is closed stays as it is.
    [[nodiscard]] base::Result<void> write(const CallRecord& record);
    /// Closes rows that are open, as `aborted` at `now_ns`. @return how many
    [[nodiscard]] base::Result<std::int64_t> abort_open(std::int64_t now_ns);
    [[nodiscard]] base::Result<RecordPage> find(const RecordQuery& query);
    [[nodiscard]] base::Result<std::optional<CallRecord>> get(const std::string& id);
    /// Erases all closed ones of one caller. @see RecordQuery::caller
    /// @return their ids
    [[nodiscard]] base::Result<std::vector<std::string>> erase_caller(const std::string& caller);
    /// Forgets closed rows older than this, `limit` of them. @return how many
    [[nodiscard]] base::Result<std::int64_t> forget_before(std::int64_t created_ns, int limit);

private:
    base::Result<std::vector<std::string>> of_caller(const std::string& caller);
    /// Prepared at the first use.
    base::Result<Statement*> statement(std::optional<Statement>& kept, const std::string& sql);

    Database& database_;
    std::optional<Statement> write_, find_, get_, of_caller_, erase_, forget_;
};

}  // namespace offhook::store
