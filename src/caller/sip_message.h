#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace offhook::caller {

/// A SIP request or response (RFC 3261 §7), taken apart as far as a caller needs.
struct SipMessage {
    bool is_response = false;
    int status = 0;           ///< responses: 100-699
    std::string reason;       ///< responses; not escaped
    std::string method;       ///< requests; of a response the method in CSeq
    std::string request_uri;  ///< requests
    std::uint32_t cseq = 0;
    std::string call_id;
    /// In order of appearance; names in lower case and long form, values unfolded and trimmed.
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;

    /// First header of that (lower-case, long) name; empty when there is none.
    [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
    /// All values of a header that may be a comma-separated list, in order.
    [[nodiscard]] std::vector<std::string> list(std::string_view name) const;
    /// The tag of From or To; empty when there is none.
    [[nodiscard]] std::string tag(std::string_view name) const;
    /// The branch of the topmost Via; empty when there is none.
    [[nodiscard]] std::string branch() const;
};

inline constexpr std::size_t kMaxSipBytes = 65535;
inline constexpr std::size_t kMaxSipHeaders = 128;

/// Parses one whole message: bounded, and with From, To, Call-ID, CSeq and Via present.
/// @errors Malformed
[[nodiscard]] base::Result<SipMessage> parse_sip(std::string_view datagram);

/// Cuts a TCP stream into messages by Content-Length (RFC 3261 §18.3).
class SipStream {
public:
    /// Appends what was read. @errors LimitReached when a message would be larger than
    /// kMaxSipBytes: the connection is of no further use
    [[nodiscard]] base::Result<void> feed(std::string_view bytes);
    /// The next whole message; empty when it is not complete yet.
    [[nodiscard]] std::optional<std::string> next();

private:
    std::string buffer_;
};

}  // namespace offhook::caller
