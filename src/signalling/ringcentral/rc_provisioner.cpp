#include "signalling/ringcentral/rc_provisioner.h"

#include <algorithm>

#include "base/log.h"
#include "base/monotonic.h"
#include "signalling/ringcentral/rc_refusal.h"
#include "signalling/ringcentral/rc_sip_info.h"

namespace offhook::signalling::ringcentral {
namespace {

constexpr int kMaxDoublings = 10;

}  // namespace

std::string_view name_of(Kind kind) noexcept {
    return kind == Kind::Wss ? "wss" : "tls";
}

base::Result<std::unique_ptr<Provisioner>> Provisioner::create(
    ProvisionerSettings settings, const state::StateDirectory& directory, Changed changed) {
    auto client = http::Client::create({.ca_file = settings.ca_file});
    if (!client) return tl::unexpected(client.error());
    return std::unique_ptr<Provisioner>(
        new Provisioner(std::move(settings), directory, std::move(changed), *std::move(client)));
}

Provisioner::Provisioner(ProvisionerSettings settings,
                         const state::StateDirectory& directory,
                         Changed changed,
                         std::unique_ptr<http::Client> client)
    : settings_(std::move(settings)),
      store_(directory,
             settings_.account,
             CredentialStore::owner_of(
                 settings_.app, settings_.kind, settings_.device_id, settings_.region)),
      changed_(std::move(changed)),
      context_(glib::Ref<GMainContext>::adopt(g_main_context_ref_thread_default())),
      client_(std::move(client)),
      token_(*client_, settings_.app, &base::monotonic_ns),
      random_(std::random_device{}()) {}

void Provisioner::start() {
    timer_.once(context_.get(), std::chrono::milliseconds(0), [this] {
        if (auto kept = store_.load()) return ready(*std::move(kept), true);
        provision();
    });
}

void Provisioner::provision() {
    state_ = State::Asking;
    token_.get([this](const Outcome<base::Secret>& token) {
        if (!token) return refused(token.error());
        ask(*token);
    });
}

void Provisioner::ask(const base::Secret& token) {
    http::HttpRequest request;
    request.headers = {{"Accept", "application/json"},
                       {"Authorization", "Bearer " + token.reveal()}};
    if (settings_.kind == Kind::Wss) {
        request.method = "POST";
        request.url = settings_.app.server + "/restapi/v1.0/client-info/sip-provision";
        request.content_type = "application/json";
        request.body = R"({"sipInfo":[{"transport":"WSS"}]})";
    } else {
        request.url = settings_.app.server + "/restapi/v1.0/account/~/device/" +
                      settings_.device_id + "/sip-info";
    }
    exchange_ =
        client_->send(std::move(request),
                      [this](const base::Result<http::HttpReply>& reply) { on_reply(reply); });
}

void Provisioner::on_reply(const base::Result<http::HttpReply>& reply) {
    if (!reply) return refused(refusal_of(reply.error()));
    const bool is_wss = settings_.kind == Kind::Wss;
    if (reply->status < 200 || reply->status > 299) {
        return refused(refusal_of(*reply, is_wss ? Step::SipProvision : Step::SipInfo));
    }
    auto sip =
        is_wss ? read_sip_provision(reply->body) : read_sip_info(reply->body, settings_.region);
    if (!sip) return refused(sip.error());
    if (!is_wss) sip->device_id = settings_.device_id;
    store_.save(*sip);
    token_.revoke();
    ready(*std::move(sip), false);
}

void Provisioner::ready(SipCredentials sip, bool is_proven) {
    sip_ = std::move(sip);
    is_proven_ = is_proven;
    is_token_fresh_ = true;
    failures_ = 0;
    log::write(log::Level::Info,
               log::Mark::System,
               "ringcentral.provisioned",
               {},
               is_proven ? "SIP credentials of before are used" : "new SIP credentials",
               {{"account", settings_.account},
                {"kind", name_of(sip_->kind)},
                {"domain", sip_->domain},
                {"proxy", sip_->proxy},
                {"backup_proxy", sip_->backup_proxy}});
    change(State::Ready, {});
}

void Provisioner::refused(const Refusal& refusal) {
    if (refusal.is_token_refused && is_token_fresh_) {
        is_token_fresh_ = false;
        token_.drop_access();
        return provision();
    }
    const std::string text = refusal.error.text();
    if (refusal.is_permanent) {
        token_.revoke();
        return fail(text);
    }
    std::chrono::milliseconds pause = std::min(
        settings_.first_retry * (1 << std::min(failures_, kMaxDoublings)), settings_.max_retry);
    ++failures_;
    // Many daemons that lost RingCentral at the same moment shall not come back at the same moment.
    const auto fifth = pause.count() / 5;
    pause += std::chrono::milliseconds(
        std::uniform_int_distribution<std::int64_t>(-fifth, fifth)(random_));
    if (refusal.retry_after) {
        pause = *refusal.retry_after + std::chrono::milliseconds(std::max<std::int64_t>(fifth, 0));
    }
    next_try_in_ = pause;
    log::write(
        log::Level::Warning,
        log::Mark::Warning,
        "ringcentral.retry",
        {},
        text,
        {{"account", settings_.account}, {"failures", failures_}, {"next_try_ms", pause.count()}});
    timer_.once(context_.get(), pause, [this] { provision(); });
    change(State::Waiting, text);
}

void Provisioner::on_accepted() {
    is_proven_ = true;
}

void Provisioner::on_refused() {
    if (state_ != State::Ready) return;
    store_.forget();
    sip_.reset();
    if (!is_proven_) {
        return fail(
            "RingCentral's registrar refuses the password that its API gave a moment ago: check "
            "in the portal that the extension is enabled and the device was not removed");
    }
    log::write(log::Level::Warning,
               log::Mark::Warning,
               "ringcentral.credentials_dropped",
               {},
               "the registrar no longer takes the SIP credentials; new ones are asked for",
               {{"account", settings_.account}});
    provision();
    change(State::Asking, "new SIP credentials are asked for: the old ones are no longer taken");
}

void Provisioner::fail(const std::string& sentence) {
    log::write(log::Level::Error,
               log::Mark::Error,
               "ringcentral.refused",
               {},
               sentence,
               {{"account", settings_.account}});
    next_try_in_ = settings_.failed_pause;
    timer_.once(context_.get(), next_try_in_, [this] { provision(); });
    change(State::Failed, sentence);
}

void Provisioner::change(State state, std::string sentence) {
    state_ = state;
    sentence_ = std::move(sentence);
    if (state != State::Waiting && state != State::Failed) {
        next_try_in_ = std::chrono::milliseconds(0);
    }
    const Changed changed = changed_;  // it may destroy us
    changed(*this);
}

}  // namespace offhook::signalling::ringcentral
