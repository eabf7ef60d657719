#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/error.h"

struct ps_decoder_s;

namespace offhook::local_ai {

/// pocketsphinx with Debian's en-us model and one grammar. Each utterance is judged by itself, with
/// its own mean of the cepstra, so that a recording gives the same words in every call.
///
/// Takes 40 MB and some 0.3 s to make; a second of speech takes some 0.1 s.
/// @thread one at a time
class Recogniser {
public:
    static constexpr std::uint32_t kSampleRateHz = 16000;
    static constexpr const char* kModel = "/usr/share/pocketsphinx/model/en-us";

    /// @param model    folder with `en-us` and `cmudict-en-us.dict`
    /// @param grammar  JSGF, one public rule
    /// @errors NotFound: no model there; InvalidArgument: the grammar has a word or a rule that is none
    [[nodiscard]] static base::Result<Recogniser> create(const std::string& model,
                                                         const std::string& grammar);

    /// @param pcm  one utterance, mono S16 at kSampleRateHz, with a little quiet around
    /// @return     its words; nothing when they are not of the grammar
    [[nodiscard]] std::optional<std::string> hear(std::span<const std::int16_t> pcm);

private:
    struct Free {
        void operator()(ps_decoder_s* decoder) const noexcept;
    };
    explicit Recogniser(ps_decoder_s* decoder) : decoder_(decoder) {}
    std::unique_ptr<ps_decoder_s, Free> decoder_;
};

}  // namespace offhook::local_ai
