#include "model/account.h"

namespace offhook::model {

std::string_view name_of(AccountState state) noexcept {
    switch (state) {
        case AccountState::Connecting:
            return "connecting";
        case AccountState::Registering:
            return "registering";
        case AccountState::Registered:
            return "registered";
        case AccountState::Waiting:
            return "waiting";
        case AccountState::Failed:
            return "failed";
        case AccountState::Unregistered:
            break;
    }
    return "unregistered";
}

}  // namespace offhook::model
