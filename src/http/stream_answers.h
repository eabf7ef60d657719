#pragma once

#include <libsoup/soup.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "glib/ref.h"
#include "glib/timer.h"
#include "http/server_stream.h"

namespace offhook::http {

/// The answers that go on. libsoup neither bounds what it is given to write, nor notices a client
/// that left while there is nothing to write, nor one that takes nothing: all three are looked for
/// here.
/// @thread control
class StreamAnswers {
public:
    /// @param patience  how long a client may take nothing of what waits
    /// @param cut       ends a connection at once
    StreamAnswers(GMainContext* context,
                  std::chrono::milliseconds patience,
                  std::function<void(GSocket*)> cut);
    /// All end; nobody is told.
    ~StreamAnswers();
    StreamAnswers(const StreamAnswers&) = delete;
    StreamAnswers& operator=(const StreamAnswers&) = delete;

    /// Begins the body of `message`, whose head is complete: chunked, or until the end of the
    /// connection for HTTP/1.0.
    [[nodiscard]] std::unique_ptr<ServerStream> begin(SoupServerMessage* message);
    [[nodiscard]] std::size_t size() const { return streams_.size(); }
    [[nodiscard]] std::uint64_t slow() const { return slow_; }  ///< that ended so, since the start

private:
    class Stream;
    class Handle;
    void look();

    glib::Ref<GMainContext> context_;
    const std::chrono::milliseconds patience_;
    const std::function<void(GSocket*)> cut_;
    std::vector<std::shared_ptr<Stream>> streams_;
    std::uint64_t slow_ = 0;
    glib::Timer timer_;
};

}  // namespace offhook::http
