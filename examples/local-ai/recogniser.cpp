#include "recogniser.h"

#include <pocketsphinx.h>
#include <sphinxbase/err.h>
#include <sphinxbase/fsg_model.h>
#include <sphinxbase/jsgf.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <vector>

namespace offhook::local_ai {
namespace {

constexpr const char* kSearch = "grammar";

/// White noise of some -75 dBov, always the same. Digital silence and the empty band above 4 kHz have
/// no logarithm worth the name: of 26 answers through mu-law 19 are recognised without it, 24 with.
std::vector<std::int16_t> with_noise(std::span<const std::int16_t> pcm) {
    constexpr int kAmplitude = 8;
    std::vector<std::int16_t> noisy(pcm.begin(), pcm.end());
    std::uint32_t state = 1;
    for (std::int16_t& sample : noisy) {
        state = state * 1664525U + 1013904223U;
        const int noise = static_cast<int>(state >> 16U) % (2 * kAmplitude + 1) - kAmplitude;
        sample = static_cast<std::int16_t>(std::clamp(sample + noise, -32768, 32767));
    }
    return noisy;
}

/// What ps_set_jsgf_string does, but for the grammar, which that function never frees.
bool set_grammar(ps_decoder_t* decoder, const std::string& text) {
    const auto free_grammar = [](jsgf_t* grammar) { jsgf_grammar_free(grammar); };
    const std::unique_ptr<jsgf_t, decltype(free_grammar)> grammar(
        jsgf_parse_string(text.c_str(), nullptr), free_grammar);
    if (!grammar) return false;
    jsgf_rule_t* rule = jsgf_get_public_rule(grammar.get());
    if (rule == nullptr) return false;
    const auto weight = static_cast<float32>(cmd_ln_float_r(ps_get_config(decoder), "-lw"));
    const auto free_model = [](fsg_model_t* model) { fsg_model_free(model); };
    const std::unique_ptr<fsg_model_t, decltype(free_model)> model(
        jsgf_build_fsg(grammar.get(), rule, ps_get_logmath(decoder), weight), free_model);
    return model && ps_set_fsg(decoder, kSearch, model.get()) == 0 &&
           ps_set_search(decoder, kSearch) == 0;
}

}  // namespace

void Recogniser::Free::operator()(ps_decoder_s* decoder) const noexcept {
    ps_free(decoder);
}

base::Result<Recogniser> Recogniser::create(const std::string& model, const std::string& grammar) {
    const std::string acoustic = model + "/en-us";
    const std::string words = model + "/cmudict-en-us.dict";
    if (!std::filesystem::exists(acoustic + "/mdef") || !std::filesystem::exists(words)) {
        return base::fail(base::ErrorCode::NotFound,
                          "there is no speech model in " + model +
                              ": apt install pocketsphinx-en-us, or name its folder with --model");
    }
    err_set_logfp(nullptr);
    // Wide beams cost little with a grammar of this size. The noise and silence removal are made
    // for a microphone: they take the ends off words whose upper band the telephone has cut.
    std::array<const char*, 22> options{"local-ai",
                                        "-hmm",
                                        acoustic.c_str(),
                                        "-dict",
                                        words.c_str(),
                                        "-beam",
                                        "1e-150",
                                        "-wbeam",
                                        "1e-120",
                                        "-pbeam",
                                        "1e-150",
                                        "-bestpath",
                                        "no",
                                        "-maxhmmpf",
                                        "-1",
                                        "-remove_noise",
                                        "no",
                                        "-remove_silence",
                                        "no",
                                        "-logfn",
                                        "/dev/null",
                                        nullptr};
    cmd_ln_t* config = cmd_ln_parse_r(nullptr,
                                      ps_args(),
                                      static_cast<int>(options.size() - 1),
                                      const_cast<char**>(options.data()),
                                      0);
    if (config == nullptr)
        return base::fail(base::ErrorCode::Internal, "pocketsphinx does not take its options");
    Recogniser made(ps_init(config));
    cmd_ln_free_r(config);
    if (!made.decoder_)
        return base::fail(base::ErrorCode::NotFound,
                          "pocketsphinx cannot read the speech model in " + model);
    if (!set_grammar(made.decoder_.get(), grammar)) {
        return base::fail(
            base::ErrorCode::InvalidArgument,
            "pocketsphinx does not take the grammar: every word has to stand in " + words);
    }
    return made;
}

std::optional<std::string> Recogniser::hear(std::span<const std::int16_t> pcm) {
    ps_decoder_t* decoder = decoder_.get();
    if (pcm.empty() || ps_start_utt(decoder) != 0) return std::nullopt;
    constexpr int kWholeUtterance = 1;
    const auto heard = with_noise(pcm);
    ps_process_raw(decoder, heard.data(), heard.size(), 0, kWholeUtterance);
    ps_end_utt(decoder);
    std::int32_t score = 0;
    const char* words = ps_get_hyp(decoder, &score);
    if (words == nullptr || *words == '\0') return std::nullopt;
    return std::string(words);
}

}  // namespace offhook::local_ai
