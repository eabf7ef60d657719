#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "glib/ref.h"
#include "glib/timer.h"
#include "http/client.h"
#include "signalling/ringcentral/rc_store.h"
#include "signalling/ringcentral/rc_token.h"
#include "signalling/ringcentral/rc_types.h"

namespace offhook::signalling::ringcentral {

struct ProvisionerSettings {
    std::string account;  ///< its configured name
    AppCredentials app;
    Kind kind = Kind::Tls;
    std::string device_id;  ///< Tls: which device; letters and digits
    std::string region;     ///< Tls: which of its proxies; empty: the first
    std::string ca_file;    ///< authorities for `app.server`; empty: the system's
    /// Pause after a failure that may pass; doubles, plus or minus a fifth.
    std::chrono::milliseconds first_retry{1'000};
    std::chrono::milliseconds max_retry{60'000};
    /// Pause after one that needs a person, who may have mended it meanwhile.
    std::chrono::milliseconds failed_pause{1'800'000};
};

/// Gets and keeps what one account needs to register.
///
///     kept in the state directory? -> ready
///     else token -> sip-provision or sip-info -> keep -> token revoked -> ready
///
/// A failure that may pass (no connection, 429, 5xx) is tried again, after Retry-After where there
/// is one; one that cannot (JWT, permission, device) is `Failed`.
/// @thread control, whose context must be thread-default when it is made
class Provisioner {
public:
    enum class State {
        Asking,
        Ready,
        Waiting,  ///< tries again by itself
        Failed,   ///< needs a person; tries again every half hour only
    };
    /// Every change; `Ready` comes with credentials to use from now on. May destroy the
    /// provisioner.
    using Changed = std::function<void(const Provisioner&)>;

    /// @param directory must outlive this
    /// @errors Io: the CA file
    [[nodiscard]] static base::Result<std::unique_ptr<Provisioner>> create(
        ProvisionerSettings settings, const state::StateDirectory& directory, Changed changed);
    Provisioner(const Provisioner&) = delete;
    Provisioner& operator=(const Provisioner&) = delete;

    /// Begins; `changed` comes later, never from within this call.
    void start();
    /// The registrar took the credentials.
    void on_accepted();
    /// The registrar refused them for good (three times 401 or 403). Once-good ones and those from
    /// the disk are dropped and others asked for; with those that were never good the state becomes
    /// `Failed`.
    void on_refused();

    [[nodiscard]] State state() const { return state_; }
    /// Present in `Ready`.
    [[nodiscard]] const std::optional<SipCredentials>& credentials() const { return sip_; }
    /// What went wrong and what to do, for health and logs; empty in `Ready`.
    [[nodiscard]] const std::string& sentence() const { return sentence_; }
    /// In `Waiting` and `Failed`: when the next try is.
    [[nodiscard]] std::chrono::milliseconds next_try_in() const { return next_try_in_; }
    [[nodiscard]] const std::string& account() const { return settings_.account; }

private:
    Provisioner(ProvisionerSettings settings,
                const state::StateDirectory& directory,
                Changed changed,
                std::unique_ptr<http::Client> client);
    void provision();
    void ask(const base::Secret& token);
    void on_reply(const base::Result<http::HttpReply>& reply);
    void ready(SipCredentials sip, bool is_proven);
    void refused(const Refusal& refusal);
    /// A person has to mend something.
    void fail(const std::string& sentence);
    void change(State state, std::string sentence);

    const ProvisionerSettings settings_;
    CredentialStore store_;
    Changed changed_;
    glib::Ref<GMainContext> context_;
    std::unique_ptr<http::Client> client_;
    TokenKeeper token_;
    http::Client::Exchange exchange_;
    glib::Timer timer_;
    std::minstd_rand random_;

    State state_ = State::Asking;
    std::optional<SipCredentials> sip_;
    bool is_proven_ = false;      ///< the registrar took them, now or before a restart
    bool is_token_fresh_ = true;  ///< a refused token was already replaced once
    int failures_ = 0;            ///< in a row
    std::string sentence_;
    std::chrono::milliseconds next_try_in_{0};
};

}  // namespace offhook::signalling::ringcentral
