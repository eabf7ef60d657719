#include "store/record_table.h"

#include <algorithm>
#include <array>

namespace offhook::store {
namespace {

using base::Result;

// Each brings a file from the version before; the first makes it.
constexpr std::array kMigrations{
    "CREATE TABLE calls ("
    "id TEXT PRIMARY KEY NOT NULL, direction TEXT, from_uri TEXT, to_uri TEXT, far_user TEXT,"
    "account TEXT, route TEXT, ai TEXT, channel TEXT, leg TEXT, codec TEXT, srtp TEXT,"
    "transport TEXT, peer TEXT, user_agent TEXT, sip_call_id TEXT,"
    "created_ns INTEGER NOT NULL, answered_ns INTEGER, ended_ns INTEGER,"
    "answer_ms REAL, duration_ms REAL, end_class TEXT, end_reason TEXT, end_detail TEXT,"
    "peer_reasons TEXT, sip_status INTEGER,"
    "sent_packets INTEGER, received_packets INTEGER, lost_packets INTEGER,"
    "mos REAL, r_factor REAL, loss_share REAL, concealed_share REAL, jitter_ms REAL,"
    "jitter_max_ms REAL, round_trip_ms REAL, round_trip_max_ms REAL, remote_loss_share REAL,"
    "remote_jitter_ms REAL, max_gap_ms REAL, inbound_level_dbov REAL, outbound_level_dbov REAL,"
    "inbound_clipped_share REAL, outbound_clipped_share REAL, inbound_silence_share REAL,"
    "outbound_silence_share REAL, oneway_ms REAL, gap_alarms INTEGER"
    ") WITHOUT ROWID;"
    "CREATE INDEX calls_by_time ON calls (created_ns, id);"
    "CREATE INDEX calls_by_far_user ON calls (far_user);"
    "CREATE INDEX calls_open ON calls (id) WHERE ended_ns IS NULL;",
    "ALTER TABLE calls ADD COLUMN recording TEXT;",
};
static_assert(kMigrations.size() == kSchemaVersion);

std::string column_list() {
    std::string list;
    for (const Column& column : columns())
        list += (list.empty() ? "" : ", ") + std::string(column.name);
    return list;
}

std::string write_sql() {
    std::string marks, updates;
    for (const Column& column : columns()) {
        marks += marks.empty() ? "?" : ", ?";
        const std::string name(column.name);
        updates += (updates.empty() ? "" : ", ") + name + " = excluded." + name;
    }
    return "INSERT INTO calls (" + column_list() + ") VALUES (" + marks +
           ") ON CONFLICT (id) DO UPDATE SET " + updates + " WHERE calls.ended_ns IS NULL";
}

// One statement for every filter, so that none is ever put together from what somebody sent.
std::string find_sql() {
    return "SELECT " + column_list() +
           " FROM calls WHERE created_ns >= ?1 AND created_ns < ?2"
           " AND (created_ns, id) < (?3, ?4)"
           " AND (?5 IS NULL OR instr(lower(from_uri), lower(?5)) > 0)"
           " AND (?6 IS NULL OR instr(lower(to_uri), lower(?6)) > 0)"
           " AND (?7 IS NULL OR far_user = ?7 OR"
           "  CASE direction WHEN 'outbound' THEN to_uri ELSE from_uri END = ?7)"
           " AND (?8 IS NULL OR direction = ?8) AND (?9 IS NULL OR account = ?9)"
           " AND (?10 IS NULL OR route = ?10) AND (?11 IS NULL OR ai = ?11)"
           " AND (?12 IS NULL OR end_class = ?12) AND (?13 IS NULL OR end_reason = ?13)"
           " AND (?14 IS NULL OR duration_ms >= ?14) AND (?15 IS NULL OR duration_ms <= ?15)"
           " AND (?16 IS NULL OR mos >= ?16) AND (?17 IS NULL OR mos <= ?17)"
           " AND (?18 IS NULL OR loss_share >= ?18) AND (?19 IS NULL OR sip_call_id = ?19)"
           " ORDER BY created_ns DESC, id DESC LIMIT ?20";
}

void bind_filter(Statement& statement, int parameter, const std::string& text) {
    if (!text.empty()) statement.bind(parameter, text);
}

void bind_filter(Statement& statement, int parameter, double number) {
    if (number >= 0) statement.bind(parameter, number);
}

CallRecord record_at(const Statement& row) {
    CallRecord record;
    int index = 0;
    for (const Column& column : columns()) {
        const int at = index++;
        if (row.is_null(at)) continue;
        std::visit(
            [&](auto member) {
                using Member = decltype(member);
                if constexpr (std::is_same_v<Member, std::string CallRecord::*>) {
                    record.*member = row.text(at);
                } else if constexpr (std::is_same_v<Member, std::int64_t CallRecord::*>) {
                    record.*member = row.integer(at);
                } else if constexpr (std::is_same_v<Member, double CallRecord::*>) {
                    record.*member = row.real(at);
                } else if constexpr (std::is_same_v<Member, double model::Quality::*>) {
                    record.quality.*member = row.real(at);
                } else {
                    record.quality.*member = static_cast<std::uint64_t>(row.integer(at));
                }
            },
            column.member);
    }
    return record;
}

// A single row, then the statement is ready again.
Result<void> run_once(Statement& statement) {
    const auto done = statement.step();
    statement.reset();
    if (!done) return tl::unexpected(done.error());
    return {};
}

}  // namespace

Result<void> RecordTable::prepare(Database& database) {
    auto asked = database.prepare("PRAGMA user_version");
    if (!asked) return tl::unexpected(asked.error());
    if (const auto row = asked->step(); !row) return tl::unexpected(row.error());
    const std::int64_t version = asked->integer(0);
    asked->reset();
    if (version > kSchemaVersion) {
        return base::fail(base::ErrorCode::Unsupported,
                          "a newer offhook made the file (version " + std::to_string(version) +
                              "): run that one, or name another directory");
    }
    for (auto next = version; next < kSchemaVersion; ++next) {
        const std::string sql = std::string("BEGIN IMMEDIATE; ") +
                                kMigrations[static_cast<std::size_t>(next)] +
                                " PRAGMA user_version = " + std::to_string(next + 1) + "; COMMIT";
        if (auto done = database.run(sql); !done) {
            (void)database.run("ROLLBACK");
            return done;
        }
    }
    return {};
}

Result<Statement*> RecordTable::statement(std::optional<Statement>& kept, const std::string& sql) {
    if (!kept) {
        auto made = database_.prepare(sql);
        if (!made) return tl::unexpected(made.error());
        kept.emplace(std::move(*made));
    }
    kept->reset();
    return &*kept;
}

Result<void> RecordTable::write(const CallRecord& record) {
    const auto prepared = statement(write_, write_ ? std::string() : write_sql());
    if (!prepared) return tl::unexpected(prepared.error());
    int parameter = 0;
    for (const Column& column : columns()) {
        ++parameter;
        std::visit(
            [&](const auto& value) {
                if constexpr (!std::is_same_v<std::decay_t<decltype(value)>, std::monostate>)
                    (*prepared)->bind(parameter, value);
            },
            cell_of(record, column));
    }
    return run_once(**prepared);
}

Result<std::int64_t> RecordTable::abort_open(std::int64_t now_ns) {
    auto prepared = database_.prepare(
        "UPDATE calls SET ended_ns = ?1, end_class = 'internal', end_reason = 'aborted',"
        " end_detail = 'the daemon was gone before the call ended; ended is when it came back'"
        " WHERE ended_ns IS NULL");
    if (!prepared) return tl::unexpected(prepared.error());
    prepared->bind(1, now_ns);
    if (auto done = run_once(*prepared); !done) return tl::unexpected(done.error());
    return database_.changes();
}

Result<RecordPage> RecordTable::find(const RecordQuery& query) {
    const auto prepared = statement(find_, find_ ? std::string() : find_sql());
    if (!prepared) return tl::unexpected(prepared.error());
    Statement& rows = **prepared;
    rows.bind(1, query.since_ns).bind(2, query.until_ns);
    rows.bind(3, query.after_ns).bind(4, query.after_id);
    bind_filter(rows, 5, query.from);
    bind_filter(rows, 6, query.to);
    bind_filter(rows, 7, query.caller);
    bind_filter(rows, 8, query.direction);
    bind_filter(rows, 9, query.account);
    bind_filter(rows, 10, query.route);
    bind_filter(rows, 11, query.ai);
    bind_filter(rows, 12, query.end_class);
    bind_filter(rows, 13, query.end_reason);
    bind_filter(rows, 14, query.min_duration_ms);
    bind_filter(rows, 15, query.max_duration_ms);
    bind_filter(rows, 16, query.min_mos);
    bind_filter(rows, 17, query.max_mos);
    bind_filter(rows, 18, query.min_loss_share);
    bind_filter(rows, 19, query.sip_call_id);
    rows.bind(20, std::int64_t{query.limit} + 1);
    RecordPage page;
    for (;;) {
        const auto row = rows.step();
        if (!row) {
            rows.reset();
            return tl::unexpected(row.error());
        }
        if (!*row) break;
        if (page.records.size() == static_cast<std::size_t>(query.limit)) {
            page.has_more = true;
            break;
        }
        page.records.push_back(record_at(rows));
    }
    rows.reset();
    return page;
}

Result<std::optional<CallRecord>> RecordTable::get(const std::string& id) {
    const auto prepared = statement(
        get_, get_ ? std::string() : "SELECT " + column_list() + " FROM calls WHERE id = ?1");
    if (!prepared) return tl::unexpected(prepared.error());
    Statement& rows = **prepared;
    rows.bind(1, id);
    const auto row = rows.step();
    std::optional<CallRecord> record;
    if (row && *row) record = record_at(rows);
    rows.reset();
    if (!row) return tl::unexpected(row.error());
    return record;
}

Result<std::vector<std::string>> RecordTable::of_caller(const std::string& caller) {
    const auto prepared =
        statement(of_caller_,
                  "SELECT id FROM calls WHERE ended_ns IS NOT NULL AND (far_user = ?1 OR"
                  " CASE direction WHEN 'outbound' THEN to_uri ELSE from_uri END = ?1)");
    if (!prepared) return tl::unexpected(prepared.error());
    Statement& rows = **prepared;
    rows.bind(1, caller);
    std::vector<std::string> ids;
    for (;;) {
        const auto row = rows.step();
        if (!row || !*row) {
            rows.reset();
            if (!row) return tl::unexpected(row.error());
            return ids;
        }
        ids.push_back(rows.text(0));
    }
}

Result<std::vector<std::string>> RecordTable::erase_caller(const std::string& caller) {
    if (auto began = database_.run("BEGIN IMMEDIATE"); !began) return tl::unexpected(began.error());
    auto ids = of_caller(caller);
    Result<void> done;
    if (!ids) done = tl::unexpected(ids.error());
    for (std::size_t i = 0; done && i < ids->size(); ++i) {
        const auto prepared = statement(erase_, "DELETE FROM calls WHERE id = ?1");
        if (!prepared) {
            done = tl::unexpected(prepared.error());
            break;
        }
        (*prepared)->bind(1, (*ids)[i]);
        done = run_once(**prepared);
    }
    if (done) done = database_.run("COMMIT");
    if (!done) {
        (void)database_.run("ROLLBACK");
        return tl::unexpected(done.error());
    }
    return ids;
}

Result<std::int64_t> RecordTable::forget_before(std::int64_t created_ns, int limit) {
    const auto prepared =
        statement(forget_,
                  "DELETE FROM calls WHERE id IN (SELECT id FROM calls WHERE created_ns < ?1"
                  " AND ended_ns IS NOT NULL ORDER BY created_ns LIMIT ?2)");
    if (!prepared) return tl::unexpected(prepared.error());
    (*prepared)->bind(1, created_ns).bind(2, std::int64_t{limit});
    if (auto done = run_once(**prepared); !done) return tl::unexpected(done.error());
    return database_.changes();
}

}  // namespace offhook::store
