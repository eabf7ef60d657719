#include "ai/protocols/openai.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "ai/protocols/base64.h"
#include "ai/protocols/encoding.h"
#include "ai/protocols/message.h"
#include "ai/protocols/openai_conversation.h"
#include "ai/protocols/openai_items.h"
#include "ai/protocols/openai_tools.h"
#include "ai/protocols/openai_words.h"
#include "base/escape.h"

namespace offhook::ai {
namespace {

using Role = OpenAiConversation::Role;

constexpr std::int64_t kMs = 1'000'000, kSecond = 1000 * kMs, kMinute = 60 * kSecond;
constexpr std::int64_t kSetUpNs = 10 * kSecond;
constexpr std::int64_t kDigitsEndNs = 1500 * kMs;  ///< after the last key
/// So long our own detector's word on an interruption waits for the service's.
constexpr std::int64_t kJudgeNs = 800 * kMs;
constexpr std::int64_t kQuietWithinNs = 4 * kMinute;  ///< a planned reconnect waits for a pause
constexpr std::int64_t kAnswerNs = 15 * kSecond;      ///< so long response.created is waited for
constexpr int kBetaLimitMin = 25;                     ///< its sessions last half an hour
constexpr int kMaxFailures = 3;                       ///< of responses, one after another
constexpr std::size_t kMaxCalls = 16, kMaxCancelled = 32, kMaxDigits = 64;

Encoding encoding_of(const config::Ai& ai) {
    return encoding_named(ai.encoding, ai.sample_rate_hz == 24000 ? Encoding::Pcm : Encoding::Pcmu);
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

class OpenAi final : public BotProtocol {
public:
    explicit OpenAi(BotHost& host)
        : host_(host),
          encoding_(encoding_of(host.settings().ai)),
          rate_hz_(encoding_ == Encoding::Pcm ? 24000 : 8000),
          is_beta_(host.settings().ai.session.beta),
          has_detection_(host.settings().ai.session.turn_detection != "none") {}

    std::uint32_t sample_rate_hz() const noexcept override { return rate_hz_; }

    Opening opening() const override {
        const auto& ai = host_.settings().ai;
        Opening opening;
        opening.url = ai.url;
        opening.subprotocol = ai.subprotocol;
        if (is_beta_) opening.headers.emplace_back("OpenAI-Beta", "realtime=v1");
        return opening;
    }

    /// The service closes when a session is over, a call is not.
    OnClose on_close() const noexcept override { return OnClose::Reconnect; }

    void on_open(const Continuation& /*before*/) override { phase_ = Phase::Opening; }

    void on_lost() override {
        if (is_busy() || wants_response_) owes_answer_ = true;
        phase_ = Phase::Closed;
        is_active_ = is_asked_ = wants_response_ = false;
        opened_ns_ = retry_at_ns_ = 0;
        failures_ = 0;
        response_id_.clear();
        items_.clear();
        cancelled_.clear();
        calls_.clear();
        awaited_calls_.clear();
        half_sample_.reset();
        if (std::exchange(interruption_, std::nullopt)) host_.judge_barge_in(false);
        note_caller(false);
    }

    void on_binary(std::span<const std::byte> /*bytes*/) override {
        host_.complain("sent a binary message, which the service does not do: ignored");
    }

    void on_text(std::string_view text) override {
        const auto message = Message::read(text);
        if (!message) {
            host_.complain(message.error().message);
            return;
        }
        const std::string_view type = message->text("type").value_or("");
        if (type == "response.output_audio.delta" || type == "response.audio.delta") {
            on_sound(*message);
        } else if (type == "session.created") {
            on_session_created();
        } else if (type == "session.updated") {
            if (phase_ == Phase::Configuring) go_live();
        } else if (type == "input_audio_buffer.speech_started") {
            on_speech_started();
        } else if (type == "input_audio_buffer.speech_stopped") {
            note_caller(false);
        } else if (type == "response.created") {
            is_active_ = true;
            is_asked_ = false;
            response_id_ = message->text("response.id").value_or("");
        } else if (type == "response.done") {
            on_response_done(*message);
        } else if (type == "error") {
            on_error(*message);
        } else {
            on_words(type, *message);
        }
    }

    void on_frame(std::span<const std::int16_t> pcm, FrameAt /*at*/) override {
        if (phase_ != Phase::Live) return;
        encode_samples(encoding_, pcm, bytes_);
        event_ = R"({"type":"input_audio_buffer.append","audio":")";
        append_base64(bytes_, event_);
        event_ += R"("})";
        host_.send_text(event_);
    }

