#include "transcript.h"

#include <array>
#include <cstdio>
#include <ctime>

#include "base/escape.h"
#include "base/json_writer.h"

namespace offhook::local_ai {
namespace {

struct Names {
    std::string_view json, text;
};

Names names_of(Transcript::What what) {
    switch (what) {
        case Transcript::What::Begins:
            return {"begins", "begins:"};
        case Transcript::What::Heard:
            return {"heard", "caller:"};
        case Transcript::What::Unclear:
            return {"unclear", "caller:"};
        case Transcript::What::Says:
            return {"says", "bot:   "};
        case Transcript::What::Interrupted:
            return {"interrupted", "bot:   "};
        case Transcript::What::Digit:
            return {"digit", "key:   "};
        case Transcript::What::Ends:
            return {"ends", "ends:  "};
    }
    return {"", ""};
}

}  // namespace

void Transcript::line(const std::string& call, What what, std::string_view words) {
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    localtime_r(&now, &local);
    std::array<char, 32> clock{};
    std::strftime(clock.data(), clock.size(), "%H:%M:%S", &local);
    const auto [json, text] = names_of(what);
    std::string out;
    if (is_json_) {
        base::JsonWriter writer;
        writer.begin_object()
            .field("time", clock.data())
            .field("call", call)
            .field("event", json)
            .field("words", words)
            .end();
        out = std::move(writer).text();
    } else {
        out = std::string(clock.data()) + "  " + base::escape_untrusted(call, 24) + "  " +
              std::string(text) + " " + base::escape_untrusted(words, 1000);
    }
    const std::lock_guard lock(mutex_);
    std::printf("%s\n", out.c_str());
    std::fflush(stdout);
}

}  // namespace offhook::local_ai
