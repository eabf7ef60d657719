#include "store/record_store.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/monotonic.h"
#include "store/database.h"
#include "store/pending_records.h"
#include "store/record_table.h"

namespace offhook::store {
namespace {

using base::ErrorCode;
using base::Result;
using log::Level;
using log::Mark;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxQuestions = 64;
constexpr std::size_t kMaxTransaction = 2'048;
constexpr int kForgetAtOnce = 500;
constexpr std::chrono::hours kRetentionPeriod{1};
constexpr std::int64_t kQuestionLimitNs = 5 * base::kNsPerS;
constexpr std::int64_t kSlowNs = base::kNsPerS;
constexpr std::int64_t kNsPerDay = 86'400 * base::kNsPerS;

Result<void> make_folders(const std::string& path) {
    for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
        const std::string part = path.substr(0, end);
        if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST)
            return base::fail_errno("cannot make " + part, errno);
        if (end == std::string::npos) return {};
    }
}

/// One process alone writes into a directory: another one would close its calls as aborted.
class DirectoryLock {
public:
    ~DirectoryLock() {
        if (fd_ >= 0) ::close(fd_);
    }
    Result<void> take(const std::string& directory) {
        if (fd_ >= 0) return {};
        const std::string path = directory + "/lock";
        const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0) return base::fail_errno("cannot open " + path, errno);
        if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
            ::close(fd);
            return base::fail(ErrorCode::Unavailable,
                              "another offhook keeps its records in " + directory +
                                  ": give each a [store] directory of its own");
        }
        fd_ = fd;
        return {};
    }

private:
    int fd_ = -1;
};

}  // namespace

class RecordStore::Impl {
public:
    Impl(Settings settings, base::Executor& control)
        : settings_(std::move(settings)),
          file_(settings_.directory + "/records.db"),
          control_(control),
          pending_(settings_.queue),
          writer_([this] { write_loop(); }),
          reader_([this] { read_loop(); }) {}

