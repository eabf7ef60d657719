#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "config/config.h"
#include "demo/child.h"
#include "demo/transcript.h"
#include "glib/timer.h"

namespace offhook::demo {

/// The first run: a local bot and a caller of our own as children of this process, and faults on
/// purpose.
///
///     bot     started before the rooms that need its address; 3 s after its death started again,
///             on the same port
///     caller  `offhook call` of this very program; again 3 s after a call is over, when it is to
///             repeat
///     loss    a share of what callers send is dropped before anybody counts it, for a while
///
/// The events demo.bot_started, demo.bot_ended, demo.bot_killed, demo.caller_started,
/// demo.caller_ended, demo.loss_began and demo.loss_ended are in the log.
/// @thread control
class Demo {
public:
    static constexpr std::chrono::milliseconds kPause{3'000};
    static constexpr std::chrono::seconds kMaxLossTime{300};

    struct Parts {
        config::Demo settings;
        GMainContext* context = nullptr;
        std::string program;  ///< path of this program
        /// Drops so much of what callers send from now on, 0 to 1.
        std::function<void(double share)> set_loss;
        std::chrono::milliseconds pause = kPause;
    };
    explicit Demo(Parts parts);
    /// Caller and bot end with it.
    ~Demo();
    Demo(const Demo&) = delete;
    Demo& operator=(const Demo&) = delete;

    /// Waits until the bot listens, 30 s at most.
    /// @return its address, "127.0.0.1:41234"; empty: the settings name no bot
    /// @errors Io, Timeout, Unavailable: it cannot be started, and its last words
    [[nodiscard]] base::Result<std::string> start_bot();
    /// Whom the caller calls, "sip:demo@127.0.0.1:5060"; calls when the settings say so.
    void start_caller(std::string target);
    /// Nothing is started any more, and the caller hangs up.
    void stop();

    /// SIGKILL. @errors Conflict: it does not run now
    [[nodiscard]] base::Result<void> kill_bot();
    /// One call now, and further ones when `repeats`. @errors Conflict: it is in a call, or there is
    /// nobody to call; Io
    [[nodiscard]] base::Result<void> call(bool repeats);
    /// No further calls; the one that runs is hung up.
    void end_calls();
    /// @param share  0 to 1; 0 ends it  @param time  at most `kMaxLossTime`
    void drop(double share, std::chrono::seconds time);

    struct Status {
        struct Bot {
            bool is_configured = false, is_running = false;
            int pid = 0;                     ///< 0: it does not run
            std::uint64_t restarts = 0;      ///< after it died
            std::int64_t next_start_ms = 0;  ///< until it is started again; 0: it runs
        } bot;
        struct Caller {
            bool is_calling = false, repeats = false;
            std::uint64_t calls = 0;
            std::int64_t next_call_ms = 0;  ///< 0: none is due
        } caller;
        double loss_share = 0;
        std::int64_t loss_left_ms = 0;
    };
    [[nodiscard]] Status status() const;
    [[nodiscard]] const Transcript& transcript() const { return transcript_; }

private:
    [[nodiscard]] base::Result<void> spawn_bot(bool tells_ready);
    [[nodiscard]] base::Result<void> spawn_caller();
    void on_bot_line(std::string_view line, bool is_error);
    void on_bot_ended(int code);
    void on_caller_ended(int code);
    void bot_again();
    void caller_again();

    Parts parts_;
    Transcript transcript_;
    std::string bot_address_ = "127.0.0.1:0";
    std::string last_words_;  ///< of the bot's standard error
    std::string target_;
    bool is_stopping_ = false;
    bool repeats_ = false;
    std::uint64_t restarts_ = 0, calls_ = 0;
    double loss_share_ = 0;
    std::int64_t bot_due_ns_ = 0, call_due_ns_ = 0, loss_until_ns_ = 0;  ///< CLOCK_MONOTONIC
    std::unique_ptr<Child> bot_, caller_;
    glib::Timer bot_timer_, caller_timer_, loss_timer_;
};

}  // namespace offhook::demo
