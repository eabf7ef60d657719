#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/executor.h"
#include "model/call_directory.h"
#include "store/call_record.h"
#include "store/record_query.h"

namespace offhook::store {

/// Call records on the disk: `put` queues, the thread `oh-store` writes what came within 50 ms in
/// one transaction and syncs it, `oh-store-read` answers questions over a connection of its own, so
/// that a long one holds up no record.
///
///     put -> PendingRecords (16,384 calls, the oldest go) -> oh-store: BEGIN, rows, COMMIT, sync
///     find, get -> 64 questions -> oh-store-read -> the answer is posted to control
///
/// Nobody waits for the disk. While it refuses, records wait, health says why, and it is tried again
/// every second.
/// @thread control, but for what is said otherwise
class RecordStore {
public:
    struct Settings {
        std::string directory{};  ///< made when it is missing; empty: no records
        bool is_enabled = true;   ///< false: no records
        int retention_days = 90;  ///< 0: for ever
        std::size_t queue = 16'384;
        std::chrono::milliseconds gather{50};    ///< for a transaction, from its first record on
        std::chrono::milliseconds retry{1'000};  ///< after the disk refused
        std::chrono::milliseconds stop_limit{3'000};  ///< for the last records, at the end
        std::string vfs{};                            ///< of SQLite; empty: the system's
    };
    /// Returns before anything is opened: a disk that is away is a matter of health.
    /// @param control  where answers are told; outlives this
    RecordStore(Settings settings, base::Executor& control);
    /// Writes what waits, as far as `stop_limit` allows. Questions without an answer get none.
    ~RecordStore();
    RecordStore(const RecordStore&) = delete;
    RecordStore& operator=(const RecordStore&) = delete;

    /// A call began, changed, or is over: the newest state of its record. @thread any
    void put(CallRecord record);

    template <class T>
    using Answer = std::function<void(base::Result<T>)>;
    /// @errors Unavailable: records are off, or too many ask; else as Database
    void find(RecordQuery query, Answer<RecordPage> answer);
    void get(std::string id, Answer<std::optional<CallRecord>> answer);
    /// Erases what is over of a caller, from the file as well. @see RecordQuery::caller
    /// `answer` gets the ids that are gone.
    void erase_caller(std::string caller, Answer<std::vector<std::string>> answer);

    struct Counters {
        std::uint64_t written = 0;  ///< states of records; a call has one to three
        std::uint64_t dropped = 0;  ///< went while the disk refused
        std::uint64_t failed_commits = 0, commits = 0;
        std::uint64_t waiting = 0;
        double last_commit_ms = 0;
        std::uint64_t aborted = 0;  ///< closed at the start
    };
    /// @thread any
    [[nodiscard]] Counters counters() const;
    [[nodiscard]] bool is_on() const { return impl_ != nullptr; }
    /// @thread any
    [[nodiscard]] model::HealthCheck health() const;

private:
    class Impl;
    std::string why_off_;
    std::unique_ptr<Impl> impl_;
};

}  // namespace offhook::store
