#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/executor.h"
#include "model/call_directory.h"
#include "model/call_id.h"
#include "model/call_recorder.h"
#include "model/recording.h"
#include "store/sound_file.h"

namespace offhook::store {

/// The sound of calls in files, one a call, named by its id alone. The thread `oh-record` takes what
/// the media workers leave in the CallRecorders every 100 ms, and writes it every second: after a
/// crash a file lacks a second at most. What a disk refuses ends that recording and no call.
/// @thread control, but for what is said otherwise
class Recordings {
public:
    struct Settings {
        std::string directory{};  ///< made when it is missing; empty: nothing is recorded
        SoundFormat format = SoundFormat::Opus;
        int retention_days = 30;                 ///< 0: for ever
        int max_minutes = 240;                   ///< of one; then it ends
        std::chrono::milliseconds probe{5'000};  ///< of a disk that refused
    };
    /// It ended by itself. Told on control.
    using Told = std::function<void(
        const model::CallId& call, model::RecordingState state, const std::string& why)>;
    /// @param control  outlives this
    Recordings(Settings settings, base::Executor& control, Told told);
    /// Finishes the files of those that still run.
    ~Recordings();
    Recordings(const Recordings&) = delete;
    Recordings& operator=(const Recordings&) = delete;

    /// Begins one; what comes of it is told. @return for the call's AudioPort
    /// @errors Unavailable: there is no directory; Conflict: the call has one
    [[nodiscard]] base::Result<std::shared_ptr<model::CallRecorder>> begin(
        const model::CallId& call);
    /// What is there is written, and the file is finished.
    void end(const model::CallId& call);

    struct Entry {
        std::string call, format;
        std::uint64_t bytes = 0;
        std::int64_t changed_ns = 0;  ///< CLOCK_REALTIME of the last write
        double duration_ms = 0;
        bool is_running = false;
    };
    template <class T>
    using Answer = std::function<void(base::Result<T>)>;
    /// Newest first, those behind `after` (a call's id; empty: from the newest on).
    struct Page {
        std::vector<Entry> entries;
        bool has_more = false;
    };
    void list(std::string after, std::size_t limit, Answer<Page> answer);

    struct Piece {
        std::string bytes, content_type;
        std::uint64_t first = 0, total = 0;  ///< of the file
    };
    /// At most `most` bytes from `first` on; counted from the end when `is_suffix`.
    /// @errors NotFound; InvalidArgument: `first` is behind the end
    void read(std::string call,
              std::uint64_t first,
              std::uint64_t most,
              bool is_suffix,
              Answer<Piece> answer);
    /// Those of these calls that do not run. `answer` gets how many there were.
    void erase(std::vector<std::string> calls, Answer<std::size_t> answer);

    struct Counters {
        std::uint64_t active = 0, begun = 0, failed = 0, dropped_frames = 0, bytes = 0;
    };
    /// @thread any
    [[nodiscard]] Counters counters() const;
    [[nodiscard]] bool is_off() const { return impl_ == nullptr; }
    /// Off when there is no directory. @thread any
    [[nodiscard]] model::HealthCheck health() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;  ///< null: nothing is recorded
};

}  // namespace offhook::store
