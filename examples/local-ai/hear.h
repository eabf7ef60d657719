#pragma once

#include <string>
#include <vector>

#include "recogniser.h"

namespace offhook::local_ai {

struct HearOptions {
    std::vector<std::string> files;
    std::string grammar = "caller";
    std::string model = Recogniser::kModel;
    bool is_json = false;
};

/// `offhook-local-ai hear`: cuts each recording into utterances as it would cut a call, recognises
/// them and prints "FILE<tab>words|words". An utterance outside the grammar is "-".
/// @return exit code
[[nodiscard]] int run_hear(const HearOptions& options);

}  // namespace offhook::local_ai
