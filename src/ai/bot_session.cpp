#include "ai/bot_session.h"

#include <algorithm>
#include <random>
#include <stdexcept>
#include <utility>
#include <variant>

#include "ai/bot_session_impl.h"
#include "base/log.h"
#include "base/monotonic.h"

namespace offhook::ai {
namespace {

using base::kNsPerMs;
using base::kNsPerS;
using model::AiState;

constexpr std::int64_t kComplainEveryNs = kNsPerS;
constexpr std::size_t kRememberedMarks = 32;
constexpr std::size_t kRememberedDigits = 32;

constexpr std::uint16_t kNormal = 1000;  // RFC 6455 §7.4.1

class NoEvents final : public AiEvents {
    void on_request(const model::CallId&, const BotRequest&) override {}
    void on_refused(const model::CallId&, const BotRequest&) override {}
    void on_state(const model::CallId&, AiState, const std::string&) override {}
    void on_fallback(const model::CallId&, const Fallback&) override {}
    void on_finished(const model::CallId&, const std::string&) override {}
    void on_waiting(const model::CallId&, const std::string&) override {}
};
AiEvents& no_events() {
    static NoEvents instance;
    return instance;
}

}  // namespace

BotSession::Impl::Impl(Parts parts)
    : parts_(std::move(parts)),
      events_(parts_.events ? *parts_.events : no_events()),
      stats_(*parts_.stats),
      turns_(stats_, *parts_.latencies),
      judge_({}, *this),
      back_off_(parts_.settings->reconnect_s * kNsPerS,
                parts_.seed != 0 ? parts_.seed : std::random_device{}()),
      now_ns_(parts_.now_ns),
      lost_ns_(parts_.now_ns),
      sounded_ns_(parts_.now_ns) {
    const BotSettings& settings = *parts_.settings;
    stats_.lost_since_ns.store(0, std::memory_order_relaxed);  // of the AI before this one
    protocol_ = parts_.protocol(*this);
    if (!protocol_) throw std::runtime_error("no protocol for AI \"" + settings.ai.name + "\"");
    const std::uint32_t rate_hz = protocol_->sample_rate_hz();
    line_ = std::make_unique<BotLine>(parts_.port,
                                      rate_hz,
                                      static_cast<std::uint64_t>(settings.ai.queue_s) * 1000,
                                      settings.prompts,
                                      *this);
    feed_ = std::make_unique<CallerFeed>(
        parts_.port->sample_rate_hz, rate_hz, settings.ai.frame_ms, *this);
    feed_->recall(std::exchange(parts_.before, {}));
    speech_ = std::make_unique<CallerSpeech>(parts_.port, CallerSpeech::Settings{}, *this);
    if (!settings.greeting.empty()) line_->play_prompt(settings.greeting);
    set_state(AiState::Connecting, "connecting to AI \"" + settings.ai.name + "\"");
    back_off_.lost(now_ns_, 0);
    if (settings.ai.is_dialled) {
        connect();
    } else if (parts_.door) {
        parts_.door->expect(parts_.call.id, *this);
        due_ns_ = now_ns_ + parts_.door->wait_ns();
        events_.on_waiting(parts_.call.id, BotDoor::path_of(parts_.call.id));
    } else {
        end({Ending::Kind::Final, "bots cannot come here: [ai_listen] port is 0", "no-listener"});
    }
    settle();
}

BotSession::Impl::~Impl() {
    if (parts_.door) parts_.door->forget(parts_.call.id, *this);
    parts_.farewells->take(std::move(connection_), kNormal, {});
    stats_.state.store(AiState::Ended, std::memory_order_relaxed);
}

// ---- sound

void BotSession::Impl::hear(std::span<const std::int16_t> pcm) {
    tapped_ns_ = parts_.port->tapped_ns.load(std::memory_order_acquire);
    if (tapped_ns_ == 0) tapped_ns_ = now_ns_;
    feed_->hear(pcm);
    speech_->hear(pcm, tapped_ns_);
    settle();
}

void BotSession::Impl::on_frame(std::span<const std::int16_t> pcm, FrameAt at) {
    is_send_refused_ = false;
    protocol_->on_frame(pcm, at);
    if (is_send_refused_) {
        AiCounters::add(stats_.unsent_frames, 1);
        return;
    }
    AiCounters::add(stats_.sent_frames, 1);
    stats_.sent_ms.store(stats_.sent_ms.load(std::memory_order_relaxed) + ms(pcm.size()),
                         std::memory_order_relaxed);
    stats_.last_sent_ns.store(now_ns_, std::memory_order_relaxed);
    if (at.is_replay) {
        const double replayed_ms = stats_.replayed_ms.load(std::memory_order_relaxed);
        stats_.replayed_ms.store(replayed_ms + ms(pcm.size()), std::memory_order_relaxed);
    } else {
        is_frame_sent_ = true;
    }
}

void BotSession::Impl::sent(std::int64_t now_ns) {
    if (std::exchange(is_frame_sent_, false)) turns_.frame_sent(tapped_ns_, now_ns);
}

bool BotSession::Impl::send_text(std::string_view text) {
    socket::Link* const to = link();
    if (to && to->send_text(text)) return true;
    is_send_refused_ = true;
    return false;
}

bool BotSession::Impl::send_binary(std::span<const std::byte> bytes) {
    socket::Link* const to = link();
    if (to && to->send_binary(bytes)) return true;
    is_send_refused_ = true;
    return false;
}

std::uint64_t BotSession::Impl::play(std::span<const std::int16_t> pcm) {
    if (pcm.empty()) return line_->given();
    turns_.sound_received(line_->queued() == 0, parts_.clock());
    return line_->play(pcm);
}

void BotSession::Impl::clear() {
    if (judge_.is_pending()) {
        judge_.judge(true, now_ns_);
    } else {
        line_->clear();
    }
}

void BotSession::Impl::pause() {
    is_paused_by_bot_ = true;
    line_->pause();
}

void BotSession::Impl::resume() {
    is_paused_by_bot_ = false;
    if (judge_.is_pending()) {
        judge_.judge(false, now_ns_);
    } else {
        line_->resume();
    }
}

void BotSession::Impl::on_mark(const std::string& name,
                               BotProtocol::MarkEnd how,
                               std::uint64_t at) {
    if (how == BotProtocol::MarkEnd::Played) {
        AiCounters::add(stats_.marks, 1);
        played_marks_.push_back(name);
        if (played_marks_.size() > kRememberedMarks) played_marks_.pop_front();
    }
    protocol_->on_mark(name, how, at);
}

void BotSession::Impl::on_dropped(std::uint64_t from, std::uint64_t to) {
    if (is_open()) protocol_->on_dropped(from, to);
}

void BotSession::Impl::on_drained() {
    if (is_open()) protocol_->on_drained();
}

// ---- who interrupts whom

void BotSession::Impl::on_speech(bool is_speaking, std::uint64_t position, std::int64_t heard_ns) {
    turns_.on_speech(is_speaking, heard_ns);
    if (is_open()) {
        protocol_->on_caller_speech(is_speaking,
                                    position * line_->rate_hz() / parts_.port->sample_rate_hz);
    }
    // While no bot is there, what was said plays to its end.
    if (parts_.settings->barge_in == BargeInPolicy::Detect && is_open()) {
        judge_.on_speech(is_speaking, heard_ns, is_playing(), now_ns_);
    }
}

void BotSession::Impl::note_caller_speech(bool is_speaking) {
    if (is_speaking && judge_.is_pending()) judge_.judge(true, now_ns_);
}

void BotSession::Impl::on_barge_in() {
    line_->pause();
    line_->look(now_ns_);  // the bot is told what has left, not what had a tick ago
    AiCounters::add(stats_.barge_ins, 1);
    if (is_open()) protocol_->on_barge_in(line_->played());
}

void BotSession::Impl::on_confirmed() {
    line_->clear();
    if (!is_paused_by_bot_) line_->resume();
}

void BotSession::Impl::on_taken_back() {
    AiCounters::add(stats_.taken_back_barge_ins, 1);
    turns_.forget();
    if (!is_paused_by_bot_) line_->resume();
}

// ---- verbs

void BotSession::Impl::ask(BotRequest request) {
    if (!desk_.number(request, now_ns_)) {
        complain("too many verbs at once");
        protocol_->on_verb(request, "refused", "too many at once");
        return;
    }
    if (!allows(*parts_.settings, request.verb)) {
        refuse(request, "the route does not allow it");
        return;
    }
    if (!desk_.add(request, VerbDesk::Stage::AfterSpeech)) {
        refuse(request, "too many are under way");
        return;
    }
    AiCounters::add(stats_.verbs, 1);
    if (request.is_after_speech && !line_->is_drained()) {
        line_->call_back(request.number);
    } else {
        carry_out(request);
    }
}

void BotSession::Impl::refuse(const BotRequest& request, std::string_view why) {
    AiCounters::add(stats_.refused_verbs, 1);
    events_.on_refused(parts_.call.id, request);
    protocol_->on_verb(request, "refused", why);
}

void BotSession::Impl::carry_out(const BotRequest& request) {
    VerbDesk::Entry* const entry = desk_.find(request.number);
    if (!entry) return;
    if (request.verb != BotVerb::PlayPrompt) {
        entry->stage = VerbDesk::Stage::Asked;
        write_stats();  // it may end the call, whose record is made then
        events_.on_request(parts_.call.id, request);
    } else if (line_->play_prompt(request.argument)) {
        entry->stage = VerbDesk::Stage::Playing;
        line_->call_back(request.number);
    } else {
        const auto failed = desk_.take(request.number);
        protocol_->on_verb(*failed, "failed", "there is no such prompt");
    }
}

void BotSession::Impl::on_call_back(std::uint64_t number, bool is_played) {
    VerbDesk::Entry* const entry = desk_.find(number);
    if (!entry) return;
    if (entry->stage == VerbDesk::Stage::AfterSpeech) {
        // What was cleared will not be heard: there is nothing left to wait for.
        carry_out(BotRequest(entry->request));
        return;
    }
    const auto request = desk_.take(number);
    if (is_open()) {
        protocol_->on_verb(
            *request, is_played ? "done" : "failed", is_played ? "" : "it was cleared");
    }
}

// ---- news of the call

void BotSession::Impl::tell(const CallNews& news) {
    std::visit([this](const auto& it) { on(it); }, news);
    settle();
}

void BotSession::Impl::on(const DigitNews& news) {
    if (phase_ == Phase::Live) {
        protocol_->on_digit(news.digit, news.duration_ms);
        return;
    }
    digits_.push_back(news);
    if (digits_.size() > kRememberedDigits) digits_.pop_front();
}

void BotSession::Impl::on(const HoldNews& news) {
    is_held_ = news.is_held;
    if (phase_ == Phase::Live) protocol_->on_hold(news.is_held);
}

void BotSession::Impl::on(const VerbNews& news) {
    if (news.number == 0) {
        // What a fallback came to: the next, when it did not work.
        if (std::exchange(is_transferring_, false) && !news.is_done) fall_back();
        return;
    }
    if (!news.is_final) {
        const VerbDesk::Entry* const entry = desk_.find(news.number);
        if (entry && is_open()) protocol_->on_verb(entry->request, "progress", news.detail);
        return;
    }
    const auto request = desk_.take(news.number);
    if (request && is_open()) {
        protocol_->on_verb(*request, news.is_done ? "done" : "failed", news.detail);
    }
}

void BotSession::Impl::on(const EndNews& news) {
    if (is_open()) protocol_->on_end(news.reason);
    phase_ = Phase::Done;
    parts_.farewells->take(std::move(connection_), kNormal, {});
    write_stats();
    if (stats_.state.load(std::memory_order_relaxed) != AiState::Ended) {
        set_state(AiState::Ended, "the call is over");
    }
}

void BotSession::Impl::on(const DropNews& news) {
    if (is_open() && static_cast<std::uint64_t>(connections_) == news.connection)
        end({Ending::Kind::Lost, news.why, "removed"});
}

// ---- what is said of it

void BotSession::Impl::complain(std::string sentence) {
    AiCounters::add(stats_.bad_messages, 1);
    ++unsaid_complaints_;
    if (complained_ns_ != 0 && now_ns_ - complained_ns_ < kComplainEveryNs) return;
    complained_ns_ = now_ns_;
    log::write(log::Level::Warning,
               log::Mark::Warning,
               "ai.ignored",
               parts_.call.id.text,
               sentence,
               {{"ai", parts_.settings->ai.name}, {"times", std::exchange(unsaid_complaints_, 0)}});
}

void BotSession::Impl::set_state(AiState state, const std::string& detail) {
    stats_.state.store(state, std::memory_order_relaxed);
    write_stats();
    events_.on_state(parts_.call.id, state, detail);
}

void BotSession::Impl::write_link_stats(const socket::Link::Counters& link) {
    const auto put = [](auto& cell, auto value) { cell.store(value, std::memory_order_relaxed); };
    put(stats_.link_sent_messages, link.sent_messages);
    put(stats_.link_sent_bytes, link.sent_bytes);
    put(stats_.link_received_messages, link.received_messages);
    put(stats_.link_received_bytes, link.received_bytes);
    put(stats_.link_queued_bytes, link.queued_bytes);
    put(stats_.link_heard_ns, link.last_heard_ns);
}

void BotSession::Impl::write_stats() {
    stats_ns_ = now_ns_;
    const auto put = [](std::atomic<double>& cell, double value) {
        cell.store(value, std::memory_order_relaxed);
    };
    const Playout::Totals totals = line_->totals();
    put(stats_.given_ms, ms(totals.written));
    put(stats_.played_ms, ms(totals.left));
    put(stats_.cleared_ms, ms(totals.cleared));
    put(stats_.overflowed_ms, ms(totals.overflowed));
    put(stats_.queued_ms, ms(totals.queued));
    put(stats_.echo_delay_ms, speech_->echo_delay_ms());
    put(stats_.echo_return_loss_db, speech_->echo_return_loss_db());
    if (link()) write_link_stats(link()->counters());
    const std::int64_t round_trip_ns = link() ? link()->counters().round_trip_ns : -1;
    turns_.set_round_trip(round_trip_ns);
    put(stats_.round_trip_ms,
        round_trip_ns < 0 ? -1 : static_cast<double>(round_trip_ns) / kNsPerMs);
}

BotSession::BotSession(Parts parts) : impl_(std::make_unique<Impl>(std::move(parts))) {}
BotSession::~BotSession() = default;

void BotSession::on_caller_audio(std::span<const std::int16_t> pcm) {
    impl_->hear(pcm);
}

void BotSession::on_tick(std::int64_t now_ns) {
    impl_->tick(now_ns);
}

void BotSession::on_news(const CallNews& news) {
    impl_->tell(news);
}

LastWords BotSession::last_words() const {
    return impl_->last_words();
}

void BotSession::on_sent(std::int64_t now_ns) {
    impl_->sent(now_ns);
}

}  // namespace offhook::ai