    void on_tick(std::int64_t now_ns) override {
        now_ns_ = now_ns;
        if (phase_ == Phase::Closed) return;
        if (opened_ns_ == 0) opened_ns_ = now_ns;
        if (phase_ != Phase::Live) {
            if (now_ns - opened_ns_ > kSetUpNs) {
                phase_ = Phase::Closed;
                host_.fail("The service did not accept the session within 10 s.", false);
            }
            return;
        }
        if (interruption_ && now_ns - interruption_->since_ns > kJudgeNs) {
            interruption_.reset();
            host_.judge_barge_in(false);
        }
        if (!digits_.empty() && now_ns - last_digit_ns_ > kDigitsEndNs) tell_digits();
        if (is_asked_ && now_ns - asked_ns_ > kAnswerNs) is_asked_ = false;
        if (wants_response_ && !is_busy() && now_ns >= retry_at_ns_) respond();
        items_.forget_before(host_.played());
        if (is_time_to_go(now_ns)) {
            phase_ = Phase::Closed;
            host_.reconnect("The session nears the service's limit: a new one takes over.");
        }
    }

    void on_digit(char digit, unsigned /*duration_ms*/) override {
        if (digits_.size() < kMaxDigits) digits_ += digit;
        last_digit_ns_ = now_ns_;
        if (digit == '#' && phase_ == Phase::Live) tell_digits();
    }

    void on_mark(const std::string& /*name*/,
                 MarkEnd /*how*/,
                 std::uint64_t /*position*/) override {}

    /// Playout is paused. The service's detector has the last word, where it is used.
    void on_barge_in(std::uint64_t played) override {
        interruption_ = {played, now_ns_};
        if (!has_detection_ || is_caller_speaking_ || phase_ != Phase::Live) interrupt(played);
    }

    /// Without a detector of the service's ours says where a turn ends.
    void on_caller_speech(bool is_speaking, std::uint64_t /*position*/) override {
        if (has_detection_ || phase_ != Phase::Live) return;
        is_caller_speaking_ = is_speaking;
        if (is_speaking) return;
        host_.send_text(openai::commit());
        respond();
    }

    void on_hold(bool is_held) override {
        tell(
            Role::System,
            is_held ? "The caller is on hold and hears nothing." : "The caller is back from hold.");
    }

    void on_verb(const BotRequest& request,
                 std::string_view how,
                 std::string_view detail) override {
        if (how != "done" && how != "refused" && how != "failed") return;
        const auto call =
            std::find(awaited_calls_.begin(), awaited_calls_.end(), request.correlation);
        if (call == awaited_calls_.end()) return;
        awaited_calls_.erase(call);
        const bool leaves = request.verb == BotVerb::HangUp || request.verb == BotVerb::Transfer;
        answer_call(request.correlation, how, detail, !(leaves && how == "done"));
    }

    void on_end(model::EndReason /*reason*/) override {}

private:
    enum class Phase : std::uint8_t { Closed, Opening, Configuring, Live };
    struct Call {
        std::string id, name, arguments;
    };
    struct Interruption {
        std::uint64_t played = 0;
        std::int64_t since_ns = 0;
    };

    /// The service ends its answer by itself: only when whatever it hears is an interruption.
    bool service_interrupts() const {
        return has_detection_ && host_.settings().barge_in == BargeInPolicy::Bot;
    }
    bool is_busy() const { return is_active_ || is_asked_; }

    // ---- the session

    void on_session_created() {
        if (phase_ != Phase::Opening) return;
        phase_ = Phase::Configuring;
        host_.send_text(openai::session_update(host_.settings(), encoding_, service_interrupts()));
    }

    void go_live() {
        phase_ = Phase::Live;
        for (auto& turn : conversation_.turns()) {
            if (turn.text.empty()) continue;
            turn.item_id = next_item_id();
            host_.send_text(openai::message_item(turn, is_beta_));
        }
        if (!has_greeted_) {
            has_greeted_ = true;
            if (host_.settings().ai.session.greets) respond();
        } else if (owes_answer_) {
            respond();
        }
        owes_answer_ = false;
        host_.ready();
    }

