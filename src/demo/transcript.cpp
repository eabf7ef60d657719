#include "demo/transcript.h"

#include <utility>

#include "base/escape.h"
#include "glib/json_body.h"

namespace offhook::demo {
namespace {

constexpr std::size_t kMaxWords = 1'000;
constexpr std::size_t kMaxName = 40;

std::string_view speaker_of(std::string_view event) {
    if (event == "heard" || event == "unclear") return "caller: ";
    if (event == "says" || event == "interrupted") return "bot:    ";
    if (event == "digit") return "key:    ";
    return event == "begins" ? "begins: " : "ends:   ";
}

}  // namespace

Transcript::Transcript(const std::string& file) {
    if (!file.empty()) file_.open(file, std::ios::app);
}

bool Transcript::take(std::string_view json) {
    const auto body = glib::JsonBody::parse(json, "the line");
    if (!body || !body->text("event") || !body->text("words")) return false;
    const auto shown = [&](const char* name, std::size_t max) {
        return base::escape_untrusted(body->text(name).value_or(""), max);
    };
    lines_.push_back({.number = ++last_,
                      .time = shown("time", kMaxName),
                      .call = shown("call", kMaxName),
                      .event = shown("event", kMaxName),
                      .words = shown("words", kMaxWords)});
    if (lines_.size() > kMaxLines) lines_.pop_front();
    const Line& line = lines_.back();
    if (file_.is_open()) {
        file_ << line.time << "  " << line.call << "  " << speaker_of(line.event) << line.words
              << std::endl;
    }
    return true;
}

std::vector<Transcript::Line> Transcript::after(std::uint64_t number, std::string_view call) const {
    std::vector<Line> found;
    for (const Line& line : lines_) {
        if (line.number > number && (call.empty() || line.call == call)) found.push_back(line);
    }
    return found;
}

}  // namespace offhook::demo
