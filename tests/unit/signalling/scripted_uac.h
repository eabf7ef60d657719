#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "model/signalling.h"
#include "signalling/sip/sip_stack.h"

namespace offhook::test {

using namespace std::chrono_literals;

/// The control thread of a test: the test itself, when it pumps.
class ControlQueue final : public base::Executor {
public:
    ControlQueue();
    ~ControlQueue() override;
    void post(std::function<void()> task) override;
    /// Runs what is queued.
    void run();
    [[nodiscard]] int fd() const { return fd_; }  ///< readable while tasks wait

private:
    int fd_;
    std::mutex mutex_;
    std::deque<std::function<void()>> tasks_;
};

/// Records every event as a line ("incoming", "answer_sent", "confirmed+sdp", "reoffer", "ended
/// caller-hangup", "placed", "progress 180", "progress 183+sdp", "accepted", "reoffer_done 200", "digit 5 160",
/// "info type body", "control 7", "control_done 3 200", "refer target", "transfer 200", "message body", "message_done 7 200").
class Recorder final : public model::SignallingEvents {
public:
    void on_incoming(model::IncomingCall call) override;
    void on_answer_sent(const model::CallId& id) override;
    void on_confirmed(const model::CallId& id, std::optional<model::RemoteSdp> answer) override;
    void on_reoffer(const model::CallId& id,
                    std::optional<model::RemoteSdp> offer,
                    std::uint32_t exchange) override;
    void on_ended(const model::CallId& id, model::CallEnd end) override;
    void on_placed(const model::CallId& id, model::PlacedCall call) override;
    void on_progress(const model::CallId& id,
                     int status,
                     std::optional<model::RemoteSdp> early) override;
    void on_accepted(const model::CallId& id, model::RemoteSdp answer) override;
    void on_reoffer_done(const model::CallId& id,
                         int status,
                         std::optional<model::RemoteSdp> answer) override;
    void on_info_digit(const model::CallId& id, char digit, unsigned duration_ms) override;
    void on_info(const model::CallId& id, std::string content_type, std::string body) override;
    void on_control_done(const model::CallId& id, std::uint64_t tag, int status) override;
    void on_control(const model::CallId& id, int command) override;
    void on_transfer_requested(const model::CallId& id, model::Transfer transfer) override;
    void on_transfer_progress(const model::CallId& id, int status) override;
    void on_message(model::TextMessage message) override;
    void on_message_done(std::uint64_t tag, int status) override;
    void on_account(model::AccountInfo account) override;

    std::vector<std::string> lines;
    std::vector<model::IncomingCall> calls;
    std::optional<model::RemoteSdp> last_sdp;  ///< of the newest reoffer or confirmed
    std::function<void(const model::IncomingCall&)> when_incoming;
    std::function<void(const model::CallId&, const std::optional<model::RemoteSdp>&, std::uint32_t)>
        when_reoffer;
    std::uint32_t last_exchange = 0;  ///< of the newest reoffer
    model::PlacedCall placed;         ///< the newest
    std::vector<model::CallEnd> ends;
    std::vector<model::Transfer> transfers;
    std::vector<model::TextMessage> messages;
    model::AccountInfo account;  ///< the newest
    [[nodiscard]] std::size_t count(std::string_view line) const;
    [[nodiscard]] bool saw(std::string_view line) const { return count(line) > 0; }
};

/// One parsed-by-hand message; good enough for tests and independent of libosip2.
struct Message {
    std::string text;

    [[nodiscard]] bool empty() const { return text.empty(); }
    [[nodiscard]] int status() const;          ///< 0 for a request
    [[nodiscard]] std::string method() const;  ///< of a request
    [[nodiscard]] std::string request_uri() const;
    /// Value of the `index`-th header of that name, without regard to case.
    [[nodiscard]] std::string header(std::string_view name, std::size_t index = 0) const;
    [[nodiscard]] std::string body() const;
    [[nodiscard]] std::string tag(std::string_view header_name) const;
};

/// A stack under test with its control queue and recorder; listens on loopback ports the kernel
/// chose.
class Bench {
public:
    explicit Bench(std::function<void(signalling::sip::SipSettings&)> change = {});
    ~Bench();

