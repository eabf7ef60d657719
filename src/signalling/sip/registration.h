#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/account.h"
#include "signalling/sip/retry_schedule.h"

namespace offhook::signalling::sip {

/// Which of an account's two ways to its registrar.
enum class Proxy : std::uint8_t { Primary, Backup };
/// "primary", "backup"
[[nodiscard]] std::string_view name_of(Proxy proxy) noexcept;

/// Names one flow of one account; 0 is none.
using FlowId = std::uint64_t;

/// The end of one REGISTER, challenges already answered. Texts are escaped.
struct RegisterAnswer {
    enum class Refusal : std::uint8_t {
        None,           ///< the status says all
        WrongPassword,  ///< challenged again after the answer
        NoAnswerToIt,   ///< a challenge that we cannot answer
    };
    int status = 0;        ///< 200-699
    std::string phrase{};  ///< of the status line
    Refusal refusal = Refusal::None;
    std::string detail{};                           ///< of a refusal
    std::optional<std::chrono::seconds> granted{};  ///< 2xx: for our Contact; 0 when it is missing
    std::optional<std::chrono::seconds> retry_after{};  ///< Retry-After
    std::optional<std::chrono::seconds> min_expires{};  ///< 423
};

/// What the registration asks of its surroundings. None of these may call back into it before it
/// returned.
class RegistrationActions {
public:
    virtual ~RegistrationActions() = default;
    /// Ends in `on_flow_open` or `on_flow_closed` with this id.
    virtual void open_flow(FlowId id, Proxy proxy) = 0;
    virtual void close_flow(FlowId id) = 0;
    /// Sends REGISTER; `expires` 0 removes our contact. Forgets an earlier one on any flow. Ends in
    /// `on_answer` or in nothing.
    virtual void send_register(FlowId id, std::chrono::seconds expires) = 0;
    /// Nobody waits for the REGISTER under way any more.
    virtual void forget_register() = 0;
    /// Something that `Registration` shows has changed.
    virtual void on_change() = 0;
};

/// How one account gets registered and stays so, without sockets and clocks of its own: events come
/// in with their time, `RegistrationActions` go out.
///
///     try_at -> [pacer] -> flow -> REGISTER -> 2xx -> refresh at 50-85 % of what was granted
///                 ^          |         |
///                 +-- later -+---------+  RetrySchedule, Retry-After, or the reason's own delay
///
/// - A flow that closes, no answer in `kAnswerNs`, 408 and 5xx: RetrySchedule. A connection that
///   does not answer is closed first; a UDP socket is kept, because dialogs name its port, and
///   changed after `kUdpTries`.
/// - With a backup proxy: after `kTriesOnProxy` failures on one the other is tried; a 503 changes
///   over at once. On the backup the primary is tried beside it every `switch_back`; the flow in
///   use is closed only after the new one is registered.
/// - 401/407 that the password does not satisfy, 403 and 404: after `kRefusals` in a row `Failed`,
///   and one try every `kFailedPauseNs`.
/// - 603: a try after 60-120 s. 423: at once with what is asked. Any other status: 30-60 s.
/// @thread sip; all times CLOCK_MONOTONIC, nanoseconds
class Registration {
public:
    struct Plan {
        std::string user, domain;  ///< for sentences only
        std::chrono::seconds expires{300};
        std::chrono::seconds switch_back{300};
        bool has_backup = false;
        bool is_connection = true;  ///< everything but UDP
    };
    Registration(Plan plan, RegistrationActions& actions, RegisterPacer& pacer, std::uint64_t seed);

    // inputs
    void start(std::int64_t now_ns);
    void on_flow_open(std::int64_t now_ns, FlowId id);
    void on_flow_closed(std::int64_t now_ns, FlowId id, const std::string& why);
    void on_answer(std::int64_t now_ns, FlowId id, const RegisterAnswer& answer);
    /// Our Contact on this flow is another than the one that was registered: says so soon.
    void on_contact_changed(std::int64_t now_ns, FlowId id);
    /// To be called at `next_ns`; earlier does nothing.
    void tick(std::int64_t now_ns);
    /// Removes our contact, for at most `grace`, then is over; the flow stays open.
    void stop(std::int64_t now_ns, std::chrono::milliseconds grace);