    bool is_time_to_go(std::int64_t now_ns) const {
        int limit_min = host_.settings().ai.session.limit_min;
        if (limit_min <= 0) return false;
        if (is_beta_) limit_min = std::min(limit_min, kBetaLimitMin);
        const std::int64_t over_ns = now_ns - opened_ns_ - limit_min * kMinute;
        if (over_ns < 0) return false;
        const bool is_quiet = !is_busy() && !wants_response_ && !is_caller_speaking_ &&
                              host_.queued() == 0 && awaited_calls_.empty() && digits_.empty();
        return is_quiet || over_ns >= kQuietWithinNs;
    }

    std::string next_item_id() { return "offhook_" + std::to_string(++items_made_); }

    /// A line of text from us, kept for the sessions to come.
    void tell(Role role, std::string_view text) {
        const OpenAiConversation::Turn turn{next_item_id(), role, std::string(text)};
        conversation_.add(turn.item_id, role, text);
        if (phase_ == Phase::Live) host_.send_text(openai::message_item(turn, is_beta_));
    }

    void tell_digits() {
        tell(Role::User,
             "The caller pressed these keys of the phone: " + std::exchange(digits_, {}));
        respond();
    }

    // ---- responses

    /// Asks for one; when there is one, after it.
    void respond() {
        wants_response_ = true;
        if (is_busy() || phase_ != Phase::Live || now_ns_ < retry_at_ns_) return;
        wants_response_ = false;
        is_asked_ = true;
        asked_ns_ = now_ns_;
        host_.send_text(openai::response_create());
    }

    void on_response_done(const Message& message) {
        const std::string_view id = message.text("response.id").value_or("");
        const std::string_view status = message.text("response.status").value_or("");
        if (response_id_.empty() || id.empty() || id == response_id_) is_active_ = false;
        if (status == "failed") {
            const std::string code(
                message.text("response.status_details.error.code")
                    .value_or(message.text("response.status_details.error.type").value_or("")));
            calls_.clear();
            on_failure(code, message.text("response.status_details.error.message").value_or(""));
            return;
        }
        if (status == "completed") failures_ = 0;
        if (status == "cancelled") {
            calls_.clear();
        } else {
            for (const Message& item : message.objects("response.output")) note_call(item);
            run_calls();
        }
        if (wants_response_) respond();
    }

    /// Of a response: another try later, unless it would be in vain.
    void on_failure(std::string_view code, std::string_view detail) {
        const std::string sentence =
            "The service could not answer: " + base::escape_untrusted(code, 60) + " " +
            base::escape_untrusted(detail, 200);
        if (is_hopeless(code)) {
            phase_ = Phase::Closed;
            host_.fail(sentence, true);
            return;
        }
        if (++failures_ > kMaxFailures && !contains(code, "rate_limit")) {
            phase_ = Phase::Closed;
            host_.fail(sentence, false);
            return;
        }
        host_.complain(sentence);
        retry_at_ns_ =
            now_ns_ + std::min<std::int64_t>(kSecond << std::min(failures_ - 1, 4), 10 * kSecond);
        wants_response_ = true;
    }

    static bool is_hopeless(std::string_view code) {
        return code == "invalid_api_key" || code == "insufficient_quota" ||
               code == "authentication_error" || code == "permission_error" ||
               code == "account_deactivated" || code == "model_not_found";
    }

    void on_error(const Message& message) {
        const std::string type(message.text("error.type").value_or(""));
        const std::string code(message.text("error.code").value_or(""));
        const std::string event_id(message.text("error.event_id").value_or(""));
        const std::string detail =
            base::escape_untrusted(message.text("error.message").value_or(""), 200);
        // Cancelling what has just ended is no mistake of anybody's.
        if (code == "response_cancel_not_active" || event_id == openai::kCancelEvent) return;
        if (code == "conversation_already_has_active_response") {
            is_asked_ = false;
            wants_response_ = is_active_ = true;
            return;
        }
        if (code == "session_expired") {
            phase_ = Phase::Closed;
            host_.reconnect("The service ended the session: " + detail);
        } else if (is_hopeless(code) || is_hopeless(type)) {
            phase_ = Phase::Closed;
            host_.fail("The service refuses us: " + detail, true);
        } else if (phase_ == Phase::Configuring && event_id == openai::kSessionEvent) {
            phase_ = Phase::Closed;
            host_.fail("The service does not take the session's settings: " + detail, true);
        } else if (contains(type, "rate_limit") || contains(code, "rate_limit")) {
            if (phase_ != Phase::Live) {
                phase_ = Phase::Closed;
                host_.fail("The service's rate limit is reached: " + detail, false);
                return;
            }
            const bool was_asked = std::exchange(is_asked_, false);
            const bool had_wanted = wants_response_;
            on_failure("rate_limit", detail);
            wants_response_ = was_asked || had_wanted;
        } else {
            if (event_id == openai::kResponseEvent) is_asked_ = false;
            host_.complain("says: " + (detail.empty() ? base::escape_untrusted(code, 60) : detail));
        }
    }

