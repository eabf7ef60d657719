#include "voice.h"

#include <espeak-ng/speak_lib.h>

#include <atomic>
#include <cstddef>
#include <mutex>

#include "caller/wav_file.h"

namespace offhook::local_ai {
namespace {

std::atomic<bool> is_taken{false};
std::mutex speaking;
std::vector<std::int16_t> spoken;  // guarded by `speaking`: the callback gets no pointer of ours

int keep(short* samples, int count, espeak_EVENT* /*events*/) {
    if (samples != nullptr && count > 0) spoken.insert(spoken.end(), samples, samples + count);
    return 0;
}

}  // namespace

base::Result<std::unique_ptr<Voice>> Voice::create(const std::string& name, int words_per_minute) {
    if (is_taken.exchange(true))
        return base::fail(base::ErrorCode::Conflict, "there is one voice in a process");
    // Once, and never terminated: espeak-ng 1.51 may wait for ever for a thread of its own when it is
    // ended and begun again (RoundTrip and ConversationTest do).
    static const int rate_hz =
        espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, 0, nullptr, espeakINITIALIZE_DONT_EXIT);
    if (rate_hz <= 0) {
        is_taken = false;
        return base::fail(base::ErrorCode::Unavailable,
                          "espeak-ng does not start: apt install espeak-ng-data");
    }
    std::unique_ptr<Voice> voice(new Voice(static_cast<std::uint32_t>(rate_hz)));
    if (espeak_SetVoiceByName(name.c_str()) != EE_OK) {
        return base::fail(
            base::ErrorCode::NotFound,
            "espeak-ng has no voice '" + name + "'; espeak-ng --voices=en lists the English ones");
    }
    espeak_SetParameter(espeakRATE, words_per_minute, 0);
    espeak_SetSynthCallback(keep);
    return voice;
}

Voice::~Voice() {
    is_taken = false;
}

std::vector<std::int16_t> Voice::speak(const std::string& words, std::uint32_t sample_rate_hz) {
    caller::Sound sound{sample_rate_hz_, {}};
    {
        const std::lock_guard lock(speaking);
        spoken.clear();
        espeak_Synth(words.c_str(),
                     words.size() + 1,
                     0,
                     POS_CHARACTER,
                     0,
                     espeakCHARS_UTF8,
                     nullptr,
                     nullptr);
        sound.pcm.swap(spoken);
    }
    return caller::resample(sound, sample_rate_hz).pcm;
}

}  // namespace offhook::local_ai
