#include "app/account_settings.h"

#include <cstdlib>

#include "base/secret.h"
#include "state/instance_id.h"

namespace offhook::app {
namespace {

using base::Result;
using signalling::sip::Transport;

Transport transport_of(const std::string& name) {
    for (const Transport each : {Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss}) {
        if (name_of(each) == name) return each;
    }
    return Transport::Udp;
}

Result<base::Secret> password_of(const config::Account& account) {
    const base::SecretSource source{.file = account.password_file,
                                    .environment = account.password_env,
                                    .credential = account.password_credential};
    if (source.file.empty() && source.environment.empty() && source.credential.empty())
        return base::Secret();
    auto password = base::load_secret(source, "account \"" + account.name + "\": the password");
    // Wherever it is: the configuration has to change, or what it names.
    if (!password) password.error().code = base::ErrorCode::InvalidArgument;
    return password;
}

}  // namespace

Result<state::StateDirectory> open_state(const config::State& state) {
    const std::string path = state::StateDirectory::path_for(state.directory);
    if (path.empty()) {
        return base::fail(base::ErrorCode::NotFound,
                          "there is no state directory: set state.directory, or run with "
                          "StateDirectory=offhook or a HOME");
    }
    return state::StateDirectory::open(path);
}

Result<signalling::sip::AccountSettings> account_settings(const config::Account& account,
                                                          const state::StateDirectory* state) {
    auto password = password_of(account);
    if (!password) return tl::unexpected(password.error());
    Result<std::string> instance = state::make_uuid();
    if (state != nullptr) instance = state::kept_instance_id(*state, account.name);
    if (!instance) return tl::unexpected(instance.error());

    signalling::sip::AccountSettings settings;
    settings.name = account.name;
    settings.kind = account.kind;
    settings.user = account.user;
    settings.domain = account.domain;
    settings.auth_user = account.auth_user;
    settings.display_name = account.display_name;
    settings.password = std::move(*password);
    settings.realm = account.realm;
    settings.transport = transport_of(account.transport);
    settings.outbound_proxy = account.outbound_proxy;
    settings.backup_proxy = account.backup_proxy;
    settings.switch_back = std::chrono::seconds(account.switch_back_s);
    settings.websocket_path = account.websocket_path;
    settings.tls = {
        .ca_file = account.ca_file, .server_name = account.tls_name, .insecure = account.insecure};
    settings.expires = std::chrono::seconds(account.expires_s);
    settings.instance_id = "urn:uuid:" + *instance;
    settings.keepalive = std::chrono::seconds(account.keepalive_s);
    return settings;
}

call::AccountRules account_rules(const config::Account& account, const model::AccountInfo* info) {
    call::AccountRules rules;
    const std::string& user = info != nullptr && !info->user.empty() ? info->user : account.user;
    rules.domain = info != nullptr && !info->domain.empty() ? info->domain : account.domain;
    rules.uri = "sip:" + user + "@" + rules.domain;
    rules.route = account.route;
    rules.outbound = {.is_allowed = account.allow_outbound,
                      .destinations = account.outbound_allow,
                      .per_minute = account.outbound_per_minute};
    if (account.answer_delay_ms >= 0)
        rules.answer_delay = std::chrono::milliseconds(account.answer_delay_ms);
    rules.srtp = account.srtp;
    rules.media = account.media;
    // The TLS phones of RingCentral know RTP/SAVP alone, also in answer to an offer of ours.
    if (account.kind == "ringcentral" && account.transport == "tls")
        rules.srtp = model::SrtpPolicy::Require;
    if (info != nullptr) rules.local_address = info->local_address;
    return rules;
}

}  // namespace offhook::app
