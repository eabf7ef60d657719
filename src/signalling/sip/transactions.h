#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "glib/timer.h"
#include "signalling/sip/flow.h"
#include "signalling/sip/osip.h"

namespace offhook::signalling::sip {

/// RFC 3261 §17.1.1.1 timers; shorter ones are for tests.
struct SipTimers {
    std::chrono::milliseconds t1{500};
    std::chrono::milliseconds t2{4000};
    std::chrono::milliseconds t4{5000};
};

/// What came to a request of ours.
struct Reply {
    /// 100-699; without a message 408 (none came in 64*T1) or 503 (it could not be sent).
    int status = 0;
    const osip_message_t* message = nullptr;  ///< valid during the call only; null: none came
    [[nodiscard]] bool is_final() const { return status >= 200; }
    [[nodiscard]] bool is_success() const { return status >= 200 && status < 300; }
};

/// libosip2's transaction machines behind hash tables of our own.
///
/// A live transaction is a libosip2 one of some 16 kB (it carries an SRV record), looked up by key
/// and executed alone. As soon as its last message only has to be repeated (non-INVITE server:
/// after the final answer, timer J; INVITE server: after the ACK to a non-2xx, timer I; INVITE
/// client: after our ACK to a non-2xx, timer D) it is *retired*: the machine is freed and the bytes
/// of that message, under 1 kB, stay until the timer ends. A 2xx ends an INVITE transaction at
/// once: the dialog repeats the 2xx or its ACK. On the server side its key stays for 64*T1 all the
/// same (RFC 6026 Accepted), so that a late copy of the INVITE is no new call.
///
/// Nothing here calls back while libosip2 executes, nor before `request` returned.
/// @thread sip
class Transactions {
public:
    /// How the sending side sees the world: used for everything a machine wants to send.
    using Send = std::function<bool(const Path&, std::string_view)>;
    /// Gets every provisional response of a request of ours, then one final.
    using OnReply = std::function<void(const Reply&)>;

    struct Limits {
        std::size_t max_live = 8192;
        std::size_t max_retired = 65536;
    };

    /// @param ticked  runs after each look at the timers, which may have sent, ended or forgotten
    /// something
    Transactions(GMainContext* context,
                 SipTimers timers,
                 Limits limits,
                 Send send,
                 std::function<void()> ticked);
    ~Transactions();
    Transactions(const Transactions&) = delete;
    Transactions& operator=(const Transactions&) = delete;

    enum class Match {
        None,      ///< belongs to no transaction
        Handled,   ///< a retransmission or an ACK: answered or absorbed
        Accepted,  ///< an INVITE that was answered 2xx: the dialog repeats that, if it still waits
    };
    /// Offers a request to the transactions that exist; takes the event when it matched.
    [[nodiscard]] Match match_request(const std::string& key, osip_event_t* event);
    /// The same for a response to a request of ours. One that came on a flow of another account, or
    /// on a listener to a request of an account, is nobody's: it may be a challenge by somebody who
    /// wants to learn a hash of the password.
    [[nodiscard]] Match match_response(osip_event_t* event, const Flow& came_on);

    /// Begins a server transaction and takes the event; the request stays valid until `respond`
    /// with a final status. Null when the bound on live transactions is reached (the event is
    /// freed).
    [[nodiscard]] const osip_message_t* begin(const std::string& key,
                                              const std::string& merge_key,
                                              osip_event_t* event,
                                              const Path& path);
    [[nodiscard]] bool is_live(const std::string& key) const { return servers_.contains(key); }
    /// True when another transaction, live or accepted, carries the same request by another way.
    [[nodiscard]] bool is_merged(const std::string& merge_key) const {
        return merges_.contains(merge_key);
    }
    /// The request of a live transaction that has not been answered finally; null otherwise.
    [[nodiscard]] const osip_message_t* request_of(const std::string& key) const;
    /// The request of a live transaction is never answered.
    void forget(const std::string& key);
    /// Sends `response`. @return its bytes; empty when the transaction is gone or the socket
    /// refused it
    std::string respond(const std::string& key, UniqueMessage response);

    /// Begins a client transaction, of INVITE or of another method; `message` has its top Via. A
    /// final non-2xx to INVITE is acknowledged here, a 2xx by the dialog.
    /// @return its key
    std::string request(UniqueMessage message, const Path& path, OnReply on_reply);
    /// Sends CANCEL for an INVITE of ours that has no final response (RFC 3261 §9.1). False when
    /// there is no such transaction.
    bool cancel(const std::string& key, const std::string& reason_header);
    /// Forgets a request of ours; nothing is reported for it any more.
    void abandon(const std::string& key);

    [[nodiscard]] std::size_t live() const { return servers_.size() + clients_.size(); }
    [[nodiscard]] std::size_t retired() const { return retired_.size(); }
    [[nodiscard]] std::uint64_t retransmissions() const { return retransmissions_; }

private:
    struct Machine;
    struct Retired {
        enum class Kind { Answered, Acknowledged, Accepted, AckSent };
        Kind kind = Kind::Answered;
        Path path;
        std::string message;  ///< what is sent again for each repetition; empty: nothing
        std::string merge_key;
    };
    struct Expiry {
        std::string key;
        std::int64_t until_ns = 0;
    };

    static int on_send(osip_transaction_t*, osip_message_t*, char*, int, int);
    static void on_kill(int type, osip_transaction_t*);
    static void on_final(int type, osip_transaction_t*, osip_message_t*);
    static void on_timeout(int type, osip_transaction_t*, osip_message_t*);
    static void on_provisional(int type, osip_transaction_t*, osip_message_t*);

    [[nodiscard]] static Machine& machine_of(osip_transaction_t* transaction);
    void execute(Machine& machine, osip_event_t* event);
    void settle(Machine& machine);
    void settle_client(Machine& machine);
    void keep(const std::string& key, Retired entry, std::chrono::milliseconds stay);
    void retire(Machine& machine, Retired::Kind kind, std::chrono::milliseconds stay);
    void erase(Machine& machine);
    void forget_merge(const std::string& merge_key);
    void forget_oldest();
    void report_failed();
    void tick();
    void keep_ticking();
    std::unique_ptr<Machine> make(osip_fsm_type_t type, osip_message_t& request, const Path& path);
    void run_due(std::unordered_map<std::string, std::unique_ptr<Machine>>& machines);

    GMainContext* context_;
    SipTimers timers_;
    Limits limits_;
    Send send_;
    std::function<void()> ticked_;
    osip_t* osip_ = nullptr;
    std::unordered_map<std::string, std::unique_ptr<Machine>> servers_;
    std::unordered_map<std::string, std::unique_ptr<Machine>> clients_;  ///< by branch
    std::unordered_map<std::string, std::size_t> merges_;
    std::unordered_map<std::string, Retired> retired_;
    /// In the order of retirement. Deadlines differ by kind: a short one may wait for a long one
    /// before it.
    std::deque<Expiry> expiries_;
    std::uint64_t retransmissions_ = 0;
    glib::Timer ticker_;
    std::vector<OnReply> failed_;  ///< requests that could not be sent, reported by `reporter_`
    glib::Timer reporter_;
    bool is_executing_ = false;  ///< guards the rule above
};

}  // namespace offhook::signalling::sip
