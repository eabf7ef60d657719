#include "app/ringcentral_accounts.h"

#include <algorithm>

#include "app/account_settings.h"
#include "base/monotonic.h"
#include "signalling/ringcentral/rc_refusal.h"

namespace offhook::app {
namespace {

namespace rc = signalling::ringcentral;
using base::Result;
using model::AccountState;

/// Asked for: a refresh every half minute or so is what tells them and us that the path lives; the
/// vendor's own phones do the same.
constexpr std::chrono::seconds kExpires{60};

bool is_credential_refusal(int status) {
    return status == 401 || status == 403 || status == 404 || status == 407;
}

AccountState state_of(rc::Provisioner::State state) {
    switch (state) {
        case rc::Provisioner::State::Waiting:
            return AccountState::Waiting;
        case rc::Provisioner::State::Failed:
            return AccountState::Failed;
        default:
            return AccountState::Connecting;
    }
}

}  // namespace

RingCentralAccounts::RingCentralAccounts(const state::StateDirectory& directory, Hooks hooks)
    : directory_(directory), hooks_(std::move(hooks)) {}

Result<void> RingCentralAccounts::add(const config::Account& account) {
    const config::RingCentral& keys = account.ringcentral;
    const std::string who = "account \"" + account.name + "\": ";
    auto secret = base::load_secret({.file = keys.client_secret_file,
                                     .environment = keys.client_secret_env,
                                     .credential = keys.client_secret_credential},
                                    who + "the client secret");
    if (!secret) return tl::unexpected(secret.error());
    auto jwt = base::load_secret(
        {.file = keys.jwt_file, .environment = keys.jwt_env, .credential = keys.jwt_credential},
        who + "the JWT");
    if (!jwt) return tl::unexpected(jwt.error());
    auto settings = account_settings(account, &directory_);
    if (!settings) return tl::unexpected(settings.error());

    auto one = std::make_unique<One>();
    one->config = account;
    one->settings = *std::move(settings);
    rc::ProvisionerSettings wanted;
    wanted.account = account.name;
    wanted.app.server = keys.server;
    wanted.app.client_id = keys.client_id;
    wanted.app.client_secret = *std::move(secret);
    wanted.app.jwt = *std::move(jwt);
    wanted.kind = account.transport == "wss" ? rc::Kind::Wss : rc::Kind::Tls;
    wanted.device_id = keys.device_id;
    wanted.region = keys.region;
    wanted.ca_file = account.ca_file;
    auto provisioner = rc::Provisioner::create(
        std::move(wanted), directory_, [this, raw = one.get()](const rc::Provisioner&) {
            on_changed(*raw);
        });
    if (!provisioner) return tl::unexpected(provisioner.error());
    one->provisioner = *std::move(provisioner);
    one->provisioner->start();
    all_.push_back(std::move(one));
    return {};
}

signalling::sip::AccountSettings RingCentralAccounts::complete(const One& one,
                                                               const rc::SipCredentials& sip) {
    signalling::sip::AccountSettings settings = one.settings;
    settings.user = sip.user;
    settings.domain = sip.domain;
    settings.realm = sip.domain;
    settings.auth_user = sip.authorization_id;
    settings.password = sip.password;
    settings.outbound_proxy = sip.proxy;
    settings.backup_proxy = sip.backup_proxy;
    settings.expires = kExpires;
    settings.removes_old_contacts = false;
    if (sip.kind == rc::Kind::Wss) {
        // Without an interval they want us to stay on the backup until it fails.
        settings.switch_back = sip.switch_back.value_or(std::chrono::seconds(0));
        settings.control_client = sip.authorization_id;
    } else {
        settings.codecs = {model::Codec::Opus16, model::Codec::Pcmu};
        settings.quirks = {.drop_duplicate_digits = true, .latch_datagram = true};
    }
    return settings;
}

void RingCentralAccounts::on_changed(One& one) {
    const rc::Provisioner& provisioner = *one.provisioner;
    model::AccountInfo info;
    info.name = one.config.name;
    info.kind = one.config.kind;
    info.state = state_of(provisioner.state());
    info.last_answer = provisioner.sentence();
    if (provisioner.next_try_in().count() > 0) {
        info.next_try_ns = base::realtime_ns() + provisioner.next_try_in().count() * base::kNsPerMs;
    }
    if (const auto& sip = provisioner.credentials()) {
        info.user = sip->user;
        info.domain = sip->domain;
        one.is_starting = true;
        hooks_.set_account(complete(one, *sip));
    }
    hooks_.tell(std::move(info));
}

std::optional<model::AccountInfo> RingCentralAccounts::seen(model::AccountInfo info) {
    const auto found = std::find_if(
        all_.begin(), all_.end(), [&](const auto& one) { return one->config.name == info.name; });
    if (found == all_.end()) return info;
    One& one = **found;
    // The SIP room still speaks of credentials that were dropped.
    if (one.provisioner->state() != rc::Provisioner::State::Ready) return std::nullopt;
    const bool is_last_word =
        info.state == AccountState::Failed || info.state == AccountState::Unregistered;
    if (one.is_starting && is_last_word) return std::nullopt;
    one.is_starting = false;
    if (info.state == AccountState::Registered) one.provisioner->on_accepted();
    if (info.state == AccountState::Failed && is_credential_refusal(info.last_status)) {
        hooks_.remove_account(info.name);
        one.provisioner->on_refused();
        return std::nullopt;
    }
    const std::string advice = rc::registration_advice(info.last_status);
    if (!advice.empty()) info.last_answer += "; " + advice;
    return info;
}

}  // namespace offhook::app
