#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace offhook::signalling::sip {

/// Cuts a byte stream into SIP messages by Content-Length (RFC 3261 §18.3) and answers RFC 5626
/// §4.4.1 keep-alives. Holds at most one incomplete message, at most `kMaxMessageBytes`.
class StreamFramer {
public:
    struct Step {
        enum class Kind {
            NeedMore,  ///< nothing complete yet
            Message,   ///< `text` is one whole message, valid until the next call
            Ping,      ///< CRLF CRLF: answer with CRLF
            Broken,    ///< the stream cannot be trusted any more: close it; `text` says why
        };
        Kind kind = Kind::NeedMore;
        std::string_view text;
    };

    void append(std::string_view bytes) { buffer_ += bytes; }
    [[nodiscard]] Step next();
    /// Takes the answer to a ping of ours (one CRLF, RFC 5626 §4.4.1) when it stands next; without
    /// this it counts as an empty line. True when it did.
    bool take_pong();
    /// True while part of a message waits for the rest; an empty line kept back is none.
    [[nodiscard]] bool is_partial() const {
        return buffer_.find_first_not_of("\r\n", taken_) != std::string::npos;
    }

private:
    void drop_taken();

    std::string buffer_;
    std::size_t taken_ = 0;    ///< bytes of `buffer_` already given out
    std::size_t scanned_ = 0;  ///< end of headers was not found before here
};

/// The value of Content-Length (or `l`) in a header section; empty when there is none or it is not
/// a number, or several disagree.
[[nodiscard]] std::optional<std::size_t> content_length_of(std::string_view headers);

}  // namespace offhook::signalling::sip
