#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/daemon.h"
#include "harness/process.h"
#include "harness/sound.h"

namespace offhook::harness {

/// A line of the local bot's transcript.
struct Said {
    std::string call, event, words;
};

/// examples/local-ai, started for a test, with a daemon whose calls go to it: to "plain-*" by the
/// plain protocol, to "twilio-*" by Twilio's.
class Kitchen {
public:
    /// It tells this time always.
    static constexpr const char* kTime = "15:15";

    explicit Kitchen(const TempDir& folder);

    [[nodiscard]] Daemon& daemon() { return *daemon_; }
    [[nodiscard]] Process& bot() { return *bot_; }
    /// The bot's, host:port.
    [[nodiscard]] const std::string& address() const { return address_; }

    /// What happened in the call to `user`, in order.
    [[nodiscard]] std::vector<Said> transcript(const std::string& user);
    /// The words of all lines of one event.
    [[nodiscard]] std::vector<std::string> words(const std::string& user, const std::string& event);
    /// Waits until the call to `user` has ended at the bot.
    bool wait_end(const std::string& user, milliseconds limit);

private:
    std::unique_ptr<Process> bot_;
    std::string address_;
    std::unique_ptr<Daemon> daemon_;
};

/// True when the bot was built and its speech model is installed.
bool has_kitchen();

/// Phrases one after another, as a caller says them.
struct Speech {
    Sound sound;                  ///< 8 kHz, through mu-law
    std::vector<double> begin_s;  ///< of each phrase
};
/// @param voice       of espeak-ng
/// @param pauses_s    behind each phrase; the last one counts for the rest
Speech say(const TempDir& folder,
           const std::string& voice,
           int words_per_minute,
           const std::vector<std::string>& phrases,
           double before_s,
           const std::vector<double>& pauses_s);

/// What the bot's recogniser hears in each sound, utterance by utterance; "-" for what is not in the
/// grammar.
/// @param grammar "caller" or "answers"
std::vector<std::vector<std::string>> recognised(const TempDir& folder,
                                                 const std::vector<Sound>& sounds,
                                                 const std::string& grammar);

/// How many of `said` are in `heard`, in order (the longest common subsequence).
std::size_t understood(const std::vector<std::string>& said, const std::vector<std::string>& heard);

/// Lower case and without punctuation, as grammars write a sentence.
std::string plain_words(const std::string& sentence);

}  // namespace offhook::harness
