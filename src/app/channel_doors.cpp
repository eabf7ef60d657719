#include "app/channel_doors.h"

#include "app/web_settings.h"
#include "signalling/web/channel_access.h"

namespace offhook::app {

ChannelDoors::ChannelDoors(Parts parts) : signaller_(parts.control, parts.events) {
    access::Keyring& keyring = parts.keyring;
    model::CallDirectory& calls = parts.calls;
    endpoint_.emplace(
        signalling::web::ChannelSettings{.origins = parts.web.origins,
                                         .ice_servers = public_ice_servers(parts.web)},
        signalling::web::ChannelParts{
            .channels = parts.channels,
            .registry = parts.registry,
            .signaller = signaller_,
            .context = parts.context,
            .admit =
                [&keyring](const http::Request& request) { return keyring.refuse_socket(request); },
            .authenticate =
                [&keyring](const http::Request& request, const signalling::web::asked::Join& join) {
                    return signalling::web::grant_of(keyring, request, join);
                },
            .find_call = [&calls](const model::CallId& id) { return calls.find(id); }});
}

}  // namespace offhook::app
