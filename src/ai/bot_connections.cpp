#include <algorithm>
#include <utility>

#include "ai/bot_dial.h"
#include "ai/bot_session_impl.h"
#include "base/monotonic.h"
#include "model/trace_context.h"

namespace offhook::ai {
namespace {

using base::kNsPerMs;
using base::kNsPerS;
using model::AiState;

constexpr std::int64_t kStatsEveryNs = 100 * kNsPerMs;
/// What is queued should have played by then, whatever the line does.
constexpr std::int64_t kLeaveSlackNs = 5 * kNsPerS;

constexpr std::uint16_t kNormal = 1000;  // RFC 6455 §7.4.1
constexpr std::uint16_t kNoStatus = 1005;
constexpr std::uint16_t kProtocolError = 1002;

OnClose on_close_of(std::string_view word, OnClose otherwise) noexcept {
    if (word == "hang-up") return OnClose::HangUp;
    if (word == "reconnect") return OnClose::Reconnect;
    if (word == "fallback") return OnClose::Fallback;
    return otherwise;
}

/// Another try would end the same way.
bool is_final(const socket::LinkEnd& end) noexcept {
    using Why = socket::LinkEnd::Why;
    switch (end.why) {
        case Why::NotAllowed:
        case Why::Untrusted:
            return true;
        case Why::Refused:
            return end.code == 401 || end.code == 403 || end.code == 407;
        default:
            return false;
    }
}

/// Also AudioSocket's: TCP knows no code.
bool is_orderly(const socket::LinkEnd& end) noexcept {
    return end.why == socket::LinkEnd::Why::ClosedByPeer &&
           (end.code == kNormal || end.code == kNoStatus || end.code == 0);
}

std::string sentence_of(const socket::LinkEnd& end) {
    std::string text(socket::name_of(end.why));
    if (end.code != 0) text += ' ' + std::to_string(end.code);
    return end.detail.empty() ? text : text + ": " + end.detail;
}

}  // namespace

// Of the connection that comes up next, however often it is dialled.
std::string BotSession::Impl::next_traceparent() const {
    return model::traceparent(
        parts_.call.id.text, model::ai_connection_part(parts_.settings->ai.name, connections_ + 1));
}

void BotSession::Impl::connect() {
    AiCounters::add(stats_.attempts, 1);
    phase_ = Phase::Dialling;
    connection_ = std::make_unique<Connection>(*this);
    auto link =
        parts_.dial(*parts_.loop,
                    dial_settings(*parts_.settings, protocol_->opening(), next_traceparent()),
                    *connection_);
    if (link) {
        connection_->hold(std::move(*link));
    } else {
        connection_.reset();
        end({link.error().code == base::ErrorCode::InvalidArgument ? Ending::Kind::Final
                                                                   : Ending::Kind::Lost,
             link.error().text(),
             "not-dialled"});
    }
}

socket::LinkEvents& BotSession::Impl::welcome() {
    AiCounters::add(stats_.attempts, 1);
    connection_ = std::make_unique<Connection>(*this);
    return *connection_;
}

void BotSession::Impl::take(std::unique_ptr<socket::Link> link) {
    if (connection_) connection_->hold(std::move(link));
}

void BotSession::Impl::on_open() {
    guard([this] {
        now_ns_ = parts_.clock();
        phase_ = Phase::Opening;
        opened_ns_ = now_ns_;
        due_ns_ = now_ns_ + parts_.settings->ai.connect_timeout_ms * kNsPerMs;
        AiCounters::add(stats_.connections, 1);
        Continuation before;
        before.traceparent = next_traceparent();
        before.attempt = ++connections_;
        if (connections_ > 1) before.gap_ms = static_cast<double>(now_ns_ - lost_ns_) / kNsPerMs;
        before.played_ms = ms(line_->played());
        before.replay_ms = feed_->kept_ms();
        before.marks.assign(played_marks_.begin(), played_marks_.end());
        before.dropped = std::exchange(lost_marks_, {});
        protocol_->on_open(before);
    });
}

void BotSession::Impl::ready() {
    if (phase_ != Phase::Opening || ending_) return;
    phase_ = Phase::Live;
    due_ns_ = kNever;
    if (stats_.lost_since_ns.load(std::memory_order_relaxed) != 0) {
        stats_.last_gap_ms.store(static_cast<double>(now_ns_ - lost_ns_) / kNsPerMs,
                                 std::memory_order_relaxed);
        stats_.lost_since_ns.store(0, std::memory_order_relaxed);
    }
    if (stats_.state.load(std::memory_order_relaxed) != AiState::Live) {
        set_state(AiState::Live, "the bot hears the caller");
    }
    feed_->start(now_ns_);
    if (is_held_) protocol_->on_hold(true);
    for (const DigitNews& news : std::exchange(digits_, {})) {
        protocol_->on_digit(news.digit, news.duration_ms);
    }
}

void BotSession::Impl::on_text(std::string_view text) {
    guard([&] {
        if (is_open()) protocol_->on_text(text);
    });
}

void BotSession::Impl::on_binary(std::span<const std::byte> bytes) {
    guard([&] {
        if (is_open()) protocol_->on_binary(bytes);
    });
}

void BotSession::Impl::on_closed(const socket::LinkEnd& how) {
    guard([&] {
        now_ns_ = parts_.clock();
        Ending::Kind kind = Ending::Kind::Lost;
        if (is_final(how)) kind = Ending::Kind::Final;
        if (is_orderly(how)) kind = Ending::Kind::Orderly;
        end({kind, sentence_of(how), socket::name_of(how.why).data()});
    });
}

// A protocol may say so from inside a callback of its own; the connection ends when it is out of
// it. The first word counts.
void BotSession::Impl::end(Ending ending) {
    if (!ending_) ending_ = std::move(ending);
}

void BotSession::Impl::settle() {
    while (ending_) {
        const Ending ending = std::move(*std::exchange(ending_, std::nullopt));
        if (phase_ == Phase::Leaving || phase_ == Phase::Done) continue;
        const bool was_live = phase_ == Phase::Live;
        disconnect(ending);
        if (ending.kind == Ending::Kind::Final) {
            give_up(ending.sentence);
            continue;
        }
        if (ending.kind == Ending::Kind::Orderly && was_live) {
            const OnClose on_close =
                on_close_of(parts_.settings->ai.on_close, protocol_->on_close());
            if (on_close == OnClose::HangUp) leave(Next::Finish, ending.sentence);
            if (on_close == OnClose::Fallback) give_up(ending.sentence);
            if (on_close != OnClose::Reconnect) continue;
        }
        if (ending.kind == Ending::Kind::Planned && parts_.settings->ai.is_dialled) {
            connect();
        } else {
            schedule(ending.sentence);
        }
    }
}

void BotSession::Impl::disconnect(const Ending& ending) {
    const bool was_open = is_open();
    phase_ = Phase::Waiting;
    due_ns_ = kNever;
    stats_.last_loss.store(ending.word, std::memory_order_relaxed);
    parts_.farewells->take(
        std::move(connection_),
        ending.kind == Ending::Kind::Orderly || ending.kind == Ending::Kind::Planned
            ? kNormal
            : kProtocolError,
        {});
    feed_->stop();
    if (!was_open) return;
    lost_marks_ = line_->lose_marks();
    protocol_->on_lost();
    turns_.forget();
    if (judge_.is_pending()) judge_.forget(now_ns_);
    is_paused_by_bot_ = false;
    line_->resume();
    lost_ns_ = now_ns_;
    back_off_.lost(now_ns_, now_ns_ - opened_ns_);
    if (ending.kind != Ending::Kind::Planned) AiCounters::add(stats_.losses, 1);
}

void BotSession::Impl::schedule(const std::string& why) {
    if (parts_.settings->ai.is_dialled) {
        const auto next_ns = back_off_.next(now_ns_);
        if (!next_ns) {
            give_up(why);
            return;
        }
        due_ns_ = *next_ns;
    } else {
        // At the door there is nothing to do but to wait, so it ends with the route's limit.
        due_ns_ = lost_ns_ + parts_.settings->reconnect_s * kNsPerS;
        events_.on_waiting(parts_.call.id, BotDoor::path_of(parts_.call.id));
    }
    if (stats_.lost_since_ns.load(std::memory_order_relaxed) != 0) return;
    stats_.lost_since_ns.store(lost_ns_, std::memory_order_relaxed);
    set_state(AiState::Lost, why);
}

void BotSession::Impl::give_up(const std::string& why) {
    // Also where nobody waits for it to come back it is a loss, and not the bot's goodbye.
    if (stats_.lost_since_ns.load(std::memory_order_relaxed) == 0) {
        stats_.lost_since_ns.store(lost_ns_, std::memory_order_relaxed);
        set_state(AiState::Lost, why);
    }
    leave(Next::Fallback, why);
}

void BotSession::Impl::leave(Next next, const std::string& why) {
    if (parts_.door) parts_.door->forget(parts_.call.id, *this);
    phase_ = Phase::Leaving;
    next_ = next;
    why_ = why;
    due_ns_ = now_ns_ + parts_.settings->ai.queue_s * kNsPerS + kLeaveSlackNs;
    go_on_leaving();
}

// What the bot has said is said: it plays to its end first.
void BotSession::Impl::go_on_leaving() {
    if (!line_->is_drained() && now_ns_ < due_ns_) return;
    if (next_ == Next::Fallback) {
        fall_back();
        return;
    }
    phase_ = Phase::Done;
    set_state(AiState::Ended, why_);
    events_.on_finished(parts_.call.id, why_);
}

void BotSession::Impl::fall_back() {
    const std::vector<Fallback>& list = parts_.settings->fallback;
    while (fallback_ < list.size()) {
        const Fallback& next = list[fallback_++];
        if (next.kind == Fallback::Kind::Prompt) {
            if (!line_->play_prompt(next.argument)) continue;
            phase_ = Phase::Leaving;
            due_ns_ = now_ns_ + parts_.settings->ai.queue_s * kNsPerS + kLeaveSlackNs;
            return;
        }
        phase_ = Phase::Done;
        is_transferring_ = next.kind == Fallback::Kind::Transfer;
        set_state(AiState::Ended, why_);
        events_.on_fallback(parts_.call.id, next);
        return;
    }
    phase_ = Phase::Done;
    set_state(AiState::Ended, why_);
    events_.on_finished(parts_.call.id, why_);
}

// ---- time

void BotSession::Impl::tick(std::int64_t now_ns) {
    now_ns_ = now_ns;
    line_->look(now_ns);
    speech_->tick(now_ns);
    judge_.tick(is_playing(), now_ns);
    if (is_open()) protocol_->on_tick(now_ns);
    if (!ending_) feed_->tick(now_ns);
    settle();
    look_at_the_time();
    settle();
    if (now_ns - stats_ns_ >= kStatsEveryNs) write_stats();
}

void BotSession::Impl::look_at_the_time() {
    if (!line_->is_drained()) sounded_ns_ = now_ns_;
    switch (phase_) {
        case Phase::Waiting:
            look_at_lost_prompt();
            if (now_ns_ < due_ns_) return;
            if (parts_.settings->ai.is_dialled) {
                connect();
            } else {
                end({Ending::Kind::Final, "no bot came", "nobody-came"});
            }
            return;
        case Phase::Dialling:
            look_at_lost_prompt();
            return;
        case Phase::Opening:
            if (now_ns_ >= due_ns_) fail("the bot is connected and does not begin", false);
            return;
        case Phase::Leaving:
            go_on_leaving();
            return;
        case Phase::Live:
        case Phase::Done:
            return;
    }
}

void BotSession::Impl::look_at_lost_prompt() {
    const BotSettings& settings = *parts_.settings;
    if (settings.lost_prompt.empty()) return;
    if (now_ns_ - std::max(lost_ns_, sounded_ns_) < settings.lost_prompt_s * kNsPerS) return;
    line_->play_prompt(settings.lost_prompt);
    sounded_ns_ = now_ns_;
}

}  // namespace offhook::ai
