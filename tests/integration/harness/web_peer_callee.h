#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "harness/process.h"

namespace offhook::harness {

/// Registrar and far end of an account's calls on one bare UDP socket: every REGISTER is granted,
/// every offer is answered by a function of the test's. Its thread calls that function.
class WebCallee {
public:
    using Answer = std::function<std::string(const std::string& offer)>;
    explicit WebCallee(Answer answer);
    ~WebCallee();
    WebCallee(const WebCallee&) = delete;
    WebCallee& operator=(const WebCallee&) = delete;

    /// `[[account]]` "office" that is registered here and may call 1??, with web legs.
    [[nodiscard]] std::string account() const;
    /// Whether the call was ended by BYE.
    [[nodiscard]] bool was_hung_up() const { return was_hung_up_; }

private:
    void serve();
    [[nodiscard]] std::string response(const std::string& request);

    Answer answer_;
    int fd_ = -1, stop_fd_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> was_hung_up_{false};
    std::thread thread_;
};

}  // namespace offhook::harness
