#include "model/ai_stats.h"

namespace offhook::model {

std::string_view name_of(AiState state) noexcept {
    switch (state) {
        case AiState::None:
            return "none";
        case AiState::BuiltIn:
            return "built-in";
        case AiState::Connecting:
            return "connecting";
        case AiState::Live:
            return "live";
        case AiState::Lost:
            return "lost";
        case AiState::Ended:
            return "ended";
    }
    return "none";
}

}  // namespace offhook::model
