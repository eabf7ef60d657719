#include "ai/protocols/asterisk.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <optional>

#include "ai/protocols/asterisk_words.h"
#include "ai/protocols/encoding.h"
#include "ai/protocols/message.h"
#include "ai/protocols/url_query.h"
#include "base/escape.h"

namespace offhook::ai {
namespace {

constexpr std::size_t kMaxCommandBytes = 128;
constexpr std::size_t kMaxMarks = 1024;  ///< remembered; more than a host keeps
constexpr unsigned kFrameMs = 20;        ///< of what a bot sends, whatever `frame_ms` is
constexpr std::string_view kMarkProcessed = "MEDIA_MARK_PROCESSED";
constexpr std::string_view kBufferingCompleted = "MEDIA_BUFFERING_COMPLETED";

struct Format {
    Encoding encoding = Encoding::Pcmu;
    std::uint32_t rate_hz = 8000;
    std::string_view name = "ulaw";
};

Format format_of(const config::Ai& ai) {
    const Encoding encoding =
        encoding_named(ai.encoding, ai.sample_rate_hz > 8000 ? Encoding::Pcm : Encoding::Pcmu);
    if (encoding == Encoding::Pcmu) return {};
    if (encoding == Encoding::Pcma) return {Encoding::Pcma, 8000, "alaw"};
    if (ai.sample_rate_hz == 8000) return {Encoding::Pcm, 8000, "slin"};
    if (ai.sample_rate_hz == 24000) return {Encoding::Pcm, 24000, "slin24"};
    return {Encoding::Pcm, 16000, "slin16"};
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const auto first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// Part of a channel's name: what may separate the words of plain text is not in it.
std::string plain_word(std::string_view text) {
    std::string word(text.substr(0, 64));
    for (char& c : word) {
        const bool is_harmless = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                 (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
        if (!is_harmless) c = '-';
    }
    return word;
}

std::string joined(const std::vector<std::string>& names) {
    std::string all;
    for (const auto& name : names) all.append(all.empty() ? "" : ",").append(name);
    return all;
}

class Asterisk final : public BotProtocol {
public:
    explicit Asterisk(BotHost& host)
        : host_(host),
          format_(format_of(host.settings().ai)),
          words_(host.settings().ai.control == "json", host.call().id.text),
          frame_samples_(format_.rate_hz * kFrameMs / 1000),
          frame_bytes_(frame_samples_ * bytes_per_sample(format_.encoding)) {
        const auto queue_s =
            static_cast<std::size_t>(std::clamp(host.settings().ai.queue_s, 1, 3600));
        max_frames_ = queue_s * 1000 / kFrameMs;
        levels_.full = std::min<std::size_t>(1000, max_frames_);
        levels_.xoff = levels_.full * 9 / 10;
        levels_.xon = levels_.full * 8 / 10;
    }

    std::uint32_t sample_rate_hz() const noexcept override { return format_.rate_hz; }

    Opening opening() const override {
        const auto& ai = host_.settings().ai;
        return {.url = with_query(ai.url, host_.call().parameters),
                .subprotocol = ai.subprotocol.empty() ? "media" : ai.subprotocol,
                .headers = {},
                .secret_headers = {}};
    }

    /// A closed socket hangs up in Asterisk.
    OnClose on_close() const noexcept override { return OnClose::HangUp; }

    void on_open(const Continuation& before) override {
        forget();
        const auto& call = host_.call();
        AsteriskWords::Start start{
            .connection_id = call.id.text,
            .channel = "WebSocket/" + plain_word(host_.settings().ai.name) + "/" + call.id.text,
            .format = format_.name,
            .optimal_frame_size = frame_bytes_,
            .ptime_ms = kFrameMs,
            .variables = call.parameters};
        auto& variables = start.variables;
        variables.emplace_back("MEDIA_WEBSOCKET_CONNECTION_ID", call.id.text);
        variables.emplace_back("MEDIA_WEBSOCKET_OPTIMAL_FRAME_SIZE", std::to_string(frame_bytes_));
        variables.emplace_back("OFFHOOK_DIRECTION", call.direction);
        variables.emplace_back("OFFHOOK_FROM", call.from);
        variables.emplace_back("OFFHOOK_TO", call.to);
        variables.emplace_back("OFFHOOK_ATTEMPT", std::to_string(before.attempt));
        if (before.attempt > 1) {
            variables.emplace_back("OFFHOOK_GAP_MS", in_ms(before.gap_ms));
            variables.emplace_back("OFFHOOK_PLAYED_MS", in_ms(before.played_ms));
            variables.emplace_back("OFFHOOK_REPLAY_MS", in_ms(before.replay_ms));
            variables.emplace_back("OFFHOOK_MARKS", joined(before.marks));
            variables.emplace_back("OFFHOOK_DROPPED", joined(before.dropped));
        }
        host_.send_text(words_.media_start(start));
        host_.ready();
    }

    void on_lost() override { forget(); }

    void on_text(std::string_view text) override {
        if (text.size() > kMaxCommandBytes) {
            host_.complain("sent a command of " + std::to_string(text.size()) +
                           " bytes; those over 128 are ignored, as by Asterisk");
            return;
        }
        const std::string_view stripped = trimmed(text);
        if (stripped.empty()) return;
        if (stripped.front() != '{') {
            const auto space = stripped.find(' ');
            const auto argument =
                space == std::string_view::npos ? std::string_view() : stripped.substr(space + 1);
            obey(stripped.substr(0, space), argument, argument);
            return;
        }
        const auto message = Message::read(stripped);
        if (!message) {
            host_.send_text(words_.error("Unable to parse JSON command"));
            host_.complain(message.error().message);
            return;
        }
        obey(message->text("command").value_or(""),
             message->text("correlation_id").value_or(""),
             message->text("direction").value_or(""));
    }

    void on_binary(std::span<const std::byte> bytes) override {
        if (direction_ == Direction::In) return;
        if (queued_frames() >= levels_.full) {
            host_.complain("sent sound although its queue is full: dropped, as by Asterisk");
            return;
        }
        // Whole frames only: one that is begun waits while buffering, and is dropped without.
        if (!is_buffering_) remainder_.clear();
        if (!remainder_.empty()) {
            const std::size_t n = std::min(frame_bytes_ - remainder_.size(), bytes.size());
            append(remainder_, bytes.first(n));
            bytes = bytes.subspan(n);
            if (remainder_.size() < frame_bytes_) return;
            play(remainder_);
            remainder_.clear();
        }
        const std::size_t whole = bytes.size() / frame_bytes_ * frame_bytes_;
        const std::size_t queued = queued_frames();
        const std::size_t room = (max_frames_ - std::min(max_frames_, queued)) * frame_bytes_;
        if (whole > room) host_.complain("sent more sound at once than its queue takes");
        play(bytes.first(std::min(whole, room)));
        if (is_buffering_) append(remainder_, bytes.subspan(whole));
        if (!is_full_ && queued_frames() >= levels_.xoff) {
            is_full_ = true;
            host_.send_text(words_.bare("MEDIA_XOFF"));
        }
    }

    void on_frame(std::span<const std::int16_t> pcm, FrameAt /*at*/) override {
        if (direction_ == Direction::Out) return;
        encode_samples(format_.encoding, pcm, bytes_);
        host_.send_binary(bytes_);
    }

    /// What Asterisk does at each of its timer's ticks.
    void on_tick(std::int64_t /*now_ns*/) override {
        if (is_paused_) return;
        if (!is_full_ && !must_report_drained_) return;
        const std::size_t queued = queued_frames();
        if (is_full_ && queued < levels_.xon) {
            is_full_ = false;
            host_.send_text(words_.bare("MEDIA_XON"));
        }
        if (must_report_drained_ && queued == 0) {
            must_report_drained_ = false;
            host_.send_text(words_.bare("QUEUE_DRAINED"));
        }
    }

    void on_digit(char digit, unsigned /*duration_ms*/) override {
        host_.send_text(words_.dtmf_end(digit));
    }

    void on_mark(const std::string& name, MarkEnd how, std::uint64_t /*position*/) override {
        const auto mark =
            std::find_if(marks_.begin(), marks_.end(), [&](const Mark& m) { return m.id == name; });
        if (mark == marks_.end()) return;
        const std::string_view event = mark->event;
        marks_.erase(mark);
        // One that was flushed is gone without a word.
        if (how == MarkEnd::Played) host_.send_text(words_.correlated(event, name));
    }

    /// There is no word for it: whoever interrupts is heard.
    void on_barge_in(std::uint64_t /*played*/) override { host_.judge_barge_in(true); }

    void on_verb(const BotRequest& /*request*/,
                 std::string_view how,
                 std::string_view detail) override {
        if (how != "refused" && how != "failed") return;
        std::string text = "HANGUP " + std::string(how);
        if (!detail.empty()) text.append(": ").append(detail);
        host_.send_text(words_.error(text));
    }

    /// Asterisk has no last word: the socket closes.
    void on_end(model::EndReason /*reason*/) override {}

private:
    /// As the bot sees it: In, it only hears; Out, it only speaks.
    enum class Direction : std::uint8_t { Both, In, Out };
    struct Mark {
        std::string id;
        std::string_view event;
    };

    static std::string in_ms(double ms) { return std::to_string(static_cast<long long>(ms)); }

    static void append(std::vector<std::byte>& to, std::span<const std::byte> bytes) {
        to.insert(to.end(), bytes.begin(), bytes.end());
    }

    void forget() {
        if (is_paused_) host_.resume();
        is_paused_ = is_buffering_ = is_full_ = must_report_drained_ = false;
        direction_ = Direction::Both;
        remainder_.clear();
        marks_.clear();
    }

    std::size_t queued_frames() const {
        return static_cast<std::size_t>((host_.queued() + frame_samples_ - 1) / frame_samples_);
    }

    void play(std::span<const std::byte> bytes) {
        if (bytes.empty()) return;
        decode_samples(format_.encoding, bytes, pcm_);
        host_.play(pcm_);
        trim(pcm_);
    }

    void mark(std::string_view id, std::string_view event) {
        if (marks_.size() >= kMaxMarks) marks_.pop_front();
        marks_.push_back({std::string(id), event});
        host_.mark(std::string(id));
    }

    /// @return false: not while the bot only hears, and it was told
    bool may_speak(std::string_view command) {
        if (direction_ != Direction::In) return true;
        host_.send_text(
            words_.error(std::string(command) + " not supported while media direction is 'in'"));
        return false;
    }

    void obey(std::string_view command, std::string_view id, std::string_view direction) {
        if (command == "ANSWER") return;  // answered before there was a bot
        if (command == "HANGUP") {
            host_.ask({.verb = BotVerb::HangUp, .argument = {}, .correlation = {}});
        } else if (command == "START_MEDIA_BUFFERING") {
            if (may_speak(command)) is_buffering_ = true;
        } else if (command == "STOP_MEDIA_BUFFERING") {
            if (may_speak(command)) stop_buffering(id);
        } else if (command == "MARK_MEDIA") {
            if (may_speak(command)) mark(id, kMarkProcessed);
        } else if (command == "FLUSH_MEDIA") {
            flush();
        } else if (command == "PAUSE_MEDIA") {
            if (may_speak(command)) pause();
        } else if (command == "CONTINUE_MEDIA") {
            if (may_speak(command)) resume();
        } else if (command == "REPORT_QUEUE_DRAINED") {
            must_report_drained_ = true;
        } else if (command == "GET_STATUS") {
            host_.send_text(words_.status({.queue_length = queued_frames(),
                                           .xon_level = levels_.xon,
                                           .xoff_level = levels_.xoff,
                                           .queue_full = is_full_,
                                           .bulk_media = is_buffering_,
                                           .media_paused = is_paused_}));
        } else if (command == "SET_MEDIA_DIRECTION") {
            set_direction(direction);
        } else {
            host_.complain("sent the command \"" + base::escape_untrusted(command, 40) +
                           "\", which chan_websocket does not know");
        }
    }

    void stop_buffering(std::string_view id) {
        is_buffering_ = false;
        if (!remainder_.empty()) {
            decode_samples(format_.encoding, remainder_, pcm_);
            pcm_.resize(frame_samples_, 0);  // silence, as it is not known in every encoding
            host_.play(pcm_);
            remainder_.clear();
        }
        mark(id, kBufferingCompleted);
    }

    /// Its documentation promises that what was paused goes on; what is queued behind it would
    /// otherwise never be heard.
    void flush() {
        is_buffering_ = false;
        remainder_.clear();
        host_.clear();
        resume();
    }

    void pause() {
        if (is_paused_) return;
        is_paused_ = true;
        host_.pause();
    }

    void resume() {
        if (!is_paused_) return;
        is_paused_ = false;
        host_.resume();
    }

    void set_direction(std::string_view direction) {
        if (direction == "both") {
            direction_ = Direction::Both;
        } else if (direction == "in") {
            direction_ = Direction::In;
        } else if (direction == "out") {
            direction_ = Direction::Out;
        } else {
            host_.send_text(words_.error("SET_MEDIA_DIRECTION needs 'in', 'out' or 'both'"));
        }
    }

    BotHost& host_;
    const Format format_;
    const AsteriskWords words_;
    const std::size_t frame_samples_, frame_bytes_;
    std::size_t max_frames_ = 0;  ///< that the host keeps
    struct {
        std::size_t full = 1000, xoff = 900, xon = 800;
    } levels_;  ///< frames

    // of the connection
    bool is_buffering_ = false, is_paused_ = false;
    bool is_full_ = false;  ///< XOFF was said
    bool must_report_drained_ = false;
    Direction direction_ = Direction::Both;
    std::vector<std::byte> remainder_;  ///< of a frame, less than one
    std::deque<Mark> marks_;

    std::vector<std::byte> bytes_;
    std::vector<std::int16_t> pcm_;
};

}  // namespace

std::unique_ptr<BotProtocol> make_asterisk(BotHost& host) {
    return std::make_unique<Asterisk>(host);
}

}  // namespace offhook::ai
