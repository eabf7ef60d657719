#include "demo/demo.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include "base/escape.h"
#include "base/log.h"
#include "base/monotonic.h"

namespace offhook::demo {
namespace {

using base::ErrorCode;
using base::Result;
using log::Level;
using log::Mark;

constexpr std::chrono::seconds kReadyLimit{30};
constexpr std::size_t kShownBytes = 400;
/// The caller's call lasts until somebody hangs up.
constexpr const char* kCallSeconds = "86400";

std::int64_t left_ms(std::int64_t until_ns) {
    return std::max<std::int64_t>(0, (until_ns - base::monotonic_ns()) / base::kNsPerMs);
}

std::int64_t in(std::chrono::milliseconds delay) {
    return base::monotonic_ns() + delay.count() * base::kNsPerMs;
}

}  // namespace

Demo::Demo(Parts parts)
    : parts_(std::move(parts)),
      transcript_(parts_.settings.transcript),
      repeats_(parts_.settings.caller_calls) {}

Demo::~Demo() {
    stop();
    bot_.reset();
}

Result<std::string> Demo::start_bot() {
    if (parts_.settings.bot.empty()) return std::string();
    if (auto spawned = spawn_bot(true); !spawned) return tl::unexpected(spawned.error());
    auto address = bot_->wait_ready(kReadyLimit);
    if (!address) {
        // Its words come by the loop, which does not run yet.
        while (last_words_.empty() && g_main_context_iteration(parts_.context, FALSE) != FALSE) {
        }
        bot_.reset();
        return base::fail(address.error().code,
                          "the bot of the demonstration (" + parts_.settings.bot +
                              ") did not start: " + address.error().message,
                          last_words_);
    }
    bot_address_ = *address;
    return bot_address_;
}

Result<void> Demo::spawn_bot(bool tells_ready) {
    auto child = Child::start(
        {.argv = {parts_.settings.bot, "--listen", bot_address_, "--json"},
         .tells_ready = tells_ready},
        parts_.context,
        {.on_line = [this](std::string_view line, bool is_error) { on_bot_line(line, is_error); },
         .on_ended = [this](int code) { on_bot_ended(code); }});
    if (!child) return tl::unexpected(child.error());
    bot_ = std::move(*child);
    bot_due_ns_ = 0;
    log::write(Level::Info,
               Mark::System,
               "demo.bot_started",
               {},
               "the bot of the demonstration runs",
               {{"pid", bot_->pid()}, {"restarts", restarts_}});
    return {};
}

void Demo::on_bot_line(std::string_view line, bool is_error) {
    if (!is_error && transcript_.take(line)) return;
    if (is_error) last_words_ = base::escape_untrusted(line, kShownBytes);
    log::write(
        Level::Debug, Mark::System, {}, {}, "bot: " + base::escape_untrusted(line, kShownBytes));
}

void Demo::on_bot_ended(int code) {
    log::write(Level::Warning,
               Mark::Warning,
               "demo.bot_ended",
               {},
               "the bot of the demonstration is gone; it is started again",
               {{"code", code}, {"in_ms", parts_.pause.count()}});
    bot_.reset();
    bot_again();
}

void Demo::bot_again() {
    if (is_stopping_) return;
    bot_due_ns_ = in(parts_.pause);
    bot_timer_.once(parts_.context, parts_.pause, [this] {
        ++restarts_;
        if (auto spawned = spawn_bot(false); !spawned) {
            log::write(Level::Error, Mark::Error, "demo.bot_failed", {}, spawned.error().text());
            bot_again();
        }
    });
}

Result<void> Demo::kill_bot() {
    if (!bot_) return base::fail(ErrorCode::Conflict, "the bot does not run now");
    log::write(Level::Info, Mark::System, "demo.bot_killed", {}, "the bot is killed, as asked");
    bot_->signal(SIGKILL);
    return {};
}

void Demo::start_caller(std::string target) {
    target_ = std::move(target);
    if (!repeats_) return;
    if (auto spawned = spawn_caller(); !spawned)
        log::write(Level::Error, Mark::Error, "demo.caller_failed", {}, spawned.error().text());
}

Result<void> Demo::spawn_caller() {
    std::vector<std::string> argv{
        parts_.program, "call", target_, "--from", "caller", "--seconds", kCallSeconds, "--quiet"};
    if (!parts_.settings.caller_sound.empty()) {
        argv.emplace_back("--wav");
        argv.push_back(parts_.settings.caller_sound);
    }
    auto child =
        Child::start({.argv = std::move(argv)},
                     parts_.context,
                     {.on_line =
                          [](std::string_view line, bool /*is_error*/) {
                              log::write(Level::Debug,
                                         Mark::System,
                                         {},
                                         {},
                                         "caller: " + base::escape_untrusted(line, kShownBytes));
                          },
                      .on_ended = [this](int code) { on_caller_ended(code); }});
    if (!child) return tl::unexpected(child.error());
    caller_timer_.cancel();
    call_due_ns_ = 0;
    caller_ = std::move(*child);
    ++calls_;
    log::write(Level::Info,
               Mark::System,
               "demo.caller_started",
               {},
               "the built-in caller calls",
               {{"pid", caller_->pid()}, {"to", target_}});
    return {};
}

void Demo::on_caller_ended(int code) {
    log::write(Level::Info,
               Mark::System,
               "demo.caller_ended",
               {},
               "the call of the built-in caller is over",
               {{"code", code}, {"repeats", repeats_}});
    caller_.reset();
    caller_again();
}

void Demo::caller_again() {
    if (is_stopping_ || !repeats_) return;
    call_due_ns_ = in(parts_.pause);
    caller_timer_.once(parts_.context, parts_.pause, [this] {
        if (auto spawned = spawn_caller(); !spawned) {
            log::write(Level::Error, Mark::Error, "demo.caller_failed", {}, spawned.error().text());
            caller_again();
        }
    });
}

Result<void> Demo::call(bool repeats) {
    if (target_.empty())
        return base::fail(ErrorCode::Conflict, "no listener takes calls over UDP on this machine");
    repeats_ = repeats;
    if (caller_) return base::fail(ErrorCode::Conflict, "the built-in caller is in a call");
    return spawn_caller();
}

void Demo::end_calls() {
    repeats_ = false;
    call_due_ns_ = 0;
    caller_timer_.cancel();
    if (caller_) caller_->signal(SIGTERM);
}

void Demo::drop(double share, std::chrono::seconds time) {
    time = std::clamp(time, std::chrono::seconds(0), kMaxLossTime);
    const bool was_dropping = loss_share_ > 0;
    loss_share_ = time.count() == 0 ? 0 : std::clamp(share, 0.0, 1.0);
    loss_until_ns_ = loss_share_ > 0 ? in(time) : 0;
    loss_timer_.cancel();
    parts_.set_loss(loss_share_);
    if (loss_share_ > 0) {
        log::write(Level::Info,
                   Mark::System,
                   "demo.loss_began",
                   {},
                   "packets of callers are dropped, as asked",
                   {{"share", loss_share_}, {"seconds", time.count()}});
        loss_timer_.once(parts_.context, time, [this] { drop(0, std::chrono::seconds(0)); });
    } else if (was_dropping) {
        log::write(Level::Info,
                   Mark::System,
                   "demo.loss_ended",
                   {},
                   "packets of callers are let through again");
    }
}

void Demo::stop() {
    is_stopping_ = true;
    bot_timer_.cancel();
    bot_due_ns_ = 0;
    end_calls();
    drop(0, std::chrono::seconds(0));
}

Demo::Status Demo::status() const {
    return {.bot = {.is_configured = !parts_.settings.bot.empty(),
                    .is_running = bot_ != nullptr,
                    .pid = bot_ ? bot_->pid() : 0,
                    .restarts = restarts_,
                    .next_start_ms = left_ms(bot_due_ns_)},
            .caller = {.is_calling = caller_ != nullptr,
                       .repeats = repeats_,
                       .calls = calls_,
                       .next_call_ms = left_ms(call_due_ns_)},
            .loss_share = loss_share_,
            .loss_left_ms = left_ms(loss_until_ns_)};
}

}  // namespace offhook::demo