    // ---- sound

    void on_sound(const Message& message) {
        const std::string_view item = message.text("item_id").value_or("");
        const std::string_view response = message.text("response_id").value_or("");
        if (phase_ != Phase::Live || is_cancelled(item) || is_cancelled(response)) return;
        if (!decode_base64(message.text("delta").value_or(""), bytes_)) {
            host_.complain("sent sound that is no base64: left out");
            return;
        }
        if (encoding_ == Encoding::Pcm) join_samples(item);
        decode_samples(encoding_, bytes_, pcm_);
        if (!pcm_.empty()) {
            items_.add(
                item, message.whole("content_index").value_or(0), host_.given(), pcm_.size());
            host_.play(pcm_);
        }
        trim(pcm_);
        trim(bytes_);
    }

    /// A sample may be cut between two messages.
    void join_samples(std::string_view item) {
        if (item != half_sample_item_) half_sample_.reset();
        if (half_sample_) bytes_.insert(bytes_.begin(), *half_sample_);
        half_sample_.reset();
        if (bytes_.size() % 2 == 0) return;
        half_sample_ = bytes_.back();
        half_sample_item_ = item;
        bytes_.pop_back();
    }

    // ---- interruptions

    void note_caller(bool is_speaking) {
        if (is_speaking == is_caller_speaking_) return;
        is_caller_speaking_ = is_speaking;
        host_.note_caller_speech(is_speaking);
    }

    void on_speech_started() {
        note_caller(true);
        if (interruption_) {
            interrupt(interruption_->played);
        } else if (host_.settings().barge_in == BargeInPolicy::Bot) {
            if (host_.queued() > 0) {
                interrupt(host_.played());
            } else if (is_active_) {
                cancel(response_id_);  // the service does it; what is under way is not wanted
            }
        }
    }

    bool is_cancelled(std::string_view id) const {
        return !id.empty() &&
               std::find(cancelled_.begin(), cancelled_.end(), id) != cancelled_.end();
    }

    void cancel(std::string_view id) {
        if (id.empty() || is_cancelled(id)) return;
        if (cancelled_.size() >= kMaxCancelled) cancelled_.pop_front();
        cancelled_.emplace_back(id);
    }

    /// @param played  what the caller heard of the bot when it was interrupted
    void interrupt(std::uint64_t played) {
        const auto cuts = items_.cut_at(played);
        const bool was_asked_of_us = std::exchange(interruption_, std::nullopt).has_value();
        if (was_asked_of_us) {
            host_.judge_barge_in(true);
        } else {
            host_.clear();
        }
        if (phase_ != Phase::Live) return;
        if (is_active_) {
            cancel(response_id_);
            if (!service_interrupts()) host_.send_text(openai::response_cancel(response_id_));
        }
        for (const auto& cut : cuts) {
            cancel(cut.item_id);
            host_.send_text(openai::truncate(
                cut.item_id, cut.content_index, cut.heard_samples * 1000 / rate_hz_));
            conversation_.cut(
                cut.item_id,
                static_cast<double>(cut.heard_samples) / static_cast<double>(cut.given_samples));
        }
        items_.clear();
    }

    // ---- words

