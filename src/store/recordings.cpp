#include "store/recordings.h"

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/monotonic.h"
#include "store/recording_files.h"

namespace offhook::store {
namespace {

using base::ErrorCode;
using base::Result;
using log::Level;
using log::Mark;
using model::CallId;
using model::CallRecorder;
using model::RecordingState;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPumpPeriod{100};
constexpr std::chrono::seconds kWritePeriod{1};
constexpr std::chrono::hours kRetentionPeriod{1};
constexpr std::size_t kMaxJobs = 64;
constexpr std::uint64_t kFramesPerMinute = 3'000;
constexpr std::int64_t kNsPerDay = 86'400 * base::kNsPerS;

/// One call's sound on its way into its file.
struct Running {
    std::shared_ptr<CallRecorder> recorder;
    std::unique_ptr<SoundFile> file;  ///< null: to be made
    std::uint64_t frames = 0;         ///< in the file
    std::uint64_t dropped = 0;        ///< counted so far
    Clock::time_point write_at{};
    bool is_ending = false;
};

}  // namespace

class Recordings::Impl {
public:
    Impl(Settings settings, base::Executor& control, Told told)
        : settings_(std::move(settings)),
          files_(settings_.directory),
          control_(control),
          told_(std::make_shared<Told>(std::move(told))),
          thread_([this] { loop(); }) {}

