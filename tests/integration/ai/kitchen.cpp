#include "ai/kitchen.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <sstream>

#include "harness/g711.h"
#include "harness/http.h"

namespace offhook::harness {
namespace {

constexpr int kRateHz = 8000;

std::string bot_program() {
    const char* program = std::getenv("OFFHOOK_LOCAL_AI");
    return program != nullptr ? program : "";
}

std::string bot_tables(const std::string& protocol, const std::string& address) {
    return "[[ai]]\nname = \"" + protocol + "\"\nprotocol = \"" + protocol + "\"\nurl = \"ws://" +
           address + "/" + protocol + "\"\n\n[[route]]\nname = \"" + protocol + "\"\nto = \"" +
           protocol + "-*\"\nai = \"" + protocol +
           "\"\nfill = \"silence\"\nverbs = [\"hang-up\"]\n\n";
}

}  // namespace

bool has_kitchen() {
    return !bot_program().empty() &&
           std::filesystem::exists("/usr/share/pocketsphinx/model/en-us/en-us/mdef");
}

Kitchen::Kitchen(const TempDir& folder) {
    Process::Options bot;
    bot.has_ready_fd = true;
    bot_ = std::make_unique<Process>(
        std::vector<std::string>{
            bot_program(), "--listen", "127.0.0.1:0", "--json", "--ready-fd", "3", "--time", kTime},
        bot);
    const std::string ready = bot_->ready_line(seconds(60));
    if (!ready.starts_with("ready ")) throw std::runtime_error("no bot: " + bot_->output());
    address_ = ready.substr(6);
    Daemon::Options daemon;
    daemon.more = bot_tables("plain", address_) + bot_tables("twilio", address_);
    daemon_ = std::make_unique<Daemon>(folder, daemon);
}

std::vector<Said> Kitchen::transcript(const std::string& user) {
    std::istringstream lines(bot_->output());
    std::vector<Said> all;
    std::string call;
    for (std::string line; std::getline(lines, line);) {
        const Json json(line);
        if (!json.is_valid()) continue;
        all.push_back({json.text("call"), json.text("event"), json.text("words")});
        if (all.back().event == "begins" && all.back().words.ends_with(" calls " + user))
            call = all.back().call;
    }
    std::erase_if(all, [&](const Said& said) { return said.call != call; });
    return all;
}

std::vector<std::string> Kitchen::words(const std::string& user, const std::string& event) {
    std::vector<std::string> words;
    for (const Said& said : transcript(user))
        if (said.event == event) words.push_back(said.words);
    return words;
}

bool Kitchen::wait_end(const std::string& user, milliseconds limit) {
    return eventually(limit, bot_.get(), [&] { return !words(user, "ends").empty(); });
}

Speech say(const TempDir& folder,
           const std::string& voice,
           int words_per_minute,
           const std::vector<std::string>& phrases,
           double before_s,
           const std::vector<double>& pauses_s) {
    const std::string raw = (folder / "raw.wav").string();
    const std::string wav = (folder / "phrase.wav").string();
    Speech speech{{kRateHz, {}}, {}};
    speech.sound.append_silence(before_s);
    for (std::size_t i = 0; i < phrases.size(); ++i) {
        run({"espeak-ng",
             "-v",
             voice,
             "-s",
             std::to_string(words_per_minute),
             "-w",
             raw,
             phrases[i]});
        run({"sox", "-R", raw, "-r", std::to_string(kRateHz), "-c", "1", "-b", "16", wav});
        speech.begin_s.push_back(speech.sound.seconds());
        speech.sound.append(read_wav(wav));
        speech.sound.append_silence(pauses_s[std::min(i, pauses_s.size() - 1)]);
    }
    // Whole packets, so that who streams it loses nothing at the end.
    speech.sound.samples.resize((speech.sound.samples.size() + 159) / 160 * 160);
    for (std::int16_t& sample : speech.sound.samples) sample = from_mulaw(mulaw_of(sample));
    return speech;
}

std::vector<std::vector<std::string>> recognised(const TempDir& folder,
                                                 const std::vector<Sound>& sounds,
                                                 const std::string& grammar) {
    std::vector<std::string> argv{bot_program(), "hear", "--json", "--grammar", grammar};
    for (const Sound& sound : sounds) {
        const std::string name = "heard-" + std::to_string(argv.size()) + ".wav";
        write_wav(folder / name, sound);
        argv.push_back((folder / name).string());
    }
    std::istringstream lines(run(argv, seconds(120)));
    std::vector<std::vector<std::string>> all;
    for (std::string line; std::getline(lines, line);) {
        const Json json(line);
        all.emplace_back();
        for (std::size_t i = 0; i < json.size("heard"); ++i) {
            const std::string words = json.text("heard." + std::to_string(i));
            all.back().push_back(words.empty() ? "-" : words);
        }
    }
    if (all.size() != sounds.size()) throw std::runtime_error("not every recording was heard");
    return all;
}

std::size_t understood(const std::vector<std::string>& said,
                       const std::vector<std::string>& heard) {
    std::vector<std::size_t> before(heard.size() + 1);
    for (const std::string& phrase : said) {
        std::vector<std::size_t> row(heard.size() + 1);
        for (std::size_t j = 0; j < heard.size(); ++j)
            row[j + 1] = phrase == heard[j] ? before[j] + 1 : std::max(row[j], before[j + 1]);
        before = row;
    }
    return before.back();
}

std::string plain_words(const std::string& sentence) {
    std::string plain;
    for (const char c : sentence) {
        if (c == '\'' || std::isalpha(static_cast<unsigned char>(c)) != 0) {
            plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        } else if (!plain.empty() && plain.back() != ' ') {
            plain += ' ';
        }
    }
    if (plain.ends_with(' ')) plain.pop_back();
    return plain;
}

}  // namespace offhook::harness
