#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/executor.h"
#include "model/signalling.h"
#include "model/wire_tap.h"
#include "signalling/sip/account_settings.h"

namespace offhook::signalling::sip {

/// What the SIP side can be told. Defaults are those of `[sip]`.
struct SipSettings {
    /// transport:address:port; port 0 lets the kernel choose.
    std::vector<std::string> listen{"udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"};
    /// Who gets service; called on the sip thread for each datagram and each new TCP connection.
    /// Empty: loopback only.
    std::function<bool(const sockaddr*)> allow;
    /// Host for Contact and Via; empty: the local address of the call's flow.
    std::string advertise;
    int dscp = 24;  ///< of every packet sent: CS3, signalling (RFC 4594 §4.1); 0-63
    std::string user_agent = "offhook/" OFFHOOK_VERSION;
    std::chrono::milliseconds t1{500};  ///< RFC 3261 §17.1.1.1; shorter only in tests
    std::chrono::milliseconds t2{4000};
    std::chrono::milliseconds t4{5000};
    /// RFC 4028: what we ask for, and the shortest we accept. 0: no session timer of our own.
    std::chrono::seconds session_expires{1800};
    std::chrono::seconds min_session_expires{90};
    std::chrono::seconds retry_after{5};   ///< in a 503 of our own
    std::size_t max_calls = 10'000;        ///< at once; 503 beyond (the call room's limit is lower)
    std::size_t max_transactions = 8'192;  ///< live ones; beyond it requests are dropped
    std::size_t max_connections = 1'024;   ///< TCP
    std::size_t max_connections_per_source = 256;
    std::chrono::milliseconds tcp_idle{600'000};
    std::chrono::milliseconds tcp_incomplete{30'000};
    model::SipWireTap wire_tap{};  ///< null: nobody watches
};

/// Totals since the start; the last three are current values.
struct SipStats {
    std::uint64_t malformed = 0;  ///< messages that were no SIP, lacked a header or broke a bound
    std::uint64_t refused_sources = 0;  ///< datagrams and connections from outside `allow`
    std::uint64_t retransmissions = 0;  ///< messages that we sent again
    std::uint64_t dropped = 0;          ///< requests not taken because a bound was reached
    std::uint64_t requests = 0;         ///< of any method, without retransmissions
    std::uint64_t invites = 0;          ///< new ones, without re-INVITEs
    std::uint64_t invites_answered = 0;
    std::uint64_t invites_rejected = 0;  ///< by the call room or by ourselves
    std::uint64_t invites_cancelled = 0;
    std::uint64_t ack_timeouts = 0;
    std::uint64_t dialogs = 0;       ///< now
    std::uint64_t transactions = 0;  ///< now; also finished ones whose answer may be asked again
    std::uint64_t connections = 0;   ///< TCP, now
    /// New INVITEs refused before the call room saw them, by reason; only reasons that happened.
    std::vector<std::pair<model::EndReason, std::uint64_t>> refused_invites{};
};

/// The SIP side of phone legs: a user agent server (RFC 3261) on its own thread `oh-sip` with its
/// own main context.
///
/// Calls are named by `model::CallId`; no pointer to a call leaves the thread. Messages that need
/// no call (OPTIONS, wrong methods, garbage) are answered or dropped here. What the call room has
/// to know comes through `SignallingEvents`, each on the `control` executor, in the order in which
/// it happened.
class SipStack final : public model::Signalling {
public:
    /// Binds all listeners and starts the thread.
    /// @param control  where events run; must outlive the stack
    /// @param events   must outlive the last task posted to `control`
    /// @errors  InvalidArgument for a listen entry that does not parse, Io when an address cannot
    /// be bound
    [[nodiscard]] static base::Result<std::unique_ptr<SipStack>> start(
        SipSettings settings, base::Executor& control, model::SignallingEvents& events);
    /// `stop()` without grace.
    ~SipStack() override;
    SipStack(const SipStack&) = delete;
    SipStack& operator=(const SipStack&) = delete;

    /// "udp:127.0.0.1:5060", with the ports the kernel gave. @thread any
    [[nodiscard]] std::vector<std::string> listeners() const;
    /// Relaxed reads; numbers of one call need not belong to the same instant. @thread any
    [[nodiscard]] SipStats counters() const;

    /// Registers these accounts and no others from now on; calls of accounts that change go on.
    /// `SignallingEvents::on_account` tells how each fares. Nothing happens while draining.
    /// @thread any
    void set_accounts(std::vector<AccountSettings> accounts);
    /// Adds one account, or gives it new settings: it leaves its registrar and registers anew.
    /// @thread any
    void set_account(AccountSettings account);
    /// @thread any
    void remove_account(std::string name);

    /// Ends all calls that are left (480 or BYE, `EndReason::Drained`), then all registrations,
    /// waits up to `grace` for answers to our BYEs and REGISTERs and for ACKs that a BYE waits
    /// for, sends those BYEs all the same, and joins the thread. Nothing is posted to `control`
    /// after it returned.
    /// Can be called twice.
    /// @thread control
    void stop(std::chrono::milliseconds grace = std::chrono::milliseconds(500));

    // model::Signalling, @thread any
    void ring(const model::CallId& id) override;
    void answer(const model::CallId& id, model::LocalSdp sdp, std::uint32_t exchange = 0) override;
    void reject(const model::CallId& id,
                int status,
                std::string reason_phrase,
                std::optional<std::chrono::seconds> retry_after = std::nullopt,
                std::uint32_t exchange = 0) override;
    void hangup(const model::CallId& id,
                model::CallEnd why,
                std::string reason_header = {}) override;
    void set_draining(bool draining) override;
    void place_call(model::OutgoingCall call) override;
    void reoffer(const model::CallId& id, model::LocalSdp sdp) override;
    void transfer(const model::CallId& id, model::Transfer transfer) override;
    void accept_transfer(const model::CallId& id, const model::CallId& placed) override;
    void refuse_transfer(const model::CallId& id, int status) override;
    void send_info_digits(const model::CallId& id, std::string digits) override;
    void send_info(const model::CallId& id, std::string content_type, std::string body) override;
    void order_control(const model::CallId& id,
                       std::uint64_t tag,
                       model::ControlOrder order) override;
    void send_message(std::uint64_t tag, model::TextMessage message) override;

private:
    class Impl;
    explicit SipStack(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace offhook::signalling::sip