    ~Impl() {
        {
            const std::lock_guard lock(mutex_);
            is_stopping_ = true;
        }
        wake_.notify_all();
        thread_.join();
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    Result<std::shared_ptr<CallRecorder>> begin(const CallId& call) {
        auto recorder = std::make_shared<CallRecorder>();
        {
            const std::lock_guard lock(mutex_);
            const auto [at, is_new] = begun_.try_emplace(call.text, recorder);
            if (!is_new)
                return base::fail(ErrorCode::Conflict,
                                  "call " + call.text + " is recorded already");
            ++counters_.begun;
        }
        wake_.notify_all();
        return recorder;
    }

    void end(const CallId& call) {
        {
            const std::lock_guard lock(mutex_);
            ending_.push_back(call.text);
        }
        wake_.notify_all();
    }

    /// @param job  runs on oh-record
    bool ask(std::function<void()> job) {
        {
            const std::lock_guard lock(mutex_);
            if (jobs_.size() >= kMaxJobs || is_stopping_) return false;
            jobs_.push_back(std::move(job));
        }
        wake_.notify_all();
        return true;
    }
    void tell(std::function<void()> answer) { control_.post(std::move(answer)); }

    // of oh-record
    [[nodiscard]] const RecordingFiles& files() const { return files_; }
    [[nodiscard]] bool is_running(const std::string& call) const { return running_.contains(call); }

    Counters counters() const {
        const std::lock_guard lock(mutex_);
        return counters_;
    }

    model::HealthCheck health() const {
        using Status = model::HealthCheck::Status;
        const std::lock_guard lock(mutex_);
        model::HealthCheck check;
        check.status = problem_.empty() ? Status::Ok : Status::Degraded;
        check.detail = problem_.empty() ? "recordings are written to " + settings_.directory
                                        : "calls are not recorded: " + problem_;
        check.figures = {{"recordings_active", static_cast<std::int64_t>(counters_.active)},
                         {"recordings_failed", static_cast<std::int64_t>(counters_.failed)}};
        return check;
    }

private:
    void loop() {
        pthread_setname_np(pthread_self(), "oh-record");
        auto next_retention = Clock::now();
        std::unique_lock lock(mutex_);
        for (;;) {
            const bool is_last = is_stopping_;
            const auto begun = std::exchange(begun_, {});
            const auto ending = std::exchange(ending_, {});
            const auto jobs = std::exchange(jobs_, {});
            const bool has_problem = !problem_.empty();
            lock.unlock();
            for (const auto& [call, recorder] : begun) running_[call].recorder = recorder;
            for (const std::string& call : ending) {
                const auto at = running_.find(call);
                if (at != running_.end()) at->second.is_ending = true;
            }
            for (const auto& job : jobs) job();
            pump_all(is_last);
            const auto now = Clock::now();
            if (now >= next_retention) {
                next_retention = now + kRetentionPeriod;
                forget_old();
            }
            if (has_problem && now >= probe_at_) {
                probe_at_ = now + settings_.probe;
                probe();
            }
            lock.lock();
            counters_.active = running_.size();
            if (is_last) return;
            const auto is_called = [this] {
                return is_stopping_ || !begun_.empty() || !ending_.empty() || !jobs_.empty();
            };
            if (!running_.empty()) {
                wake_.wait_for(lock, kPumpPeriod, is_called);
            } else {
                wake_.wait_until(
                    lock, problem_.empty() ? next_retention : std::max(probe_at_, now), is_called);
            }
        }
    }

    void pump_all(bool is_last) {
        for (auto at = running_.begin(); at != running_.end();) {
            const bool is_over = pump(at->first, at->second, is_last || at->second.is_ending);
            at = is_over ? running_.erase(at) : std::next(at);
        }
    }

    /// @return whether it is over
    bool pump(const std::string& call, Running& running, bool is_ending) {
        if (!running.file) {
            if (auto made = open(call, running); !made) return fail(call, running, made.error());
        }
        const std::uint64_t most =
            static_cast<std::uint64_t>(settings_.max_minutes) * kFramesPerMinute;
        CallRecorder::Frame frame;
        static constexpr CallRecorder::Frame kSilence{};
        while (running.frames < most && running.recorder->read(frame)) {
            // What was lost on the way is silence of the same length.
            for (; running.frames < frame.number && running.frames < most; ++running.frames)
                running.file->add(kSilence.samples);
            running.file->add(frame.samples);
            ++running.frames;
        }
        note_dropped(running);
        const bool is_full = running.frames >= most;
        if (is_ending || is_full) {
            running.recorder->stop();
            if (auto done = running.file->finish(); !done) return fail(call, running, done.error());
            if (is_full && !is_ending)
                report(call, RecordingState::Kept, "it has [recording] max_minutes");
            return true;
        }
        const auto now = Clock::now();
        if (now < running.write_at) return false;
        running.write_at = now + kWritePeriod;
        if (auto done = running.file->flush(); !done) return fail(call, running, done.error());
        return false;
    }

    Result<void> open(const std::string& call, Running& running) {
        if (auto made = files_.make(); !made) return made;
        auto file = SoundFile::create(files_.path_of(call, settings_.format), settings_.format);
        if (!file) return tl::unexpected(file.error());
        running.file = std::move(*file);
        running.write_at = Clock::now() + kWritePeriod;
        return running.file->flush();
    }

    bool fail(const std::string& call, Running& running, const base::Error& error) {
        running.recorder->stop();
        {
            const std::lock_guard lock(mutex_);
            ++counters_.failed;
            problem_ = error.text();
        }
        probe_at_ = Clock::now() + settings_.probe;
        report(call, RecordingState::Failed, error.text());
        return true;
    }

    void report(const std::string& call, RecordingState state, const std::string& why) {
        control_.post([told = std::weak_ptr(told_), id = CallId{call}, state, why] {
            if (const auto listener = told.lock(); listener && *listener)
                (*listener)(id, state, why);
        });
    }

    void note_dropped(Running& running) {
        const std::uint64_t dropped = running.recorder->dropped_frames();
        if (dropped == running.dropped) return;
        const std::lock_guard lock(mutex_);
        counters_.dropped_frames += dropped - running.dropped;
        running.dropped = dropped;
    }

    void probe() {
        const auto good = files_.probe();
        {
            const std::lock_guard lock(mutex_);
            problem_ = good ? std::string() : good.error().text();
        }
        if (!good) return;
        log::write(Level::Info,
                   Mark::Ok,
                   "recording.recovered",
                   {},
                   "calls can be recorded again",
                   {{"directory", settings_.directory}});
    }

    void forget_old() {
        if (settings_.retention_days == 0) return;
        const std::int64_t before_ns = base::realtime_ns() - settings_.retention_days * kNsPerDay;
        std::size_t gone = 0;
        for (const Entry& entry : files_.all()) {
            if (entry.changed_ns < before_ns && !is_running(entry.call) &&
                files_.remove(entry.call))
                ++gone;
        }
        if (gone == 0) return;
        log::write(Level::Info,
                   Mark::System,
                   "recording.forgotten",
                   {},
                   "recordings were older than [recording] retention_days",
                   {{"files", gone}});
    }

    const Settings settings_;
    const RecordingFiles files_;
    base::Executor& control_;
    const std::shared_ptr<Told> told_;

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    // under the mutex
    std::map<std::string, std::shared_ptr<CallRecorder>> begun_;
    std::vector<std::string> ending_;
    std::deque<std::function<void()>> jobs_;
    Counters counters_;
    std::string problem_;
    bool is_stopping_ = false;

    // of oh-record
    std::map<std::string, Running> running_;
    Clock::time_point probe_at_{};

    std::thread thread_;
};

Recordings::Recordings(Settings settings, base::Executor& control, Told told) {
    if (!settings.directory.empty())
        impl_ = std::make_unique<Impl>(std::move(settings), control, std::move(told));
}

Recordings::~Recordings() = default;

namespace {

tl::unexpected<base::Error> none() {
    return base::fail(ErrorCode::Unavailable,
                      "nothing is recorded: there is no folder; set [recording] directory, or "
                      "$STATE_DIRECTORY");
}

tl::unexpected<base::Error> too_many() {
    return base::fail(ErrorCode::Unavailable, "too many questions about recordings wait");
}

}  // namespace

Result<std::shared_ptr<CallRecorder>> Recordings::begin(const CallId& call) {
    if (!impl_) return none();
    return impl_->begin(call);
}

void Recordings::end(const CallId& call) {
    if (impl_) impl_->end(call);
}

void Recordings::list(std::string after, std::size_t limit, Answer<Page> answer) {
    if (!impl_) return answer(none());
    const bool is_asked = impl_->ask([impl = impl_.get(), after, limit, answer] {
        Page page;
        bool is_behind = after.empty();
        for (Entry& entry : impl->files().all()) {
            if (!is_behind) {
                is_behind = entry.call == after;
                continue;
            }
            if (page.entries.size() == limit) {
                page.has_more = true;
                break;
            }
            entry.duration_ms = impl->files().duration_ms(entry);
            entry.is_running = impl->is_running(entry.call);
            page.entries.push_back(std::move(entry));
        }
        impl->tell([answer, page = std::move(page)] { answer(page); });
    });
    if (!is_asked) answer(too_many());
}

void Recordings::read(std::string call,
                      std::uint64_t first,
                      std::uint64_t most,
                      bool is_suffix,
                      Answer<Piece> answer) {
    if (!impl_) return answer(none());
    const bool is_asked =
        impl_->ask([impl = impl_.get(), call = std::move(call), first, most, is_suffix, answer] {
            auto piece = impl->files().read(call, first, most, is_suffix);
            impl->tell([answer, piece = std::move(piece)] { answer(piece); });
        });
    if (!is_asked) answer(too_many());
}

void Recordings::erase(std::vector<std::string> calls, Answer<std::size_t> answer) {
    if (!impl_) return answer(std::size_t{0});
    const bool is_asked = impl_->ask([impl = impl_.get(), calls = std::move(calls), answer] {
        std::size_t gone = 0;
        for (const std::string& call : calls) {
            if (!impl->is_running(call) && impl->files().remove(call)) ++gone;
        }
        impl->tell([answer, gone] { answer(gone); });
    });
    if (!is_asked) answer(too_many());
}

Recordings::Counters Recordings::counters() const {
    return impl_ ? impl_->counters() : Counters{};
}

model::HealthCheck Recordings::health() const {
    if (impl_) return impl_->health();
    return {model::HealthCheck::Status::Off, "nothing is recorded: there is no folder for it", {}};
}

}  // namespace offhook::store
