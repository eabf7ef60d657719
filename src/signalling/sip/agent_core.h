#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "glib/timer.h"
#include "model/signalling.h"
#include "signalling/sip/paths.h"
#include "signalling/sip/request_sender.h"
#include "signalling/sip/sip_counters.h"
#include "signalling/sip/sip_stack.h"
#include "signalling/sip/tcp_socket.h"
#include "signalling/sip/transactions.h"
#include "signalling/sip/udp_socket.h"
#include "signalling/sip/wire.h"

namespace offhook::signalling::sip {

/// A request that began a transaction, on its way through the user agent. Its message is gone as
/// soon as it is answered finally.
struct Request {
    const osip_message_t& message;
    const RequestKeys& keys;
    const Path& path;  ///< where answers go
    const Received& received;
};

/// What every part of the user agent works with: the settings, the sockets, the transactions, and
/// the ways to answer, to ask and to tell the call room. It knows no call.
/// @thread sip (construction and destruction: while the thread does not run)
class AgentCore {
public:
    /// @param flow_events  what the sockets report to
    AgentCore(GMainContext* context,
              SipSettings settings,
              base::Executor& control,
              model::SignallingEvents& events,
              SipCounters& counters,
              FlowEvents& flow_events);

    base::Result<void> listen();
    [[nodiscard]] std::vector<std::string> listeners() const;

    [[nodiscard]] GMainContext* context() const { return context_; }
    [[nodiscard]] const SipSettings& settings() const { return settings_; }
    [[nodiscard]] SipCounters& counters() const { return counters_; }
    [[nodiscard]] AccountPorts& accounts() { return accounts_; }
    [[nodiscard]] Transactions& transactions() { return transactions_; }
    [[nodiscard]] RequestSender& sender() { return sender_; }
    [[nodiscard]] Paths& paths() { return paths_; }
    [[nodiscard]] const Wire& wire() const { return wire_; }

    /// An answer of ours to a request that waits for one.
    struct Answer {
        int status = 200;
        std::string reason = {};  ///< empty: the standard phrase
        std::string to_tag = {};  ///< used when the request has none
        Headers headers = {};
        std::string content_type = {}, body = {};
    };
    /// A final answer outside a dialog (or 100); a To tag is made up.
    void respond(const Request& request, int status, Headers headers = {});
    /// @param transaction  key of a server transaction; nothing happens when it is gone
    /// @return the bytes, empty when they could not be sent
    std::string respond(const std::string& transaction, const Answer& answer);
    /// 503 with Retry-After.
    void respond_busy(const Request& request);

    /// Runs `event` on the control executor, after all that were posted before it.
    void post(std::function<void(model::SignallingEvents&)> event);

    /// Sends bytes again that were sent before (a 2xx, an ACK).
    void repeat(const Path& path, std::string_view bytes);
    void publish_sizes(std::size_t dialogs);

    // strangers: counted, and one log line a second at most
    [[nodiscard]] bool admit(const SocketAddress& from);
    void count_malformed(const SocketAddress& from, std::string_view why);
    /// Counts a message that cannot be read, and refuses it when it was a request.
    void refuse_unreadable(const Received& received, std::string_view why);

private:
    void tell_refused(const Request& request, int status);
    void log_soon();
    void flush_log();

    GMainContext* context_;
    SipSettings settings_;
    base::Executor& control_;
    model::SignallingEvents& events_;
    SipCounters& counters_;
    FlowEvents& flow_events_;
    const Wire wire_;
    AccountPorts accounts_;
    TcpTransport tcp_;
    std::vector<std::unique_ptr<UdpSocket>> udp_;
    std::vector<ListenSpec> listening_;
    Paths paths_;
    Transactions transactions_;
    RequestSender sender_;
    std::size_t dialogs_ = 0;
    std::uint64_t repeats_ = 0;  ///< of 2xx and ACK; the transactions count the rest

    std::uint64_t unlogged_malformed_ = 0;
    std::uint64_t unlogged_refused_ = 0;
    std::string last_malformed_;
    std::uint32_t refusals_ = 0;  ///< 400s to unreadable requests since the log line before
    glib::Timer log_timer_;
};

}  // namespace offhook::signalling::sip
