#include "hear.h"

#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/json_writer.h"
#include "caller/wav_file.h"
#include "endpointer.h"
#include "menu.h"

namespace offhook::local_ai {
namespace {

constexpr int kExitFailed = 1;

/// Recognises what the endpointer cuts.
class Listener final : public Endpointer::Events {
public:
    Listener(Recogniser& recogniser, std::uint32_t sample_rate_hz)
        : recogniser_(recogniser), sample_rate_hz_(sample_rate_hz) {}
    void on_speech_started() override {}
    void on_utterance(std::vector<std::int16_t> pcm) override {
        const caller::Sound sound{sample_rate_hz_, std::move(pcm)};
        heard.push_back(recogniser_.hear(caller::resample(sound, Recogniser::kSampleRateHz).pcm));
    }
    std::vector<std::optional<std::string>> heard;

private:
    Recogniser& recogniser_;
    const std::uint32_t sample_rate_hz_;
};

base::Result<std::string> grammar_of(const std::string& name) {
    if (name == "caller") return caller_grammar();
    if (name == "answers") return answer_grammar();
    std::ifstream file(name);
    if (!file)
        return base::fail(base::ErrorCode::NotFound,
                          "--grammar " + name + ": 'caller', 'answers' or a JSGF file");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

void print(const std::string& file, const Listener& listener, bool is_json) {
    std::string line = file + "\t";
    base::JsonWriter json;
    json.begin_object().field("file", file).key("heard").begin_array();
    bool is_first = true;
    for (const auto& words : listener.heard) {
        line += (is_first ? "" : "|") + words.value_or("-");
        is_first = false;
        if (words) {
            json.value(*words);
        } else {
            json.null();
        }
    }
    json.end().end();
    std::printf("%s\n", is_json ? json.text().c_str() : line.c_str());
}

base::Result<void> hear(const HearOptions& options) {
    auto grammar = grammar_of(options.grammar);
    if (!grammar) return tl::unexpected(grammar.error());
    auto recogniser = Recogniser::create(options.model, *grammar);
    if (!recogniser) return tl::unexpected(recogniser.error());
    for (const std::string& file : options.files) {
        auto sound = caller::read_wav(file);
        if (!sound) return tl::unexpected(sound.error());
        Listener listener(*recogniser, sound->sample_rate_hz);
        Endpointer endpointer(sound->sample_rate_hz, listener);
        endpointer.take(sound->pcm);
        endpointer.finish();
        print(file, listener, options.is_json);
    }
    return {};
}

}  // namespace

int run_hear(const HearOptions& options) {
    const auto done = hear(options);
    if (done) return 0;
    std::fprintf(stderr, "offhook-local-ai: %s\n", done.error().text().c_str());
    return kExitFailed;
}

}  // namespace offhook::local_ai