    void on_words(std::string_view type, const Message& message) {
        const std::string_view item = message.text("item_id").value_or("");
        if (type == "response.output_audio_transcript.delta" ||
            type == "response.audio_transcript.delta") {
            if (!is_cancelled(item)) conversation_.append(item, message.text("delta").value_or(""));
        } else if (type == "response.output_audio_transcript.done" ||
                   type == "response.audio_transcript.done") {
            if (!is_cancelled(item))
                conversation_.set(item, Role::Assistant, message.text("transcript").value_or(""));
        } else if (type == "response.output_text.done" || type == "response.text.done") {
            conversation_.set(item, Role::Assistant, message.text("text").value_or(""));
        } else if (type == "conversation.item.input_audio_transcription.completed") {
            conversation_.set(item, Role::User, message.text("transcript").value_or(""));
        } else if (type == "conversation.item.added" || type == "conversation.item.created") {
            on_item(message);
        } else if (type == "response.output_item.done") {
            if (const auto done = message.object("item")) note_call(*done);
        } else if (type == "response.function_call_arguments.done") {
            note_call(message);
        }
    }

    void on_item(const Message& message) {
        const std::string_view role = message.text("item.role").value_or("");
        const std::string_view id = message.text("item.id").value_or("");
        if (message.text("item.type") != "message" || id.empty()) return;
        if (role == "user") conversation_.add(id, Role::User);
        if (role == "assistant") conversation_.add(id, Role::Assistant);
    }

    // ---- functions

    /// One that the model calls, under either event that tells it whole.
    void note_call(const Message& message) {
        const std::string_view id = message.text("call_id").value_or("");
        const std::string_view name = message.text("name").value_or("");
        const auto is_this = [&](const Call& call) { return call.id == id; };
        if (id.empty() || name.empty() || calls_.size() >= kMaxCalls) return;
        if (std::any_of(calls_.begin(), calls_.end(), is_this)) return;
        calls_.push_back({std::string(id),
                          std::string(name),
                          std::string(message.text("arguments").value_or(""))});
    }

    /// After the response, so that what was said in it comes first.
    void run_calls() {
        const auto calls = std::exchange(calls_, {});
        for (const Call& call : calls) {
            auto request = openai_request(call.name, call.arguments);
            if (!request) {
                const std::string name = base::escape_untrusted(call.name, 60);
                host_.complain("called " + name + " in a way that cannot be read: refused");
                answer_call(call.id, "refused", "there is no such function, or not so", true);
                continue;
            }
            request->correlation = call.id;
            awaited_calls_.push_back(call.id);
            host_.ask(std::move(*request));
        }
    }

    void answer_call(std::string_view call_id,
                     std::string_view status,
                     std::string_view detail,
                     bool wants_answer) {
        base::JsonWriter w;
        w.begin_object().field("status", status);
        if (!detail.empty()) w.field("detail", detail);
        host_.send_text(openai::function_output(call_id, w.end().text()));
        if (wants_answer) respond();
    }

    BotHost& host_;
    const Encoding encoding_;
    const std::uint32_t rate_hz_;
    const bool is_beta_;
    const bool has_detection_;  ///< the service hears where turns begin and end

    // of the call
    OpenAiConversation conversation_;
    std::uint64_t items_made_ = 0;
    bool has_greeted_ = false;
    bool owes_answer_ = false;  ///< the last session went while it had something to say
    std::string digits_;        ///< pressed, not told yet
    std::int64_t last_digit_ns_ = 0;
    std::int64_t now_ns_ = 0;

    // of the connection
    Phase phase_ = Phase::Closed;
    std::int64_t opened_ns_ = 0;  ///< 0: no tick yet
    bool is_active_ = false;      ///< the service is answering: response_id_
    bool is_asked_ = false;       ///< response.create went out, response.created is awaited
    std::int64_t asked_ns_ = 0;
    bool wants_response_ = false;
    std::string response_id_;
    int failures_ = 0;
    std::int64_t retry_at_ns_ = 0;
    OpenAiItems items_;
    std::deque<std::string> cancelled_;  ///< responses and items of which nothing more is wanted
    std::optional<std::byte> half_sample_;
    std::string half_sample_item_;
    bool is_caller_speaking_ = false;
    std::optional<Interruption> interruption_;  ///< that we noticed, not judged yet
    std::vector<Call> calls_;                   ///< of the response under way
    std::vector<std::string> awaited_calls_;    ///< verbs that are being done

    std::vector<std::byte> bytes_;
    std::vector<std::int16_t> pcm_;
    std::string event_;
};

}  // namespace

std::unique_ptr<BotProtocol> make_openai(BotHost& host) {
    return std::make_unique<OpenAi>(host);
}

}  // namespace offhook::ai
