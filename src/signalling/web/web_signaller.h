#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/executor.h"
#include "model/signalling.h"

namespace offhook::signalling::web {

/// By which door a peer came. Bounded: in `peer` and `from_user` of its call.
enum class Door : std::uint8_t { Whip, Whep, Browser, Channel };
[[nodiscard]] std::string_view name_of(Door door) noexcept;

/// Why a join or a new offer was not taken, as HTTP says it.
struct Refusal {
    int status = 500;
    std::string_view code = "internal";  ///< of a problem; bounded
    std::string detail;
    std::optional<std::chrono::seconds> retry_after;
};

/// The one table from the SIP status that the call room refuses with to HTTP.
[[nodiscard]] Refusal refusal_of(int sip_status,
                                 std::string detail,
                                 std::optional<std::chrono::seconds> retry_after);

/// One who joined, and hears what becomes of it. Its methods may come from within `join` and
/// `reoffer`.
class Peer {
public:
    /// Our description: to the join (`exchange` 0), or to a `reoffer`.
    virtual void on_answer(const std::string& sdp, std::uint32_t exchange) = 0;
    /// Of a join (`exchange` 0): there is no call, and nothing more comes. Of a `reoffer`: all stays
    /// as it was.
    virtual void on_refused(const Refusal& refusal, std::uint32_t exchange) = 0;
    /// We ended the call; nothing more comes.
    virtual void on_over(const model::CallEnd& why) = 0;

protected:
    ~Peer() = default;
};

/// The calls that web peers bring without SIP: WHIP, WHEP, our WebSocket. What is HTTP or JSON about
/// them is their endpoints' business.
///
///     endpoint --join, candidates, reoffer, leave--> WebSignaller --SignallingEvents--> calls
///     endpoint <--on_answer, on_refused, on_over---- WebSignaller <-----Signalling----- calls
///
/// Ends and sent answers are told from the loop, never from within a command.
/// @thread control
class WebSignaller final : public model::Signalling {
public:
    struct Join {
        Door door = Door::Browser;
        std::string to;                              ///< what `[[route]] to` is matched with
        std::string remote;                          ///< "127.0.0.1:50123"
        std::string user_agent;                      ///< not escaped
        std::string local_address;                   ///< numeric; may be empty
        std::string offer;                           ///< <= 32 KiB
        std::optional<model::ChannelPlace> place{};  ///< whose leg it is; empty: a call of its own
    };
    /// Both outlive this.
    WebSignaller(base::Executor& control, model::SignallingEvents& events)
        : control_(control), events_(events) {}

    /// A call comes in. @return its id; it may be over already, `peer` then knows
    model::CallId join(Join join, Peer& peer);
    void candidates(const model::CallId& id, std::vector<std::string> candidates, bool is_end);
    /// A new description of the peer. Ends in one `on_answer` or `on_refused` with the exchange.
    /// @return 0: one is under way, or the first is not answered: ask again later
    std::uint32_t reoffer(const model::CallId& id, std::string offer);
    /// The peer is gone: it hears nothing more.
    void leave(const model::CallId& id, model::CallEnd why);
    [[nodiscard]] std::size_t size() const { return calls_.size(); }

    // model::Signalling
    void ring(const model::CallId& /*id*/) override {}
    void answer(const model::CallId& id, model::LocalSdp sdp, std::uint32_t exchange) override;
    void reject(const model::CallId& id,
                int status,
                std::string reason_phrase,
                std::optional<std::chrono::seconds> retry_after,
                std::uint32_t exchange) override;
    void hangup(const model::CallId& id, model::CallEnd why, std::string reason_header) override;
    void set_draining(bool /*draining*/) override {}
    // These doors have no way for them: refused, as by a SIP peer that does not know the method.
    void reoffer(const model::CallId& id, model::LocalSdp sdp) override;
    void transfer(const model::CallId& id, model::Transfer transfer) override;
    void send_message(std::uint64_t tag, model::TextMessage message) override;

private:
    struct Call {
        Peer* peer = nullptr;
        bool is_answered = false;
        std::uint32_t last_exchange = 0;
        std::uint32_t open_exchange = 0;  ///< 0: none
    };
    [[nodiscard]] Call* find(const model::CallId& id);
    void tell_end(const model::CallId& id, model::CallEnd why);

    base::Executor& control_;
    model::SignallingEvents& events_;
    std::unordered_map<model::CallId, Call> calls_;
};

}  // namespace offhook::signalling::web
