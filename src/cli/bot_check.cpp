#include "cli/bot_check.h"

#include <algorithm>
#include <cmath>

#include "ai/bot_dial.h"
#include "base/monotonic.h"
#include "cli/test_speech.h"
#include "model/wav.h"

namespace offhook::cli {
namespace {

using base::kNsPerMs;
using State = BotFinding::State;

constexpr std::uint32_t kSpeechHz = 16000;
constexpr std::int64_t kFrameNs = CheckLine::kFrameMs * kNsPerMs;
constexpr std::int64_t kReplayFrameNs = kFrameNs / 4;  // as after a loss: four times real time
constexpr int kReplayMs = 1000;
constexpr int kGreetingMs = 3000;   // a bot that greets has begun by then
constexpr int kLongestMs = 20'000;  // of an utterance that is waited for
constexpr int kQuietMs = 600;       // nothing to play for so long: it has finished
constexpr int kTalkMs = 1000;       // that the bot is let talk before it is interrupted
constexpr double kLeastAheadMs = 200;
constexpr int kInterruptMs = 1000;
constexpr int kClearWithinMs = 1500;
constexpr double kSilenceDbov = -55;

double to_ms(std::int64_t ns) {
    return static_cast<double>(ns) / static_cast<double>(kNsPerMs);
}

std::string rounded(double value) {
    return std::to_string(std::lround(value));
}

/// What to do about a connection that did not come about.
std::string advice_for(const socket::LinkEnd& end) {
    using Why = socket::LinkEnd::Why;
    switch (end.why) {
        case Why::NotAllowed:
            return "allow it with --allow-private (allow_private = true of the [[ai]]) if it is "
                   "yours";
        case Why::Unresolved:
            return "check the name in the URL, and this machine's DNS";
        case Why::Unreachable:
            return "start the bot, check port and firewall; in a container it has to listen on "
                   "0.0.0.0";
        case Why::Timeout:
            return "the bot, or a proxy before it, accepts connections but does not answer the "
                   "handshake";
        case Why::Untrusted:
            return "give the authority that signed it with --ca-file, and check that the "
                   "certificate is for the URL's host";
        case Why::Refused:
            if (end.code == 401 || end.code == 403)
                return "check the credentials: --bearer-file, --user, --signature-file";
            if (end.code == 404) return "check the path of the URL";
            return "the server behind the URL does not take WebSockets there";
        case Why::BadHandshake:
            return "the server answers 101 but not as RFC 6455 §4.2.2 says; check its WebSocket "
                   "library and the subprotocol";
        default:
            return "look into the bot's log";
    }
}

ai::BotCall check_call() {
    ai::BotCall call;
    call.id = model::CallId::make();
    call.direction = "inbound";
    call.from = "+15550100";
    call.to = "100";
    call.account = "check";
    call.route = "check";
    call.codec = "PCMU";
    return call;
}

}  // namespace

std::string_view name_of(State state) noexcept {
    switch (state) {
        case State::Ok:
            return "ok";
        case State::Failed:
            return "failed";
        case State::Unused:
            return "unused";
    }
    return "failed";
}

BotCheck::BotCheck(Settings settings, Report report)
    : settings_(std::move(settings)), report_(std::move(report)), line_(settings_.bot, [this] {
          ai::BotCall call = check_call();
          for (const config::Ai::Parameter& each : settings_.bot.ai.parameter)
              call.parameters.emplace_back(each.name, each.value);
          return call;
      }()) {}

BotCheck::~BotCheck() = default;

base::Result<bool> BotCheck::run() {
    protocol_ = ai::make_protocol(line_);
    if (!protocol_)
        return base::fail(base::ErrorCode::InvalidArgument, "this protocol has no bot to call");
    line_.use(*protocol_);
    auto loop = socket::EventLoop::create();
    if (!loop) return tl::unexpected(loop.error());
    loop_ = std::move(*loop);
    const std::uint32_t rate_hz = protocol_->sample_rate_hz();
    speech_ = settings_.speech.empty() ? test_speech(rate_hz)
                                       : model::resample(settings_.speech, kSpeechHz, rate_hz);
    frame_.resize(rate_hz / 1000 * CheckLine::kFrameMs);
    if (auto made = connect(); !made) return tl::unexpected(made.error());
    if (!begin({}, "handshake", "first-message")) return false;
    converse();
    talk_over();
    press_key();
    speak_of_later_versions();
    judge_sound();
    judge_words();
    end();
    come_again();
    return is_good_;
}

base::Result<void> BotCheck::connect() {
    is_open_ = is_closed_ = false;
    link_.reset();
    line_.begin_connection();
    auto link = socket::dial(*loop_, ai::dial_settings(settings_.bot, protocol_->opening()), *this);
    if (!link) return tl::unexpected(link.error());
    link_ = std::move(*link);
    line_.use(link_.get());
    return {};
}

bool BotCheck::begin(const ai::Continuation& before,
                     std::string_view handshake,
                     std::string_view first) {
    const std::int64_t begun_ns = base::monotonic_ns();
    while (!is_open_ && !is_closed_) loop_->turn(kFrameNs);
    if (!is_open_) {
        failed(std::string(handshake), end_.detail, advice_for(end_));
        return false;
    }
    ok(std::string(handshake),
       "connected after " + rounded(to_ms(base::monotonic_ns() - begun_ns)) + " ms");
    next_ns_ = base::monotonic_ns();
    protocol_->on_open(before);
    constexpr int kReadyMs = 5000;
    const bool is_ready =
        line_.notes().is_ready || pass(kReadyMs, [this] { return line_.notes().is_ready; });
    if (!line_.notes().failure.empty()) {
        failed(std::string(first), line_.notes().failure, "look into the bot's log");
    } else if (!is_here()) {
        failed(std::string(first),
               "the bot closed after the first message: " + end_.detail,
               "look into the bot's log for what it missed there; it has to stay until the call "
               "ends");
    } else if (!is_ready) {
        failed(std::string(first),
               "the bot did not get ready within 5 s",
               "it has to say so as its protocol asks (docs/ai.md)");
    } else {
        ok(std::string(first), "taken");
        return true;
    }
    return false;
}

void BotCheck::converse() {
    const auto has_finished = [this, quiet = 0]() mutable {
        quiet = line_.queued() == 0 ? quiet + CheckLine::kFrameMs : 0;
        return quiet >= kQuietMs;
    };
    const std::int64_t open_ns = base::monotonic_ns();
    if (pass(kGreetingMs, [this] { return line_.notes().first_heard_ns != 0; })) {
        greeting_ms_ = to_ms(line_.notes().first_heard_ns - open_ns);
        pass(kLongestMs, has_finished);
    }
    if (!is_here()) return gone("sound-to-the-bot");
    say(speech_.size());
    pass(kLongestMs, [this] { return !has_more_to_say(); });
    const std::int64_t spoke_ns = base::monotonic_ns();
    line_.listen_from();
    const std::uint64_t refused = line_.notes().refused_sends;
    if (!is_here()) return gone("sound-to-the-bot");
    if (refused != 0) {
        failed("sound-to-the-bot",
               std::to_string(refused) + " messages were not taken: the bot reads too slowly",
               "read the socket all the time, in a task or thread of its own: 50 messages a "
               "second");
    } else {
        ok("sound-to-the-bot",
           rounded(static_cast<double>(speech_.size()) * 1000 / protocol_->sample_rate_hz()) +
               " ms of speech in frames of 20 ms, all taken");
    }
    if (pass(settings_.patience_s * 1000, [this] { return line_.notes().first_heard_ns != 0; }))
        answer_ms_ = to_ms(line_.notes().first_heard_ns - spoke_ns);
}

void BotCheck::talk_over() {
    if (!is_here()) return gone("interruption");
    pass(kClearWithinMs,
         [this] { return line_.is_playing() && line_.queued_ms() > kLeastAheadMs; });
    if (!line_.is_playing() || line_.queued_ms() <= kLeastAheadMs) {
        return unused("interruption",
                      "the bot never had more than 0.2 s ahead, so there was nothing to cut");
    }
    // Not at its first word: what has played by now is to be known to it.
    pass(kTalkMs, [this] { return line_.queued_ms() < kLeastAheadMs; });
    const int clears = line_.notes().clears;
    const double ahead_ms = line_.queued_ms();
    const std::int64_t begun_ns = base::monotonic_ns();
    say(speech_.size());
    const bool has_cleared =
        pass(kInterruptMs + kClearWithinMs, [&] { return line_.notes().clears != clears; });
    const double took_ms = to_ms(base::monotonic_ns() - begun_ns);
    if (!is_here()) return gone("interruption");
    if (has_cleared) {
        ok("interruption",
           "the bot cleared what it had queued " + rounded(took_ms) +
               " ms after the caller spoke over it");
    } else {
        unused("interruption",
               "the caller spoke over it and the bot cleared nothing, with " + rounded(ahead_ms) +
                   " ms queued: barge_in = \"detect\" of the route does it for the bot");
    }
    pass(kLongestMs, [this] { return !has_more_to_say(); });
    if (settings_.bot.ai.protocol != config::AiProtocol::Plain) return;
    if (!line_.is_playing()) {
        pass(settings_.patience_s * 1000,
             [this] { return line_.is_playing() && line_.queued_ms() > kLeastAheadMs; });
    }
    if (!is_here() || !line_.is_playing())
        return unused("barge-in", "nothing was playing that could be paused");
    line_.interrupt();
    if (pass(kClearWithinMs, [this] { return line_.notes().judged.has_value(); })) {
        ok("barge-in", *line_.notes().judged ? "confirmed by the bot" : "taken back by the bot");
    } else {
        line_.judge_barge_in(true);
        unused("barge-in",
               "the bot does not answer {\"type\":\"barge-in\"}: it matters only with "
               "barge_in = \"detect\"");
    }
}

void BotCheck::press_key() {
    if (!is_here()) return gone("dtmf");
    protocol_->on_digit('5', 100);
    pass(500, [] { return false; });
    if (is_here()) return ok("dtmf", "the key 5 was told, and the bot goes on");
    failed("dtmf",
           "the bot closed when a key was pressed: " + end_.detail,
           "ignore messages that it has no use for");
}

void BotCheck::speak_of_later_versions() {
    if (settings_.bot.ai.protocol != config::AiProtocol::Plain) return;
    if (!is_here()) return gone("unknown-types");
    line_.send_text(R"({"type":"offhook-check","of":"a later version"})");
    pass(300, [] { return false; });
    if (is_here()) return ok("unknown-types", "ignored");
    failed("unknown-types",
           "the bot closed at a type it does not know: " + end_.detail,
           "ignore unknown types and members: later versions of the protocol add some");
}

void BotCheck::judge_sound() {
    const CheckLine::Notes& notes = line_.notes();
    if (notes.heard_samples == 0) {
        return failed("sound-of-the-bot",
                      "nothing was heard in " + std::to_string(settings_.patience_s) +
                          " s after the caller spoke",
                      "look into the bot's log whether it heard speech; --wav gives it words, "
                      "--patience more time");
    }
    const double seconds = static_cast<double>(notes.heard_samples) / protocol_->sample_rate_hz();
    const double mean = notes.heard_energy / static_cast<double>(notes.heard_samples);
    const double level_dbov = mean <= 0 ? -99 : 10 * std::log10(mean / (32768.0 * 32768.0));
    std::string detail = rounded(seconds * 1000) + " ms at " + rounded(level_dbov) + " dBov";
    if (greeting_ms_ >= 0) detail += "; greeted after " + rounded(greeting_ms_) + " ms";
    if (answer_ms_ >= 0)
        detail += "; answered " + rounded(answer_ms_) + " ms after the caller's last word";
    if (level_dbov < kSilenceDbov) {
        failed("sound-of-the-bot",
               "only silence: " + detail,
               "check sample rate, encoding and byte order of what the bot sends");
    } else {
        ok("sound-of-the-bot", detail);
    }
    if (notes.overflowed_samples != 0) {
        failed("pace",
               "more than 60 s were queued and the oldest was dropped",
               "stop sending until some has played: marks tell");
    } else if (notes.dry_spells > std::max(1.0, seconds / 5)) {
        failed("pace",
               "the line ran dry " + std::to_string(notes.dry_spells) +
                   " times inside an utterance, up to " + rounded(notes.longest_dry_ms) + " ms",
               "send sound as soon as it is there instead of pacing it: Offhook paces");
    } else {
        ok("pace",
           notes.dry_spells == 0 ? "no utterance ran dry"
                                 : "ran dry " + std::to_string(notes.dry_spells) + " times, " +
                                       rounded(notes.longest_dry_ms) + " ms at most");
    }
}

void BotCheck::judge_words() {
    const CheckLine::Notes& notes = line_.notes();
    if (notes.marks_asked == 0) {
        unused("marks", "the bot asks for none");
    } else {
        ok("marks",
           std::to_string(notes.marks_asked) + " asked for, " + std::to_string(notes.marks_played) +
               " told as played, " + std::to_string(notes.marks_cleared) + " as cleared");
    }
    if (notes.verbs.empty()) {
        unused("verbs", "the bot asks for none");
    } else {
        std::string list;
        for (const std::string& verb : notes.verbs) list += (list.empty() ? "" : ", ") + verb;
        ok("verbs", "asked for " + list + " (refused here); the route's `verbs` has to allow it");
    }
    if (notes.complaints == 0) return ok("messages", "all that the bot sent was understood");
    std::string list;
    for (const std::string& sentence : notes.sentences)
        list += (list.empty() ? "" : "; ") + sentence;
    failed("messages",
           std::to_string(notes.complaints) + " that mean nothing to Offhook: " + list,
           "compare them with the protocol (docs/ai.md)");
}

void BotCheck::end() {
    if (!is_here()) return gone("end");
    protocol_->on_end(model::EndReason::CallerHangup);
    link_->close(1000, "");
    const std::int64_t begun_ns = base::monotonic_ns();
    while (!is_closed_ && base::monotonic_ns() - begun_ns < 3 * base::kNsPerS)
        loop_->turn(kFrameNs);
    const double took_ms = to_ms(base::monotonic_ns() - begun_ns);
    if (is_closed_ && took_ms < 1900)
        return ok("end", "the bot closed its side after " + rounded(took_ms) + " ms");
    failed("end",
           "the bot did not answer the close frame",
           "end the session at the last message, and let the WebSocket library close");
}

void BotCheck::come_again() {
    if (!is_closed_) {
        link_.reset();
        line_.use(nullptr);
    }
    protocol_->on_lost();
    if (!connect()) return;
    const ai::Continuation before{
        .attempt = 2,
        .gap_ms = 500,
        .played_ms = static_cast<double>(line_.played()) * 1000 / protocol_->sample_rate_hz(),
        .replay_ms = kReplayMs};
    if (!begin(before, "handshake-again", "first-message-again")) return;
    for (int ms = 0; ms < kReplayMs && is_here(); ms += CheckLine::kFrameMs) {
        send_frame(true);
        next_ns_ += kReplayFrameNs;
        loop_->turn(std::max<std::int64_t>(0, next_ns_ - base::monotonic_ns()));
    }
    pass(1000, [] { return false; });
    if (is_here()) {
        ok("replay", "1 s of the caller's sound in 0.25 s, and the bot goes on");
        protocol_->on_end(model::EndReason::CallerHangup);
        link_->close(1000, "");
        const std::int64_t begun_ns = base::monotonic_ns();
        while (!is_closed_ && base::monotonic_ns() - begun_ns < 3 * base::kNsPerS)
            loop_->turn(kFrameNs);
        return;
    }
    failed("replay",
           "the bot closed when a second connection brought what the caller said meanwhile: " +
               end_.detail,
           "take sound faster than real time, and a second connection of the same call");
}

bool BotCheck::pass(int ms, const std::function<bool()>& is_enough) {
    const std::int64_t until_ns = next_ns_ + ms * kNsPerMs;
    while (next_ns_ < until_ns && is_here()) {
        next_ns_ += kFrameNs;
        // What the bot sends is heard at once, the line's clock stands on its own.
        for (std::int64_t left_ns = next_ns_ - base::monotonic_ns(); left_ns > 0 && !is_closed_;
             left_ns = next_ns_ - base::monotonic_ns())
            loop_->turn(left_ns);
        if (!is_here()) break;
        if (line_.notes().is_ready) send_frame(false);
        line_.tick(base::monotonic_ns());
        loop_->turn(0);
        if (is_enough()) return true;
    }
    return false;
}

void BotCheck::say(std::size_t samples) {
    said_ = 0;
    to_say_ = std::min(samples, speech_.size());
}

void BotCheck::send_frame(bool is_replay) {
    const std::size_t n = std::min(frame_.size(), to_say_ - said_);
    std::fill(frame_.begin(), frame_.end(), std::int16_t{0});
    std::copy_n(speech_.begin() + static_cast<std::ptrdiff_t>(said_), n, frame_.begin());
    said_ += n;
    protocol_->on_frame(frame_, {.position = position_, .is_replay = is_replay});
    position_ += frame_.size();
}

void BotCheck::on_text(std::string_view text) {
    protocol_->on_text(text);
}

void BotCheck::on_binary(std::span<const std::byte> bytes) {
    protocol_->on_binary(bytes);
}

void BotCheck::on_closed(const socket::LinkEnd& end) {
    is_closed_ = true;
    end_ = end;
    line_.use(nullptr);
}

void BotCheck::ok(std::string name, std::string detail) {
    report_({std::move(name), State::Ok, std::move(detail), {}});
}

void BotCheck::failed(std::string name, std::string detail, std::string advice) {
    is_good_ = false;
    report_({std::move(name), State::Failed, std::move(detail), std::move(advice)});
}

void BotCheck::unused(std::string name, std::string detail) {
    report_({std::move(name), State::Unused, std::move(detail), {}});
}

void BotCheck::gone(std::string name) {
    using Why = socket::LinkEnd::Why;
    const bool is_orderly = end_.why == Why::ClosedByPeer && (end_.code == 1000 || end_.code == 0);
    if (is_orderly || line_.notes().is_finished)
        return unused(std::move(name), "the bot had ended the call");
    failed(std::move(name), "the bot was gone: " + end_.detail, "look into the bot's log");
}

}  // namespace offhook::cli
