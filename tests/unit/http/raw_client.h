#pragma once

#include <map>
#include <string>
#include <string_view>

namespace offhook::testing {

struct RawAnswer {
    int status = 0;                              ///< 0: the connection ended without an answer
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body;
};

/// A blocking TCP client that sends exactly the bytes it is given. Gives up after 10 s.
class RawClient {
public:
    explicit RawClient(const std::string& address);  ///< "127.0.0.1:5000"
    ~RawClient();
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    /// Sends everything, or as much as the other side takes before it closes.
    void send(std::string_view bytes);
    /// Says that nothing more will be sent.
    void finish();
    /// One answer; its body by Content-Length. `head`: an answer to HEAD, without a body.
    [[nodiscard]] RawAnswer read(bool head = false);
    /// Exactly `count` bytes; fewer when the connection ends before.
    [[nodiscard]] std::string bytes(std::size_t count);
    /// Whether the other side ended the connection, waiting for it.
    [[nodiscard]] bool ended();

private:
    int fd_ = -1;
    std::string pending_;
};

/// One request on a connection of its own; `extra` are header lines with \r\n.
[[nodiscard]] RawAnswer ask(const std::string& address,
                            const std::string& method,
                            const std::string& target,
                            const std::string& extra = {},
                            const std::string& body = {});

}  // namespace offhook::testing
