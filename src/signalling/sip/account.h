#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/account.h"
#include "signalling/sip/account_port.h"
#include "signalling/sip/account_settings.h"
#include "signalling/sip/client_flow.h"
#include "signalling/sip/paths.h"
#include "signalling/sip/register_client.h"
#include "signalling/sip/registrar_lookup.h"
#include "signalling/sip/registration.h"

namespace offhook::signalling::sip {

/// One `[[account]]` at work: its settings, the flow it keeps open, the registration on it and the
/// answers to challenges.
///
/// `Registration` decides what happens and when; this does it: looks names up, opens flows, sends
/// REGISTER, and removes a contact that another one replaced.
/// @thread sip
class Account final : public AccountPort, private RegistrationActions, private ClientFlowEvents {
public:
    /// What all accounts share. Everything outlives them.
    struct Surroundings {
        GMainContext* context = nullptr;
        Transactions* transactions = nullptr;
        ClientFlows* flows = nullptr;
        Paths* paths = nullptr;
        RegisterPacer* pacer = nullptr;
        std::string user_agent;
        /// What `info` says, or `next_ns`, has changed.
        std::function<void(Account&)> on_change;
        /// A flow to this address opened, or went.
        std::function<void(const SocketAddress&, bool is_open)> on_proxy;
    };
    Account(AccountSettings settings, const Surroundings& surroundings, std::uint64_t seed);
    ~Account() override;
    Account(const Account&) = delete;
    Account& operator=(const Account&) = delete;

    void start(std::int64_t now_ns);
    /// Removes our contact from the registrar, for at most `grace`; the flow stays open, for calls
    /// that go on.
    void stop(std::int64_t now_ns, std::chrono::milliseconds grace);
    void tick(std::int64_t now_ns);
    [[nodiscard]] std::optional<std::int64_t> next_ns() const { return registration_.next_ns(); }
    [[nodiscard]] bool is_over() const { return registration_.is_over(); }
    [[nodiscard]] const AccountSettings& settings() const { return settings_; }
    [[nodiscard]] model::AccountInfo info() const;

    // AccountPort
    std::string_view name() const override { return settings_.name; }
    std::string identity() const override;
    std::string domain() const override { return settings_.domain; }
    std::optional<Path> path() const override;
    std::vector<std::string> routes() const override { return service_routes_; }
    std::string contact() const override;
    DigestAuth& auth() override { return auth_; }
    std::string control_client() const override { return settings_.control_client; }
    model::LegQuirks quirks() const override { return settings_.quirks; }
    std::vector<model::Codec> codecs() const override { return settings_.codecs; }

private:
    /// A flow, from the look-up of its name to its end. At most two: a second one to the primary
    /// proxy while the backup is in use.
    struct Held {
        FlowId id = 0;
        Proxy proxy = Proxy::Primary;
        std::unique_ptr<RegistrarLookup> lookup{};
        std::shared_ptr<Flow> flow{};
        SocketAddress address{};
        bool was_open = false;
        std::optional<SocketAddress> seen{};  ///< where the registrar sees us, when elsewhere
        int moves = 0;                        ///< times `seen` changed
    };
    /// The addresses of one proxy.
    struct Addresses {
        HostSpec spec{};
        std::vector<SocketAddress> found{};
        std::size_t next = 0;
        bool is_fresh = false;  ///< else looked up again before the next flow
    };

    // RegistrationActions
    void open_flow(FlowId id, Proxy proxy) override;
    void close_flow(FlowId id) override;
    void send_register(FlowId id, std::chrono::seconds expires) override;
    void forget_register() override { client_.forget(); }
    void on_change() override;
    // ClientFlowEvents
    void on_flow_open(Flow& flow) override;
    void on_flow_closed(Flow& flow, base::Error why) override;

    void on_found(FlowId id, base::Result<std::vector<SocketAddress>> found);
    void dial(Held& held);
    void on_outcome(FlowId id,
                    const std::string& contact,
                    std::chrono::seconds expires,
                    const RegisterOutcome& outcome);
    void look_at_address(Held& held, const RegisterOutcome& outcome);
    void release(Held& held);
    void log_change();
    [[nodiscard]] Held* find(FlowId id);
    [[nodiscard]] Held* find(const Flow& flow);
    [[nodiscard]] const Held* open_flow_in_use() const;
    [[nodiscard]] std::string contact_of(const Held& held) const;
    [[nodiscard]] std::string flow_text(const Held& held) const;
    [[nodiscard]] Addresses& addresses_of(Proxy proxy) {
        return addresses_[static_cast<std::size_t>(proxy)];
    }

    AccountSettings settings_;
    Surroundings around_;
    DigestAuth auth_;
    RegisterClient client_;
    Registration registration_;
    std::array<Addresses, 2> addresses_;
    std::vector<Held> held_;
    std::string contact_;                     ///< registered; empty: none
    std::vector<std::string> past_contacts_;  ///< to be removed; at most kMaxPastContacts
    std::vector<std::string> service_routes_;
    model::AccountState told_ = model::AccountState::Connecting;  ///< the last state in the log
    bool is_outage_told_ = false;
    std::int64_t outage_ns_ = 0;  ///< when it began; 0: none
};

}  // namespace offhook::signalling::sip
