#pragma once

#include <libsoup/soup.h>

namespace offhook::http {

/// The socket of a connection that was handed to libsoup as a stream, by which libsoup knows it no
/// more: it hangs on the address that was handed over with it.
inline constexpr const char* kSocketOfAddress = "offhook-socket";

/// Null once the connection is gone.
[[nodiscard]] inline GSocket* socket_of(SoupServerMessage* message) {
    GSocketAddress* address = soup_server_message_get_remote_address(message);
    if (address == nullptr) return nullptr;
    return static_cast<GSocket*>(g_object_get_data(G_OBJECT(address), kSocketOfAddress));
}

}  // namespace offhook::http
