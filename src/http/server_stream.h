#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace offhook::http {

/// How an answer that goes on ended, when it was not by us.
enum class StreamEnd : std::uint8_t {
    Gone,  ///< the client left, or its connection broke
    Slow,  ///< it did not take what was written: the queue was full, or nothing went for too long
};

/// What of it a client may leave untaken.
inline constexpr std::size_t kMaxStreamQueueBytes = 256 * 1024;

/// An answer that goes on: written piece by piece until one side ends it, such as server-sent
/// events. @see Server::stream
/// @thread the server's
class ServerStream {
public:
    virtual ~ServerStream() = default;  ///< ends the answer
    ServerStream(const ServerStream&) = delete;
    ServerStream& operator=(const ServerStream&) = delete;

    /// Told once, from the loop, and never after the stream was destroyed; it may do that.
    virtual void on_ended(std::function<void(StreamEnd)> told) = 0;
    /// Queues `text`. False when it has ended, or the queue would hold more than
    /// kMaxStreamQueueBytes, which ends it.
    virtual bool write(std::string_view text) = 0;
    /// Written, and not taken by the kernel yet.
    [[nodiscard]] virtual std::size_t queue_bytes() const = 0;

protected:
    ServerStream() = default;
};

/// Who takes the streams of a path.
struct StreamHandler {
    std::string content_type = "text/event-stream";
    /// Before it is opened; an answer refuses it.
    std::function<std::optional<Response>(const Request&)> admit{};
    /// The head of the answer is on its way.
    std::function<void(const Request&, std::unique_ptr<ServerStream>)> open{};
};

}  // namespace offhook::http
