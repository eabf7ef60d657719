#include "sdp/detail/setup.h"

#include <array>

#include "sdp/detail/text.h"

namespace offhook::sdp::detail {

std::optional<Setup> parse_setup(std::string_view value) noexcept {
    const std::string_view name = take(value);
    for (const Setup setup : std::array{Setup::ActPass, Setup::Active, Setup::Passive}) {
        if (same(name, name_of(setup))) return setup;
    }
    return std::nullopt;
}

std::string_view name_of(Setup setup) noexcept {
    switch (setup) {
        case Setup::ActPass:
            return "actpass";
        case Setup::Active:
            return "active";
        case Setup::Passive:
            break;
    }
    return "passive";
}

}  // namespace offhook::sdp::detail
