#include "app/web_doors.h"

#include <utility>

#include "app/web_settings.h"

namespace offhook::app {
WebDoors::WebDoors(const config::Web& web,
                   access::Keyring& keyring,
                   base::Executor& control,
                   model::SignallingEvents& events,
                   connection::Registry& registry,
                   GMainContext* context)
    : signaller_(control, events) {
    const std::vector<std::string> ice_servers = public_ice_servers(web);
    if (web.whip || web.whep) {
        whip_.emplace(signalling::web::WhipEndpoint::Settings{.whip = web.whip,
                                                              .whep = web.whep,
                                                              .origins = web.origins,
                                                              .ice_servers = ice_servers},
                      keyring,
                      signaller_);
    }
    if (web.browser) {
        browser_.emplace(signalling::web::BrowserEndpoint::Settings{.origins = web.origins,
                                                                    .ice_servers = ice_servers},
                         keyring,
                         signaller_,
                         registry,
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
