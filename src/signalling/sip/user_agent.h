#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/executor.h"
#include "model/signalling.h"
#include "signalling/sip/dialog.h"
#include "signalling/sip/sip_stack.h"
#include "signalling/sip/tcp_socket.h"
#include "signalling/sip/transactions.h"
#include "signalling/sip/udp_socket.h"

namespace offhook::signalling::sip {

/// Written by the sip thread only (relaxed), read by anybody.
struct SipCounters {
    using Cell = std::atomic<std::uint64_t>;
    Cell malformed{0}, refused_sources{0}, retransmissions{0}, dropped{0}, requests{0};
    Cell invites{0}, invites_answered{0}, invites_rejected{0}, invites_cancelled{0},
        ack_timeouts{0};
    Cell dialogs{0}, transactions{0}, connections{0};

    static void count(Cell& cell) noexcept { set(cell, cell.load(std::memory_order_relaxed) + 1); }
    static void set(Cell& cell, std::uint64_t value) noexcept {
        cell.store(value, std::memory_order_relaxed);
    }
};

/// The user agent server: takes messages from the flows, keeps the dialogs, and does what the call
/// room asks. A request goes: flow -> on_message -> transactions (a retransmission ends there) ->
/// dispatch -> one on_* method.
/// @thread sip (construction and destruction: while the thread does not run)
class UserAgent final : public FlowEvents {
public:
    UserAgent(GMainContext* context,
              SipSettings settings,
              base::Executor& control,
              model::SignallingEvents& events,
              SipCounters& counters);
    ~UserAgent() override;

    base::Result<void> listen();
    [[nodiscard]] std::vector<std::string> listeners() const;

    void ring(const model::CallId& id);
    void answer(const model::CallId& id, const model::LocalSdp& sdp);
    void reject(const model::CallId& id,
                int status,
                const std::string& reason_phrase,
                std::optional<std::chrono::seconds> retry_after);
    void hangup(const model::CallId& id,
                const model::CallEnd& why,
                const std::string& reason_header);
    void set_draining(bool draining) { is_draining_ = draining; }
    /// Ends every call; runs `done` once our BYEs are answered, or after `grace`.
    void shut_down(std::chrono::milliseconds grace, std::function<void()> done);

    // FlowEvents
    void on_message(const Received& received) override;
    void on_malformed(const SocketAddress& from, std::string_view why) override;
    bool admit(const SocketAddress& from) override;
    void on_connections(std::size_t open) override {
        SipCounters::set(counters_.connections, open);
    }

private:
    /// A request that began a transaction, on its way through `dispatch`.
    struct Request {
        const osip_message_t& message;
        const RequestKeys& keys;
        const Path& path;
        const Received& received;
    };
    using Headers = std::vector<std::pair<const char*, std::string>>;

    void dispatch(const Request& request);
    void on_invite(const Request& request);
    void on_reinvite(Dialog& dialog, const Request& request);
    void on_bye(Dialog& dialog, const Request& request);
    void on_cancel(const Request& request);
    void on_options(const Request& request);
    void on_info(const Request& request);
    void on_ack(const RequestKeys& keys, const osip_message_t& ack);
    void in_dialog(Dialog& dialog, const Request& request);
    /// Repeats the 200 when the INVITE is one whose transaction ended with it. True when it was.
    bool repeat_answer(const RequestKeys& keys);
    /// The offer of an INVITE, if it has one. False when it cannot be used: the final answer is
    /// sent then.
    [[nodiscard]] bool read_offer(const Request& request, std::optional<model::RemoteSdp>& offer);

    void respond(const Request& request,
                 int status,
                 const Headers& headers = {},
                 const std::string& to_tag = {});
    /// @return the bytes, empty when they could not be sent
    std::string respond(const std::string& transaction,
                        int status,
                        std::string_view reason,
                        const std::string& to_tag,
                        const Headers& headers,
                        const std::string& sdp = {});
    /// The transaction of the INVITE that waits; nothing waits after it.
    std::string take_pending(Dialog& dialog);
    void send_answer(Dialog& dialog, const std::string& sdp);
    void repeat_later(Dialog& dialog);
    void ack_timed_out(Dialog& dialog);
    /// Sends every BYE that RFC 3261 §15 holds back until an ACK: nobody will be here to send it
    /// later, and the peer would stay in a call with nobody.
    void stop_waiting_for_acks();
    /// Reports the end, once.
    void report_end(Dialog& dialog, model::CallEnd end);
    void send_bye(Dialog& dialog, const std::string& reason);
    [[nodiscard]] Path path_for(const Dialog& dialog) const;
    /// Sends on the flow or, when a TCP connection is gone, on a new one (RFC 3261 §18.2.2).
    bool deliver(const Path& path, std::string_view bytes);

    Dialog& add(Dialog dialog);
    void erase(Dialog& dialog);
    [[nodiscard]] Dialog* find(const model::CallId& id);
    [[nodiscard]] Dialog* find(const std::string& key);
    [[nodiscard]] std::string contact_for(const Flow& flow) const;
    [[nodiscard]] std::string host_for(const SocketAddress& local) const;
    void post(std::function<void(model::SignallingEvents&)> event);
    void publish_sizes();
    void flush_log();
    /// Counts a message that cannot be read, and refuses it when it was a request.
    void refuse_unreadable(const Received& received, std::string_view why);

    GMainContext* context_;
    SipSettings settings_;
    base::Executor& control_;
    model::SignallingEvents& events_;
    SipCounters& counters_;
    TcpTransport tcp_;
    std::vector<std::unique_ptr<UdpSocket>> udp_;
    std::vector<ListenSpec> listening_;
    Transactions transactions_;

    std::unordered_map<std::string, std::unique_ptr<Dialog>> dialogs_;  ///< by Dialog::key
    std::unordered_map<model::CallId, Dialog*> by_id_;
    std::unordered_map<std::string, Dialog*> by_transaction_;  ///< pending or answered INVITE
    std::unordered_map<std::string, Dialog*> by_merge_key_;    ///< first INVITE
    bool is_draining_ = false;
    std::uint64_t repeats_ = 0;  ///< 200s sent again; the transactions count the rest

    // one log line a second at most for what strangers send
    std::uint64_t unlogged_malformed_ = 0;
    std::uint64_t unlogged_refused_ = 0;
    std::string last_malformed_;
    std::uint32_t refusals_ = 0;  ///< 400s to unreadable requests since the log line before
    glib::Timer log_timer_;

    std::function<void()> shut_down_done_;
    glib::Timer shut_down_timer_;
};

}  // namespace offhook::signalling::sip
