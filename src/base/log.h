#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/error.h"

namespace offhook::log {

enum class Level { Debug, Info, Warning, Error };

/// The category an operator greps for; printed as an emoji unless switched off.
enum class Mark { None, Call, Voice, System, Ok, Warning, Error };

/// One named value of a line. Numbers carry their unit in the key (`gap_ms`).
struct Field {
    std::string_view key;
    std::variant<std::string_view, std::int64_t, double, bool> value;

    Field(std::string_view k, std::string_view v) : key(k), value(v) {}
    Field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
    Field(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
    Field(std::string_view k, bool v) : key(k), value(v) {}
    template <std::integral I>
    requires(!std::same_as<I, bool>) Field(std::string_view k, I v)
        : key(k), value(static_cast<std::int64_t>(v)) {}
    template <std::floating_point F>
    Field(std::string_view k, F v) : key(k), value(static_cast<double>(v)) {}
};

enum class Format { Auto, Text, Json };

struct Options {
    Level level = Level::Info;
    Format format = Format::Auto;  ///< Auto: text on a terminal, JSON lines otherwise
    bool marks = true;             ///< print 🔔 🎙️ 🖥️ ✅ ⚠️ ❌
    std::string file;  ///< append here instead of standard error; re-opened by `reopen()`
};

/// Sets the process's one sink: a thread of its own (`oh-log`) behind a queue of 4,096 lines, so
/// that `write` never waits for a disk or a terminal. A full queue drops the oldest and says how
/// many (`log.overrun`). Lines before `setup` and after `shutdown` go to standard error as text, at
/// once.
/// @thread main, before other threads start
/// @errors Io: `file` cannot be opened
base::Result<void> setup(const Options& options);

/// Changes the level while running. @thread any
void set_level(Level level) noexcept;
[[nodiscard]] bool enabled(Level level) noexcept;

/// Opens `Options::file` anew, for log rotation. The old one stays in use when that fails. Nothing
/// to do on standard error.
/// @thread any
base::Result<void> reopen();

/// Writes one line. `event` is a stable dotted name that belongs to the contract ("call.answered",
/// docs/debug-guide.md) or empty for prose; `call` is the short call id or empty. Values are
/// escaped (`base::escape_untrusted`).
/// @thread any except media workers
void write(Level level,
           Mark mark,
           std::string_view event,
           std::string_view call,
           std::string_view message,
           std::initializer_list<Field> fields = {});

/// One line with an event name, as it was given to `write`. All views end with the call that tells
/// it, and none is escaped: text may come from the network.
struct Record {
    std::int64_t realtime_ns = 0;
    Level level = Level::Info;
    std::string_view event, call, message;
    std::span<const Field> fields;
};

/// Listens until it is destroyed. The destructor waits for listeners that are being told on other
/// threads; it must not run inside a listener.
class Listening {
public:
    Listening() = default;
    ~Listening() { stop(); }
    Listening(Listening&& other) noexcept : slot_(std::exchange(other.slot_, kNone)) {}
    Listening& operator=(Listening&& other) noexcept {
        if (this != &other) {
            stop();
            slot_ = std::exchange(other.slot_, kNone);
        }
        return *this;
    }
    Listening(const Listening&) = delete;
    Listening& operator=(const Listening&) = delete;

    /// Nothing is told once this returned. @thread any, not inside a listener
    void stop() noexcept;
    /// False when there was no place for it.
    [[nodiscard]] bool is_on() const noexcept { return slot_ != kNone; }

private:
    friend Listening set_listener(std::function<void(const Record&)> told);
    static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
    explicit Listening(std::size_t slot) : slot_(slot) {}
    std::size_t slot_ = kNone;
};

inline constexpr std::size_t kMaxListeners = 8;

/// Tells `told` every line that has an event name and is of level Info or above, whatever the log's
/// own level and before `setup` as well. It runs on the thread that writes the line, so it copies
/// what it needs and returns at once: no lock that is held for long, no disk, no exception. What it
/// writes to the log itself is told to nobody.
///
/// Up to kMaxListeners at a time; they are told in no order. Without a listener a line pays one
/// atomic load, with some two atomic additions each.
/// @thread any
[[nodiscard]] Listening set_listener(std::function<void(const Record&)> told);

/// Writes out what is queued and closes the sink. @thread main, after the other threads ended
void shutdown();

}  // namespace offhook::log
