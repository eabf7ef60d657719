#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "caller/arrival_clock.h"
#include "caller/endpoint.h"
#include "caller/file_descriptor.h"
#include "caller/sip_dialog.h"
#include "caller/sip_message.h"

namespace offhook::caller {

/// The one socket that all calls of a run signal over: UDP, or one TCP connection. Never waits once
/// created.
/// @thread one
class SipTransport final : public SipOut {
public:
    class Listener {
    public:
        virtual ~Listener() = default;
        virtual void on_sip(std::string_view text,
                            const Endpoint& from,
                            std::int64_t arrival_ns) = 0;
        /// The way to `to` is broken (unset: the whole transport).
        virtual void on_sip_failure(const Endpoint& to, const std::string& why) = 0;
    };

    /// Opens the socket; TCP connects and waits for that at most 5 s.
    /// @param local address to bind; unset: the one the kernel would use
    /// @errors Unavailable "nothing listens on …", Io
    [[nodiscard]] static base::Result<std::unique_ptr<SipTransport>> create(const Endpoint& peer,
                                                                            bool is_tcp,
                                                                            const Endpoint& local);

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    [[nodiscard]] const Endpoint& local() const noexcept { return local_; }
    void send(const std::string& text, const Endpoint& to) override;
    /// Reads all there is and reports it.
    void receive(const ArrivalClock& clock, Listener& listener);
    /// Bytes wait for the TCP connection to take them: watch EPOLLOUT and call `flush`.
    [[nodiscard]] bool has_backlog() const noexcept { return !backlog_.empty(); }
    void flush();
    [[nodiscard]] bool is_open() const noexcept { return is_open_; }

private:
    SipTransport(FileDescriptor fd, const Endpoint& peer, const Endpoint& local, bool is_tcp);
    void receive_udp(const ArrivalClock& clock, Listener& listener);
    void receive_tcp(const ArrivalClock& clock, Listener& listener);
    void read_errors(Listener& listener);

    FileDescriptor fd_;
    Endpoint peer_, local_;
    bool is_tcp_;
    bool is_open_ = true;
    std::string backlog_;
    SipStream stream_;
    std::array<char, kMaxSipBytes + 1> buffer_{};
};

}  // namespace offhook::caller