    ~Impl() {
        {
            const std::lock_guard lock(mutex_);
            is_stopping_ = true;
            stop_at_ = Clock::now() + settings_.stop_limit;
        }
        writer_wake_.notify_all();
        reader_wake_.notify_all();
        reader_.join();
        writer_.join();
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    void put(CallRecord record) {
        {
            const std::lock_guard lock(mutex_);
            dropped_ += pending_.put(std::move(record), base::monotonic_ns());
        }
        writer_wake_.notify_one();
    }

    using Job = std::function<void(Result<RecordTable*>)>;
    /// @param job  asks the table, or gets the error that there is none
    void ask(Job job) {
        const bool is_taken = enqueue(questions_, job);
        reader_wake_.notify_one();
        if (!is_taken) refuse(job);
    }
    void order(Job job) {
        const bool is_taken = enqueue(orders_, job);
        writer_wake_.notify_one();
        if (!is_taken) refuse(job);
    }
    void tell(std::function<void()> answer) { control_.post(std::move(answer)); }
    /// Empties the log beside the file, where erased rows still stand.
    void forget_log() { (void)database_->run("PRAGMA wal_checkpoint(TRUNCATE)"); }

    Counters counters() const {
        const std::lock_guard lock(mutex_);
        Counters counters = counters_;
        counters.dropped = dropped_;
        counters.waiting = pending_.size() + writing_;
        return counters;
    }

    model::HealthCheck health() const {
        using Status = model::HealthCheck::Status;
        const Counters now = counters();
        model::HealthCheck check;
        const std::lock_guard lock(mutex_);
        const std::int64_t since =
            commit_began_ns_ == 0 ? 0 : base::monotonic_ns() - commit_began_ns_;
        check.status = Status::Ok;
        check.detail = "call records are written to " + settings_.directory;
        if (!problem_.empty()) {
            check.status = Status::Degraded;
            check.detail = "call records are not written: " + problem_ + " (" +
                           settings_.directory + "); " + std::to_string(now.waiting) +
                           " wait in memory, " + std::to_string(now.dropped) + " are lost";
        } else if (since > kSlowNs) {
            check.status = Status::Degraded;
            check.detail = "call records wait for a slow disk: " + settings_.directory +
                           " has taken " + std::to_string(since / base::kNsPerMs) +
                           " ms for the last ones; " + std::to_string(now.waiting) + " wait";
        }
        check.figures = {{"records_written", static_cast<std::int64_t>(now.written)},
                         {"records_waiting", static_cast<std::int64_t>(now.waiting)},
                         {"records_dropped", static_cast<std::int64_t>(now.dropped)},
                         {"records_commit_ms", now.last_commit_ms}};
        return check;
    }

private:
    bool enqueue(std::deque<Job>& queue, Job& job) {
        const std::lock_guard lock(mutex_);
        if (queue.size() >= kMaxQuestions || is_stopping_) return false;
        queue.push_back(job);
        return true;
    }

    static void refuse(const Job& job) {
        job(base::fail(ErrorCode::Unavailable,
                       "too many questions about call records wait; ask again in a moment"));
    }

    // ---- oh-store ----

    void write_loop() {
        pthread_setname_np(pthread_self(), "oh-store");
        std::unique_lock lock(mutex_);
        auto next_retention = Clock::now();
        for (;;) {
            const auto now = Clock::now();
            if (is_stopping_ && ((pending_.size() == 0 && orders_.empty()) || now >= stop_at_)) {
                return;
            }
            const bool may_try = now >= retry_at_;
            const bool is_due =
                pending_.size() > 0 &&
                (is_stopping_ || pending_.size() >= kMaxTransaction || now >= due_at());
            if (may_try && (is_due || !database_ || !orders_.empty())) {
                work(lock);
                continue;
            }
            if (may_try && database_ && now >= next_retention) {
                next_retention = now + (forget(lock) ? Clock::duration(0) : kRetentionPeriod);
                continue;
            }
            auto wake_at = may_try ? next_retention : retry_at_;
            if (may_try && pending_.size() > 0) wake_at = std::min(wake_at, due_at());
            if (is_stopping_) wake_at = std::min(wake_at, stop_at_);
            writer_wake_.wait_until(lock, wake_at);
        }
    }

    Clock::time_point due_at() const {
        return Clock::time_point(std::chrono::nanoseconds(pending_.oldest_ns())) + settings_.gather;
    }

    // The records first: an order, to erase for instance, is about those as well.
    void work(std::unique_lock<std::mutex>& lock) {
        std::vector<PendingRecords::Item> batch = pending_.take(kMaxTransaction);
        writing_ = batch.size();
        commit_began_ns_ = base::monotonic_ns();
        lock.unlock();
        auto done = open();
        if (done) done = write(batch);
        lock.lock();
        const std::int64_t took_ns = base::monotonic_ns() - commit_began_ns_;
        commit_began_ns_ = 0;
        writing_ = 0;
        if (!done) {
            ++counters_.failed_commits;
            dropped_ += pending_.put_back(std::move(batch));
            fail(done.error());
        } else {
            if (!batch.empty()) {
                counters_.written += batch.size();
                ++counters_.commits;
                counters_.last_commit_ms = static_cast<double>(took_ns) / 1e6;
            }
            recover();
        }
        if (pending_.size() > 0 && done) return;
        run_orders(lock, done ? Result<void>() : done);
    }

    void run_orders(std::unique_lock<std::mutex>& lock, const Result<void>& state) {
        std::deque<Job> orders = std::exchange(orders_, {});
        lock.unlock();
        for (const Job& order : orders) {
            state ? order(&*table_) : order(tl::unexpected(state.error()));
        }
        lock.lock();
    }

    Result<void> open() {
        if (database_) return {};
        if (auto made = make_folders(settings_.directory); !made) return made;
        if (auto locked = lock_.take(settings_.directory); !locked) return locked;
        auto database = Database::open(file_, Database::Mode::Write, settings_.vfs);
        if (!database) return tl::unexpected(database.error());
        if (auto ready = RecordTable::prepare(*database); !ready) return ready;
        // No row of this run can be in the file before it was opened for the first time.
        if (!has_closed_old_) {
            const auto aborted = RecordTable(*database).abort_open(base::realtime_ns());
            if (!aborted) return tl::unexpected(aborted.error());
            has_closed_old_ = true;
            tell_aborted(*aborted);
        }
        database_.emplace(std::move(*database));
        table_.emplace(*database_);
        return {};
    }

    void tell_aborted(std::int64_t count) {
        if (count == 0) return;
        {
            const std::lock_guard lock(mutex_);
            counters_.aborted += static_cast<std::uint64_t>(count);
        }
        log::write(Level::Warning,
                   Mark::Warning,
                   "store.aborted",
                   {},
                   "calls were open when the daemon went; their records are closed as aborted",
                   {{"calls", count}});
    }

    Result<void> write(const std::vector<PendingRecords::Item>& batch) {
        if (batch.empty()) return {};
        auto done = database_->run("BEGIN IMMEDIATE");
        for (const auto& item : batch) {
            if (done) done = table_->write(item.record);
        }
        if (done) done = database_->run("COMMIT");
        if (!done) {
            (void)database_->run("ROLLBACK");
            close();
        }
        return done;
    }

    // Opened anew at the next try: the file may be another by then, or the disk.
    void close() {
        table_.reset();
        database_.reset();
    }

    /// @return whether there is more to forget at once
    bool forget(std::unique_lock<std::mutex>& lock) {
        if (settings_.retention_days == 0) return false;
        lock.unlock();
        const auto gone = table_->forget_before(
            base::realtime_ns() - settings_.retention_days * kNsPerDay, kForgetAtOnce);
        lock.lock();
        if (!gone) {
            fail(gone.error());
            close();
        }
        return gone && *gone == kForgetAtOnce;
    }

    void fail(const base::Error& error) {
        retry_at_ = Clock::now() + settings_.retry;
        const bool is_new = problem_ != error.message;
        problem_ = error.message;
        if (!is_new) return;
        log::write(Level::Error,
                   Mark::Error,
                   "store.failed",
                   {},
                   "call records are not written; calls go on: " + error.text(),
                   {{"directory", settings_.directory}, {"waiting", pending_.size()}});
    }

    void recover() {
        if (problem_.empty()) return;
        problem_.clear();
        log::write(Level::Info,
                   Mark::Ok,
                   "store.recovered",
                   {},
                   "call records are written again",
                   {{"directory", settings_.directory}, {"dropped", dropped_}});
    }

    // ---- oh-store-read ----

    void read_loop() {
        pthread_setname_np(pthread_self(), "oh-store-read");
        std::optional<Database> database;
        std::optional<RecordTable> table;
        std::unique_lock lock(mutex_);
        for (;;) {
            reader_wake_.wait(lock, [this] { return is_stopping_ || !questions_.empty(); });
            if (is_stopping_) return;
            const Job question = std::move(questions_.front());
            questions_.pop_front();
            lock.unlock();
            if (!database) {
                auto opened = Database::open(file_, Database::Mode::Read, settings_.vfs);
                if (opened) {
                    database.emplace(std::move(*opened));
                    table.emplace(*database);
                } else {
                    question(tl::unexpected(opened.error()));
                }
            }
            if (database) {
                database->set_deadline(base::monotonic_ns() + kQuestionLimitNs);
                question(&*table);
                database->set_deadline(0);
            }
            lock.lock();
            // A file that was replaced is seen with the next question.
            if (!problem_.empty()) {
                table.reset();
                database.reset();
            }
        }
    }

    const Settings settings_;
    const std::string file_;
    base::Executor& control_;

    mutable std::mutex mutex_;
    // under the mutex
    std::condition_variable writer_wake_, reader_wake_;
    PendingRecords pending_;
    std::deque<Job> questions_, orders_;
    std::string problem_;  ///< empty: none
    Counters counters_;
    std::uint64_t dropped_ = 0;
    std::size_t writing_ = 0;
    std::int64_t commit_began_ns_ = 0;
    bool is_stopping_ = false;
    Clock::time_point stop_at_, retry_at_;

    // of oh-store
    DirectoryLock lock_;
    std::optional<Database> database_;
    std::optional<RecordTable> table_;
    bool has_closed_old_ = false;

    std::thread writer_, reader_;
};

RecordStore::RecordStore(Settings settings, base::Executor& control) {
    if (!settings.is_enabled) {
        why_off_ = "call records are off ([store] enabled)";
    } else if (settings.directory.empty()) {
        why_off_ =
            "call records are off: there is no state directory; set [store] directory, or "
            "$STATE_DIRECTORY";
    } else {
        impl_ = std::make_unique<Impl>(std::move(settings), control);
    }
}

RecordStore::~RecordStore() = default;

void RecordStore::put(CallRecord record) {
    if (impl_) impl_->put(std::move(record));
}

void RecordStore::find(RecordQuery query, Answer<RecordPage> answer) {
    if (!impl_) return answer(base::fail(ErrorCode::Unavailable, why_off_));
    impl_->ask([impl = impl_.get(), query = std::move(query), answer = std::move(answer)](
                   Result<RecordTable*> table) {
        auto page = table ? (*table)->find(query) : tl::unexpected(table.error());
        impl->tell([answer, page = std::move(page)]() mutable { answer(std::move(page)); });
    });
}

void RecordStore::get(std::string id, Answer<std::optional<CallRecord>> answer) {
    if (!impl_) return answer(base::fail(ErrorCode::Unavailable, why_off_));
    impl_->ask([impl = impl_.get(), id = std::move(id), answer = std::move(answer)](
                   Result<RecordTable*> table) {
        auto record = table ? (*table)->get(id) : tl::unexpected(table.error());
        impl->tell([answer, record = std::move(record)]() mutable { answer(std::move(record)); });
    });
}

void RecordStore::erase_caller(std::string caller, Answer<std::vector<std::string>> answer) {
    if (!impl_) return answer(base::fail(ErrorCode::Unavailable, why_off_));
    impl_->order([impl = impl_.get(), caller = std::move(caller), answer = std::move(answer)](
                     Result<RecordTable*> table) {
        auto gone = table ? (*table)->erase_caller(caller) : tl::unexpected(table.error());
        if (gone) impl->forget_log();
        impl->tell([answer, gone = std::move(gone)]() mutable { answer(std::move(gone)); });
    });
}

RecordStore::Counters RecordStore::counters() const {
    return impl_ ? impl_->counters() : Counters{};
}

model::HealthCheck RecordStore::health() const {
    if (impl_) return impl_->health();
    return {model::HealthCheck::Status::Off, why_off_, {}};
}

}  // namespace offhook::store
