#include "cli/check_line.h"

#include <algorithm>
#include <utility>

#include "base/monotonic.h"

namespace offhook::cli {
namespace {

constexpr int kQueueS = 60;
constexpr int kStartMs = 40;  // as the line's start threshold: a bot that dribbles is not chopped
constexpr std::int64_t kSameUtteranceNs = 300 * base::kNsPerMs;
constexpr std::size_t kMaxMarks = 256;
constexpr std::size_t kMaxSentences = 5;

}  // namespace

CheckLine::CheckLine(ai::BotSettings settings, ai::BotCall call)
    : settings_(std::move(settings)), call_(std::move(call)) {}

double CheckLine::queued_ms() const noexcept {
    return static_cast<double>(queued()) * 1000 / protocol_->sample_rate_hz();
}

void CheckLine::tick(std::int64_t now_ns) {
    play_frame(now_ns);
    while (!dropped_.empty()) {
        const auto [from, to] = dropped_.front();
        dropped_.pop_front();
        protocol_->on_dropped(from, to);
    }
    tell_marks();
    if (std::exchange(has_drained_, false)) protocol_->on_drained();
    while (!refused_.empty()) {
        const ai::BotRequest request = std::move(refused_.front());
        refused_.pop_front();
        protocol_->on_verb(request, "refused", "this is a check: nothing of the kind is done");
    }
    protocol_->on_tick(now_ns);
}

void CheckLine::play_frame(std::int64_t now_ns) {
    if (is_paused_) return;
    const std::uint64_t frame = protocol_->sample_rate_hz() / 1000 * kFrameMs;
    const std::uint64_t left = queued();
    if (left == 0) {
        if (!is_playing_) return;
        is_playing_ = false;
        has_drained_ = true;
        dry_since_ns_ = now_ns;
        return;
    }
    if (!is_playing_) {
        // What is shorter than the threshold is played a little later all the same.
        if (queued_ms() < kStartMs && waited_ticks_++ < kStartMs / kFrameMs) return;
        waited_ticks_ = 0;
        is_playing_ = true;
        const std::int64_t dry_ns = now_ns - dry_since_ns_;
        if (dry_since_ns_ != 0 && notes_.utterances > 0 && dry_ns < kSameUtteranceNs) {
            ++notes_.dry_spells;
            notes_.longest_dry_ms =
                std::max(notes_.longest_dry_ms,
                         static_cast<double>(dry_ns) / static_cast<double>(base::kNsPerMs));
        } else {
            ++notes_.utterances;
        }
    }
    played_ += std::min(frame, left);
}

void CheckLine::tell_marks() {
    while (!marks_.empty() && (marks_.front().is_cleared || marks_.front().position <= played_)) {
        const Mark mark = std::move(marks_.front());
        marks_.pop_front();
        ++(mark.is_cleared ? notes_.marks_cleared : notes_.marks_played);
        using End = ai::BotProtocol::MarkEnd;
        protocol_->on_mark(mark.name, mark.is_cleared ? End::Cleared : End::Played, mark.position);
    }
}

void CheckLine::interrupt() {
    is_paused_ = true;
    is_judged_ = false;
    notes_.judged.reset();
    protocol_->on_barge_in(played_);
}

bool CheckLine::send_text(std::string_view text) {
    const bool is_taken = link_ != nullptr && link_->send_text(text);
    if (!is_taken) ++notes_.refused_sends;
    return is_taken;
}

bool CheckLine::send_binary(std::span<const std::byte> bytes) {
    const bool is_taken = link_ != nullptr && link_->send_binary(bytes);
    if (!is_taken) ++notes_.refused_sends;
    return is_taken;
}

std::uint64_t CheckLine::play(std::span<const std::int16_t> pcm) {
    if (pcm.empty()) return given_;
    if (notes_.first_heard_ns == 0) notes_.first_heard_ns = base::monotonic_ns();
    notes_.heard_samples += pcm.size();
    for (const std::int16_t sample : pcm)
        notes_.heard_energy += static_cast<double>(sample) * static_cast<double>(sample);
    given_ += pcm.size();
    const std::uint64_t most = std::uint64_t{protocol_->sample_rate_hz()} * kQueueS;
    if (queued() > most) {
        const std::uint64_t lost = queued() - most;
        notes_.overflowed_samples += lost;
        dropped_.emplace_back(played_, played_ + lost);
        played_ += lost;
    }
    return given_;
}

void CheckLine::mark(std::string name) {
    ++notes_.marks_asked;
    if (marks_.size() < kMaxMarks) marks_.push_back({std::move(name), given_});
}

void CheckLine::clear() {
    ++notes_.clears;
    if (!is_judged_) notes_.judged = true;
    is_judged_ = true;
    if (queued() != 0) dropped_.emplace_back(played_, given_);
    for (Mark& mark : marks_) mark.is_cleared = mark.position > played_;
    played_ = given_;
    is_paused_ = false;
}

void CheckLine::pause() {
    ++notes_.pauses;
    is_paused_ = true;
}

void CheckLine::judge_barge_in(bool is_one) {
    if (is_judged_) return;
    is_judged_ = true;
    is_paused_ = false;
    notes_.judged = is_one;
    if (!is_one) return;
    clear();
    --notes_.clears;  // ours, not the bot's
}

void CheckLine::ask(ai::BotRequest request) {
    request.number = ++requests_;
    const std::string name(ai::name_of(request.verb));
    if (std::find(notes_.verbs.begin(), notes_.verbs.end(), name) == notes_.verbs.end())
        notes_.verbs.push_back(name);
    if (refused_.size() < kMaxMarks) refused_.push_back(std::move(request));
}

void CheckLine::fail(std::string sentence, bool /*is_final*/) {
    if (notes_.failure.empty()) notes_.failure = std::move(sentence);
}

void CheckLine::complain(std::string sentence) {
    ++notes_.complaints;
    const auto& known = notes_.sentences;
    if (known.size() < kMaxSentences &&
        std::find(known.begin(), known.end(), sentence) == known.end())
        notes_.sentences.push_back(std::move(sentence));
}

}  // namespace offhook::cli
