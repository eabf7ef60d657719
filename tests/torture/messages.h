#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace offhook::test {

/// What a user agent that is no registrar may do with a message.
struct Reaction {
    std::vector<int> statuses;   ///< the final answers that are right; empty: none is
    bool may_be_silent = false;  ///< dropping it, or closing the connection, is right as well
};

/// One message of RFC 4475, byte by byte as the RFC prints it.
struct TortureMessage {
    std::string_view name;     ///< the RFC's name: "wsinv"
    std::string_view section;  ///< "3.1.1.1"
    std::string bytes;
    Reaction datagram;  ///< over UDP; also over a WebSocket, where a frame is a message
    Reaction stream;    ///< over TCP and TLS, where Content-Length cuts the stream
};

/// All 49, in the order of the RFC.
[[nodiscard]] const std::vector<TortureMessage>& torture_messages();

/// The parts of the above, by chapter.
[[nodiscard]] std::vector<TortureMessage> valid_messages();      ///< 3.1.1
[[nodiscard]] std::vector<TortureMessage> invalid_messages();    ///< 3.1.2
[[nodiscard]] std::vector<TortureMessage> semantics_messages();  ///< 3.2 to 3.4

/// `text` with every line end made CRLF.
[[nodiscard]] std::string crlf(std::string_view text);
/// The body that most of the messages share, with its own address.
[[nodiscard]] std::string usual_sdp(std::string_view address);

[[nodiscard]] inline Reaction answered(std::vector<int> statuses) {
    return {std::move(statuses), false};
}
[[nodiscard]] inline Reaction answered_or_dropped(std::vector<int> statuses) {
    return {std::move(statuses), true};
}
[[nodiscard]] inline Reaction dropped() {
    return {{}, true};
}

}  // namespace offhook::test
