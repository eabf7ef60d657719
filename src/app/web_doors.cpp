#include "app/web_doors.h"

#include <utility>

#include "app/web_settings.h"

namespace offhook::app {
namespace {

base::Result<base::Secret> token_of(const config::Web& web) {
    const base::SecretSource source{
        .file = web.token_file, .environment = web.token_env, .credential = web.token_credential};
    if (source.file.empty() && source.environment.empty() && source.credential.empty())
        return base::Secret();
    auto token = base::load_secret(source, "the token of [web]");
    // Wherever it is: the configuration has to change, or what it names.
    if (!token) token.error().code = base::ErrorCode::InvalidArgument;
    return token;
}

}  // namespace

base::Result<std::unique_ptr<WebDoors>> WebDoors::create(const config::Web& web,
                                                         base::Executor& control,
                                                         model::SignallingEvents& events,
                                                         GMainContext* context) {
    auto token = token_of(web);
    if (!token) return tl::unexpected(token.error());
    return std::unique_ptr<WebDoors>(
        new WebDoors(web, *std::move(token), control, events, context));
}

WebDoors::WebDoors(const config::Web& web,
                   base::Secret token,
                   base::Executor& control,
                   model::SignallingEvents& events,
                   GMainContext* context)
    : access_(std::move(token)), signaller_(control, events) {
    const std::vector<std::string> ice_servers = public_ice_servers(web);
    if (web.whip || web.whep) {
        whip_.emplace(signalling::web::WhipEndpoint::Settings{.whip = web.whip,
                                                              .whep = web.whep,
                                                              .origins = web.origins,
                                                              .ice_servers = ice_servers},
                      access_,
                      signaller_);
    }
    if (web.browser) {
        browser_.emplace(signalling::web::BrowserEndpoint::Settings{.origins = web.origins,
                                                                    .ice_servers = ice_servers},
                         access_,
                         signaller_,
                         context);
    }
}

void WebDoors::install(http::Server& server) {
    if (whip_) whip_->install(server);
    if (browser_) browser_->install(server);
}

void WebDoors::close() {
    whip_.reset();
    browser_.reset();
}

}  // namespace offhook::app
