#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "signalling/sip/accounts.h"
#include "signalling/sip/agent_core.h"
#include "signalling/sip/call_answers.h"
#include "signalling/sip/call_control.h"
#include "signalling/sip/call_info.h"
#include "signalling/sip/call_table.h"
#include "signalling/sip/incoming_calls.h"
#include "signalling/sip/placed_calls.h"
#include "signalling/sip/renegotiation.h"
#include "signalling/sip/session_timers.h"
#include "signalling/sip/text_messages.h"
#include "signalling/sip/transfers.h"

namespace offhook::signalling::sip {

/// The user agent: takes messages from the flows, finds whose they are, and hands the commands of
/// the call room to the part that does them. A request goes: flow -> on_message -> transactions (a
/// retransmission ends there) -> dispatch -> one on_* method of one part.
/// @thread sip (construction and destruction: while the thread does not run)
class UserAgent final : public FlowEvents {
public:
    UserAgent(GMainContext* context,
              SipSettings settings,
              base::Executor& control,
              model::SignallingEvents& events,
              SipCounters& counters);
    ~UserAgent() override;

    base::Result<void> listen() { return core_.listen(); }
    [[nodiscard]] std::vector<std::string> listeners() const { return core_.listeners(); }

    void ring(const model::CallId& id);
    void answer(const model::CallId& id, const model::LocalSdp& sdp, std::uint32_t exchange);
    void reject(const model::CallId& id,
                int status,
                const std::string& reason_phrase,
                std::optional<std::chrono::seconds> retry_after,
                std::uint32_t exchange);
    void hangup(const model::CallId& id,
                const model::CallEnd& why,
                const std::string& reason_header);
    void place_call(const model::OutgoingCall& call);
    void reoffer(const model::CallId& id, const model::LocalSdp& sdp);
    void transfer(const model::CallId& id, const model::Transfer& transfer);
    void accept_transfer(const model::CallId& id, const model::CallId& placed);
    void refuse_transfer(const model::CallId& id, int status);
    void send_info_digits(const model::CallId& id, const std::string& digits);
    void send_info(const model::CallId& id,
                   const std::string& content_type,
                   const std::string& body);
    void order_control(const model::CallId& id,
                       std::uint64_t tag,
                       const model::ControlOrder& order) {
        control_.order(id, tag, order);
    }
    void send_message(std::uint64_t tag, const model::TextMessage& message);
    void set_draining(bool draining);
    [[nodiscard]] Accounts& accounts() { return accounts_; }
    /// Ends every call and every registration; runs `done` once our BYEs and REGISTERs are
    /// answered, or after `grace`.
    void shut_down(std::chrono::milliseconds grace, std::function<void()> done);

    // FlowEvents
    void on_message(const Received& received) override;
    void on_malformed(const SocketAddress& from, std::string_view why) override {
        core_.count_malformed(from, why);
    }
    bool admit(const SocketAddress& from) override {
        return accounts_.is_proxy(from) || core_.admit(from);
    }
    void on_connections(std::size_t open) override {
        SipCounters::set(core_.counters().connections, open);
    }

private:
    void on_request(const Received& received, glib::Unique<osip_event_t, osip_event_free> event);
    void dispatch(const Request& request);
    void in_dialog(SipCall& call, const Request& request);
    void on_bye(SipCall& call, const Request& request);
    void on_cancel(const Request& request);
    void on_options(const Request& request);
    void on_ack(const RequestKeys& keys, const osip_message_t& ack);
    void on_moved(AccountPort& account);
    /// Answers what no part of ours may see: versions, methods, schemes, extensions that we do not
    /// know. False: it is answered.
    bool check(const Request& request);
    /// A request outside any dialog.
    void outside(const Request& request);

    AgentCore core_;
    Accounts accounts_;
    CallTable calls_;
    SessionTimers sessions_;
    CallAnswers answers_;
    CallControl control_;
    IncomingCalls incoming_;
    PlacedCalls placed_;
    Renegotiation renegotiation_;
    Transfers transfers_;
    CallInfo info_;
    TextMessages messages_;
    bool is_draining_ = false;
    glib::Timer shut_down_timer_;
};

}  // namespace offhook::signalling::sip
