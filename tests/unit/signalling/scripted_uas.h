#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scripted_uac.h"

namespace offhook::test {

/// The far end of an account over UDP on loopback: a registrar that accepts, and a phone behind it
/// that says exactly what the test tells it to.
class ScriptedUas {
public:
    using Headers = std::vector<std::pair<std::string, std::string>>;

    /// Gives the bench an account (user 200, password "secret") and accepts its REGISTER. An account
    /// of that name moves here.
    explicit ScriptedUas(Bench& bench, const std::string& account = "desk");
    ~ScriptedUas();
    ScriptedUas(const ScriptedUas&) = delete;
    ScriptedUas& operator=(const ScriptedUas&) = delete;

    /// Places a call of the bench to `to` and returns its INVITE.
    Message place(const std::string& to = "300",
                  std::chrono::seconds ring_timeout = std::chrono::seconds(60),
                  Headers headers = {});
    /// `place`, 200, and the ACK; returns the INVITE.
    Message call();
    [[nodiscard]] const model::CallId& id() const { return id_; }

    void send(std::string_view text);
    Message receive(std::chrono::milliseconds limit = 5000ms);
    /// Reads until a request with `method` comes; answers refreshes of the registration meanwhile.
    Message expect(std::string_view method, std::chrono::milliseconds limit = 5000ms);
    /// Reads until a response with `status` comes.
    Message expect(int status, std::chrono::milliseconds limit = 5000ms);
    [[nodiscard]] bool is_silent(std::chrono::milliseconds span);

    /// A response to a request of the bench with our Contact; a body of "application/sdp" when
    /// `sdp` is set.
    void reply(const Message& request,
               int status,
               std::string_view sdp = {},
               const std::string& tag = "uas",
               const Headers& headers = {});
    /// A request of ours inside the dialog that `invite` of the bench began.
    void request(const Message& invite,
                 std::string_view method,
                 const std::string& content_type = {},
                 std::string_view body = {},
                 const Headers& headers = {},
                 const std::string& tag = "uas");
    /// The ACK to our newest request, a re-INVITE.
    void acknowledge(const Message& invite, const std::string& tag = "uas");
    std::string branch;  ///< of our newest request
    int cseq = 0;        ///< of our newest request
    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    Message read(std::chrono::milliseconds limit);
    void write_request(const Message& invite,
                       std::string_view method,
                       const std::string& content_type,
                       std::string_view body,
                       const Headers& headers,
                       const std::string& tag);
    Bench& bench_;
    int fd_;
    std::uint16_t port_ = 0;
    std::uint16_t peer_port_ = 0;  ///< of the account's flow
    model::CallId id_;
    std::deque<Message> queued_;  ///< what came while the account registered
};

}  // namespace offhook::test
