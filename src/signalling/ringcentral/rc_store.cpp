#include "signalling/ringcentral/rc_store.h"

#include "base/json_writer.h"
#include "base/log.h"
#include "glib/json_body.h"
#include "glib/ref.h"

namespace offhook::signalling::ringcentral {
namespace {

constexpr int kVersion = 1;

void warn(const std::string& message, const std::string& file) {
    log::write(log::Level::Warning,
               log::Mark::Warning,
               "ringcentral.state",
               {},
               message,
               {{"file", file}});
}

std::string text_of(const SipCredentials& sip, const std::string& owner) {
    base::JsonWriter w;
    w.begin_object().field("version", kVersion).field("owner", owner);
    w.field("kind", std::string(name_of(sip.kind))).field("user", sip.user);
    w.field("domain", sip.domain).field("authorization_id", sip.authorization_id);
    w.field("password", sip.password.reveal()).field("proxy", sip.proxy);
    w.field("backup_proxy", sip.backup_proxy);
    if (sip.switch_back) w.field("switch_back_s", sip.switch_back->count());
    if (sip.polling) w.field("polling_s", sip.polling->count());
    w.key("stun_servers").begin_array();
    for (const std::string& server : sip.stun_servers) w.value(server);
    w.end().field("device_id", sip.device_id).field("may_call_out", sip.may_call_out).end();
    return std::move(w).text() + "\n";
}

std::optional<SipCredentials> read(const glib::JsonBody& body) {
    SipCredentials sip;
    const auto take = [&](const char* name, std::string& to) {
        auto text = body.text(name);
        if (!text) return false;
        to = *std::move(text);
        return true;
    };
    std::string kind;
    std::string password;
    if (!take("kind", kind) || !take("user", sip.user) || !take("domain", sip.domain) ||
        !take("authorization_id", sip.authorization_id) || !take("password", password) ||
        !take("proxy", sip.proxy) || !take("backup_proxy", sip.backup_proxy) ||
        !take("device_id", sip.device_id)) {
        return std::nullopt;
    }
    sip.password = base::Secret(std::move(password));
    if (sip.user.empty() || sip.domain.empty() || sip.password.empty() || sip.proxy.empty()) {
        return std::nullopt;
    }
    sip.kind = kind == name_of(Kind::Wss) ? Kind::Wss : Kind::Tls;
    if (const auto s = body.whole("switch_back_s")) sip.switch_back = std::chrono::seconds(*s);
    if (const auto s = body.whole("polling_s")) sip.polling = std::chrono::seconds(*s);
    sip.stun_servers = body.texts("stun_servers");
    sip.may_call_out = body.boolean("may_call_out").value_or(true);
    return sip;
}

}  // namespace

CredentialStore::CredentialStore(const state::StateDirectory& directory,
                                 const std::string& account,
                                 std::string owner)
    : directory_(directory), name_("ringcentral-" + account), owner_(std::move(owner)) {}

std::string CredentialStore::owner_of(const AppCredentials& app,
                                      Kind kind,
                                      const std::string& device_id,
                                      const std::string& region) {
    const glib::UniqueString jwt(
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, app.jwt.reveal().c_str(), -1));
    return app.server + " " + app.client_id + " " + jwt.get() + " " + std::string(name_of(kind)) +
           " " + device_id + " " + region;
}

std::optional<SipCredentials> CredentialStore::load() const {
    const std::string file = directory_.path() + "/" + name_;
    const auto kept = directory_.read(name_);
    if (!kept) {
        if (kept.error().code != base::ErrorCode::NotFound) {
            warn(kept.error().text() + "; RingCentral is asked anew", file);
        }
        return std::nullopt;
    }
    const base::Secret text(*kept);
    const auto body = glib::JsonBody::parse(text.reveal(), "the file");
    auto sip = body && body->whole("version") == kVersion ? read(*body) : std::nullopt;
    if (!sip) {
        warn("the kept credentials are broken; RingCentral is asked anew", file);
        return std::nullopt;
    }
    if (body->text("owner") != owner_) return std::nullopt;
    return sip;
}

void CredentialStore::save(const SipCredentials& sip) const {
    const base::Secret text(text_of(sip, owner_));
    if (const auto written = directory_.write(name_, text.reveal()); !written) {
        warn(written.error().text() + "; RingCentral will be asked again after a restart",
             directory_.path() + "/" + name_);
    }
}

void CredentialStore::forget() const {
    if (const auto removed = directory_.remove(name_); !removed) {
        warn(removed.error().text(), directory_.path() + "/" + name_);
    }
}

}  // namespace offhook::signalling::ringcentral
