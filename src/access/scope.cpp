#include "access/scope.h"

namespace offhook::access {

std::string_view name_of(Scope scope) noexcept {
    switch (scope) {
        case Scope::Read:
            return "read";
        case Scope::Operate:
            return "operate";
        case Scope::Listen:
            return "listen";
        case Scope::Barge:
            return "barge";
        case Scope::Debug:
            return "debug";
        case Scope::Admin:
            break;
    }
    return "admin";
}

std::optional<Scope> scope(std::string_view name) noexcept {
    for (const Scope each :
         {Scope::Read, Scope::Operate, Scope::Listen, Scope::Barge, Scope::Debug, Scope::Admin}) {
        if (name_of(each) == name) return each;
    }
    return std::nullopt;
}

}  // namespace offhook::access
