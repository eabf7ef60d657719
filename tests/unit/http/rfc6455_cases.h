#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace offhook::testing {

/// What a client sends after the handshake, and what has to come back.
struct Rfc6455Case {
    static constexpr int kOpen = -1;    ///< the connection stays open
    static constexpr int kNoCode = -2;  ///< it is closed by a frame without a code

    struct Answer {
        int opcode = 0;
        std::string payload;
    };
    std::string name;             ///< of letters and digits
    std::string bytes;            ///< sent
    std::vector<Answer> answers;  ///< in this order
    int ends = kOpen;             ///< or the code of the server's close frame
};

inline void PrintTo(const Rfc6455Case& test, std::ostream* out) {
    *out << test.name;
}

/// RFC 6455 §5, §7, §8 and the limits of this server (64 KiB), each rule as bytes.
[[nodiscard]] std::vector<Rfc6455Case> framing_cases();
[[nodiscard]] std::vector<Rfc6455Case> control_cases();
[[nodiscard]] std::vector<Rfc6455Case> fragment_cases();
[[nodiscard]] std::vector<Rfc6455Case> utf8_cases();
[[nodiscard]] std::vector<Rfc6455Case> close_cases();

}  // namespace offhook::testing