    [[nodiscard]] signalling::sip::SipStack& stack() { return *stack_; }
    [[nodiscard]] std::uint16_t port(std::string_view transport) const;
    /// Pumps the control queue until `done`; false after `limit`.
    bool wait(const std::function<bool()>& done, std::chrono::milliseconds limit = 5000ms);
    /// Waits for readability of `fd` while pumping. False after `limit`.
    bool wait_fd(int fd, std::chrono::milliseconds limit);
    /// From now on every call is answered at once, every re-offer too.
    void answer_all();
    /// An answer to `offer` (or an offer of ours) as the call room would make it.
    [[nodiscard]] static model::LocalSdp local_sdp(const std::optional<model::RemoteSdp>& offer,
                                                   std::uint64_t version = 1);

    ControlQueue control;
    Recorder events;

private:
    std::unique_ptr<signalling::sip::SipStack> stack_;
};

/// A SIP caller that says exactly what the test tells it to, over one UDP socket or TCP connection
/// on loopback.
class ScriptedUac {
public:
    enum class Over { Udp, Tcp };
    /// @param port  of the source; 0: the kernel chooses
    ScriptedUac(Bench& bench, Over over, std::string source = "127.0.0.1", std::uint16_t port = 0);
    ~ScriptedUac();
    ScriptedUac(const ScriptedUac&) = delete;
    ScriptedUac& operator=(const ScriptedUac&) = delete;

    void send(std::string_view text);
    /// The next message; empty after `limit`.
    Message receive(std::chrono::milliseconds limit = 5000ms);
    /// Reads until a response with `status` to the newest request comes, skipping provisional ones;
    /// empty after `limit`.
    Message expect(int status, std::chrono::milliseconds limit = 5000ms);
    /// Reads until a request with `method` comes.
    Message expect(std::string_view method, std::chrono::milliseconds limit = 5000ms);
    /// True when nothing at all comes for `span`.
    bool is_silent(std::chrono::milliseconds span);
    /// True when the other side closes the connection (TCP).
    bool is_closed(std::chrono::milliseconds limit = 5000ms);
    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] std::uint16_t local_port() const { return local_port_; }

    // dialog state, filled by call()
    std::string call_id, from_tag, to_tag, remote_contact, branch;
    std::uint32_t cseq = 0;
    int pongs = 0;                           ///< answers to keep-alives seen between messages
    std::vector<std::string> record_routes;  ///< put into the INVITE
    std::string contact;                     ///< instead of where the socket is
    std::string extra;                       ///< header lines for the next request, with CRLF

    /// A request of this dialog; a new branch unless `same_branch`. INVITE, OPTIONS and so on raise
    /// CSeq; ACK and CANCEL do not. `sdp` becomes the body.
    std::string request(std::string_view method,
                        std::string_view sdp = {},
                        bool same_branch = false);
    /// 200 to a request of the stack.
    void accept(const Message& request, int status = 200);
    /// Takes tag and Contact from a final response.
    void learn(const Message& response);
    /// INVITE with `sdp`, 200, ACK; returns the 200.
    Message call(std::string_view sdp);
    void new_call();

private:
    Bench& bench_;
    Over over_;
    int fd_ = -1;
    std::uint16_t local_port_ = 0;
    std::string source_;
    std::string stream_;
    bool at_end_ = false;
};

/// A TCP listener of the caller's side that reads what the first connection sends.
class TcpAcceptor {
public:
    TcpAcceptor();
    ~TcpAcceptor();
    TcpAcceptor(const TcpAcceptor&) = delete;
    TcpAcceptor& operator=(const TcpAcceptor&) = delete;
    [[nodiscard]] std::uint16_t port() const { return port_; }
    std::string first_bytes(Bench& bench, std::chrono::milliseconds limit = 5000ms);

private:
    int fd_;
    std::uint16_t port_ = 0;
};

/// SIPp's stock offer with the given version and direction.
std::string plain_offer(std::uint64_t version = 1,
                        std::string_view direction = "sendrecv",
                        std::string_view address = "127.0.0.1");

/// A browser's offer of ICE and DTLS-SRTP, made as long as one with many candidates and a video
/// line.
std::string web_offer(std::uint64_t version = 1, std::size_t least_bytes = 8 * 1024);

}  // namespace offhook::test