    // what it shows
    /// When `tick` has something to do; empty: only an input can change anything.
    [[nodiscard]] std::optional<std::int64_t> next_ns() const;
    [[nodiscard]] model::AccountState state() const { return state_; }
    [[nodiscard]] bool is_registered() const { return state_ == model::AccountState::Registered; }
    [[nodiscard]] bool is_over() const { return state_ == model::AccountState::Unregistered; }
    [[nodiscard]] Proxy proxy() const { return main_.proxy; }
    /// The flow in use, open or on its way; 0: none.
    [[nodiscard]] FlowId flow() const { return main_.id; }
    [[nodiscard]] std::int64_t registered_ns() const { return registered_ns_; }  ///< 0: not now
    [[nodiscard]] std::int64_t expires_ns() const { return expires_ns_; }        ///< 0: not now
    [[nodiscard]] std::int64_t next_try_ns() const { return try_ns_.value_or(0); }
    [[nodiscard]] int last_status() const { return last_status_; }
    [[nodiscard]] const std::string& last_answer() const { return last_answer_; }
    [[nodiscard]] std::uint64_t registrations() const { return registrations_; }
    [[nodiscard]] std::uint64_t failures() const { return failures_; }
    [[nodiscard]] std::uint64_t flow_losses() const { return flow_losses_; }

    static constexpr std::int64_t kAnswerNs = 5'000'000'000;
    static constexpr std::int64_t kFailedPauseNs = 1'800'000'000'000;
    /// An outage is over once a registration lasted this long; before, its count goes on.
    static constexpr std::int64_t kSteadyNs = 10'000'000'000;
    static constexpr int kRefusals = 3;
    static constexpr int kTriesOnProxy = 2;
    static constexpr int kUdpTries = 4;
    static constexpr std::chrono::seconds kMaxExpires{86'400};
    static constexpr std::chrono::seconds kMaxRetryAfter{3'600};

private:
    struct Way {
        FlowId id = 0;
        Proxy proxy = Proxy::Primary;
        bool is_open = false;
        std::int64_t began_ns = 0;                 ///< of the try under way, or the last one
        std::optional<std::int64_t> answer_by_ns;  ///< set while a REGISTER is under way
    };

    void set_state(model::AccountState state);
    void try_now(std::int64_t now_ns);
    void open(Way& way, Proxy proxy, std::int64_t now_ns);
    void ask(Way& way, std::int64_t now_ns);
    void drop(Way& way);
    void no_answer(std::int64_t now_ns);
    void succeed(std::int64_t now_ns, const RegisterAnswer& answer);
    void refuse(std::int64_t now_ns, const RegisterAnswer& answer);
    /// Nobody there, or in trouble: tries again as `RetrySchedule` says.
    void retry(std::int64_t now_ns, int status, std::string why);
    void wait(std::int64_t now_ns, std::int64_t until_ns);
    void unavailable(std::int64_t now_ns, const RegisterAnswer& answer);
    /// The binding is gone, or we must assume so.
    void lose();
    [[nodiscard]] Proxy other() const;
    [[nodiscard]] std::int64_t& blocked_ns(Proxy proxy);
    void candidate_failed(std::int64_t now_ns);
    void begin_switch_back(std::int64_t now_ns);

    Plan plan_;
    RegistrationActions& actions_;
    RegisterPacer& pacer_;
    RetrySchedule schedule_;

    model::AccountState state_ = model::AccountState::Connecting;
    Way main_;
    Way candidate_;  ///< the primary, while the backup is in use
    FlowId last_id_ = 0;
    std::chrono::seconds expires_;  ///< asked; grows by 423

    std::optional<std::int64_t> try_ns_;     ///< next REGISTER or flow
    std::optional<std::int64_t> switch_ns_;  ///< next try of the primary
    std::optional<std::int64_t> stop_by_ns_;
    bool has_slot_ = false;  ///< `try_ns_` came from the pacer
    bool is_stopping_ = false;
    std::int64_t primary_blocked_ns_ = 0, backup_blocked_ns_ = 0;  ///< Retry-After
    int failures_on_proxy_ = 0;
    int unanswered_ = 0;
    int refusals_ = 0;
    int too_brief_ = 0;

    std::int64_t registered_ns_ = 0, expires_ns_ = 0;
    int last_status_ = 0;
    std::string last_answer_;
    std::uint64_t registrations_ = 0, failures_ = 0, flow_losses_ = 0;
};

}  // namespace offhook::signalling::sip
