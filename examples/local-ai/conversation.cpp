#include "conversation.h"

#include <ctime>

#include "caller/wav_file.h"

namespace offhook::local_ai {
namespace {

constexpr std::uint16_t kNormalClosure = 1000;
constexpr std::uint16_t kGoingAway = 1001;
constexpr std::uint16_t kUnsupportedData = 1003;

TimeOfDay local_time() {
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    localtime_r(&now, &local);
    return {local.tm_hour, local.tm_min};
}

}  // namespace

void Conversation::take(std::unique_ptr<socket::Link> link) {
    link_ = std::move(link);
}

void Conversation::close() {
    link_->close(kGoingAway, "the bot ends");
}

void Conversation::on_text(std::string_view text) {
    if (!wire_ && protocol_ == Protocol::Plain) wire_ = make_plain_wire(*link_, *this);
    if (!wire_ && protocol_ == Protocol::Twilio) wire_ = make_twilio_wire(*link_, *this);
    if (!wire_) wire_ = make_wire_of(text, *link_, *this);
    if (!wire_) {
        link_->close(kUnsupportedData, "neither plain nor Twilio");
        return;
    }
    wire_->on_text(text);
}

void Conversation::on_binary(std::span<const std::byte> bytes) {
    if (wire_) wire_->on_binary(bytes);
}

void Conversation::on_closed(const socket::LinkEnd& end) {
    if (start_) bot_.transcript.line(start_->id, Transcript::What::Ends, name_of(end.why));
    start_.reset();
    // Whoever is told lets go of this object.
    const auto over = std::move(on_over_);
    over();
}

void Conversation::on_start(const CallStart& start) {
    if (start_) return;
    start_ = start;
    endpointer_.emplace(start.sample_rate_hz, static_cast<Endpointer::Events&>(*this));
    bot_.transcript.line(start.id, Transcript::What::Begins, start.from + " calls " + start.to);
    say(dialogue_.greet());
}

void Conversation::on_sound(std::span<const std::int16_t> pcm) {
    if (endpointer_) endpointer_->take(pcm);
}

void Conversation::on_digit(char digit) {
    if (!start_) return;
    bot_.transcript.line(start_->id, Transcript::What::Digit, std::string_view(&digit, 1));
    Answer answer = dialogue_.press(digit);
    if (answer.words.empty()) return;
    interrupt();
    say(std::move(answer));
}

void Conversation::on_mark(std::string_view name) {
    if (name != speaking_) return;
    speaking_.clear();
    if (closes_after_speech_) link_->close(kNormalClosure, "goodbye");
}

void Conversation::on_barge_in() {
    wire_->accept_barge_in();
    interrupt();
}

void Conversation::on_refused_hang_up() {
    closes_after_speech_ = true;
    is_leaving_ = true;
    if (speaking_.empty()) link_->close(kNormalClosure, "goodbye");
}

void Conversation::on_stop(const std::string& reason) {
    if (start_) bot_.transcript.line(start_->id, Transcript::What::Ends, reason);
    start_.reset();
    endpointer_.reset();
}

void Conversation::on_speech_started() {
    is_caller_speaking_ = true;
    interrupt();
}

void Conversation::interrupt() {
    // A goodbye is said to its end.
    if (speaking_.empty() || is_leaving_) return;
    speaking_.clear();
    wire_->clear();
    bot_.transcript.line(start_->id, Transcript::What::Interrupted, "(stops: the caller speaks)");
}

void Conversation::on_utterance(std::vector<std::int16_t> pcm) {
    is_caller_speaking_ = false;
    if (utterances_.size() == kMostWaiting) utterances_.pop_front();
    utterances_.push_back(std::move(pcm));
    if (!is_recognising_) recognise_next();
}

void Conversation::recognise_next() {
    is_recognising_ = false;
    if (utterances_.empty() || !start_) return;
    caller::Sound sound{start_->sample_rate_hz, std::move(utterances_.front())};
    utterances_.pop_front();
    is_recognising_ =
        bot_.workers.post([weak = weak_from_this(), &loop = bot_.loop, sound = std::move(sound)](
                              Recogniser& recogniser) {
            auto words = recogniser.hear(caller::resample(sound, Recogniser::kSampleRateHz).pcm);
            loop.post([weak, words = std::move(words)] {
                if (const auto self = weak.lock()) self->on_recognised(words);
            });
        });
    if (!is_recognising_)
        bot_.transcript.line(start_->id, Transcript::What::Unclear, "(too many speak at once)");
}

void Conversation::on_recognised(const std::optional<std::string>& words) {
    if (start_) {
        if (words) {
            bot_.transcript.line(start_->id, Transcript::What::Heard, *words);
        } else {
            bot_.transcript.line(start_->id, Transcript::What::Unclear, "(not understood)");
        }
        say(dialogue_.answer(words, bot_.fixed_time.value_or(local_time())));
    }
    recognise_next();
}

void Conversation::say(Answer answer) {
    bot_.workers.post([weak = weak_from_this(),
                       &bot = bot_,
                       rate_hz = start_->sample_rate_hz,
                       answer = std::move(answer)](Recogniser&) {
        auto pcm = bot.voice.speak(answer.words, rate_hz);
        bot.loop.post([weak, answer, pcm = std::move(pcm)] {
            if (const auto self = weak.lock()) self->on_spoken(answer, pcm);
        });
    });
}

void Conversation::on_spoken(const Answer& answer, const std::vector<std::int16_t>& pcm) {
    if (!start_ || is_leaving_) return;
    if (is_caller_speaking_ && !answer.hangs_up) {
        bot_.transcript.line(
            start_->id, Transcript::What::Interrupted, "(waits: the caller speaks)");
        return;
    }
    bot_.transcript.line(start_->id, Transcript::What::Says, answer.words);
    speaking_ = "sentence-" + std::to_string(++sentences_);
    wire_->send_sound(pcm);
    wire_->send_mark(speaking_);
    is_leaving_ = answer.hangs_up;
    if (is_leaving_) closes_after_speech_ = !wire_->hang_up();
}

}  // namespace offhook::local_ai
