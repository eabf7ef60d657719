#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace offhook::cli {

/// Takes Transfer-Encoding: chunked off a stream (RFC 9112 §7.1).
class ChunkDecoder {
public:
    /// What of the content came with these bytes. @errors Malformed, for good
    [[nodiscard]] base::Result<std::string> feed(std::string_view bytes);
    [[nodiscard]] bool has_ended() const { return has_ended_; }

private:
    std::string pending_;
    std::size_t left_ = 0;  ///< of the chunk; its line end among it
    bool has_ended_ = false;
};

/// One event of a stream of server-sent events.
struct ServerEvent {
    std::string id;    ///< the last id that was sent; empty: none yet
    std::string type;  ///< empty: none
    std::string data;  ///< lines joined by \n
};

/// Reads text/event-stream (HTML, "Server-sent events"), however it is cut.
class SseReader {
public:
    /// @errors Malformed: a line of more than 1 MiB
    [[nodiscard]] base::Result<void> feed(std::string_view bytes);
    /// The next whole event; empty: more has to come.
    [[nodiscard]] std::optional<ServerEvent> next();
    [[nodiscard]] const std::string& last_id() const { return last_id_; }
    /// What the server asks for; 0: nothing.
    [[nodiscard]] int retry_ms() const { return retry_ms_; }

private:
    void take_line(std::string_view line);

    std::string pending_, type_, data_, last_id_;
    bool has_data_ = false;
    int retry_ms_ = 0;
    std::deque<ServerEvent> events_;
};

}  // namespace offhook::cli
