#include "ai/bot_line.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace offhook::ai {
namespace {

// A mark's name in the playout: whose it is, a number, and the bot's own name for it.
constexpr char kBots = 'b';      // number of the connection
constexpr char kSessions = 's';  // number of the call back

std::string tag(char whose, std::uint64_t number, std::string_view name) {
    return whose + std::to_string(number) + ':' + std::string(name);
}

}  // namespace

BotLine::BotLine(std::shared_ptr<model::AudioPort> port,
                 std::uint32_t bot_rate_hz,
                 std::uint64_t limit_ms,
                 std::shared_ptr<const PromptBook> prompts,
                 Events& events)
    : bot_rate_hz_(bot_rate_hz),
      line_rate_hz_(port->sample_rate_hz),
      prompts_(std::move(prompts)),
      events_(events),
      playout_(std::move(port), bot_rate_hz, limit_ms, *this) {}

std::uint64_t BotLine::play(std::span<const std::int16_t> pcm) {
    is_drained_ = false;
    return playout_.write(pcm);
}

bool BotLine::play_prompt(std::string_view name) {
    if (!prompts_) return false;
    const auto found = prompts_->find(name);
    if (found == prompts_->end()) return false;
    is_drained_ = false;
    playout_.insert(found->second->at(line_rate_hz_));
    return true;
}

void BotLine::mark(std::string name) {
    std::string tagged = tag(kBots, connection_, name);
    pending_.push_back(tagged);
    playout_.mark(std::move(tagged));
}

void BotLine::call_back(std::uint64_t number) {
    playout_.mark(tag(kSessions, number, {}));
}

std::vector<std::string> BotLine::lose_marks() {
    std::vector<std::string> names;
    for (const std::string& tagged : pending_) names.push_back(tagged.substr(tagged.find(':') + 1));
    pending_.clear();
    ++connection_;
    for (const std::string& name : names) {
        events_.on_mark(name, BotProtocol::MarkEnd::Lost, played());
    }
    return names;
}

std::uint64_t BotLine::played() const noexcept {
    const Playout::Totals totals = playout_.totals();
    return totals.written - totals.queued;
}

void BotLine::on_mark(const std::string& name, bool is_played, std::uint64_t position) {
    const std::size_t colon = name.find(':');
    const std::uint64_t number = std::strtoull(name.c_str() + 1, nullptr, 10);
    if (name.front() == kSessions) {
        events_.on_call_back(number, is_played);
        return;
    }
    const auto found = std::find(pending_.begin(), pending_.end(), name);
    if (found == pending_.end()) return;  // of a connection that is gone; it was lost with it
    pending_.erase(found);
    events_.on_mark(name.substr(colon + 1),
                    is_played ? BotProtocol::MarkEnd::Played : BotProtocol::MarkEnd::Cleared,
                    position);
}

void BotLine::on_dropped(std::uint64_t from, std::uint64_t to) {
    events_.on_dropped(from, to);
}

void BotLine::on_started(std::uint64_t /*position*/, std::int64_t left_ns) {
    events_.on_started(left_ns);
}

void BotLine::on_drained(std::uint64_t /*position*/) {
    is_drained_ = true;
    events_.on_drained();
}

}  // namespace offhook::ai
