#pragma once

#include <libsoup/soup.h>
#include <sys/socket.h>

#include <cerrno>

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

/// Whether the other side closed, or broke, the connection.
[[nodiscard]] inline bool has_left(GSocket* socket) {
    if (socket == nullptr || g_socket_is_closed(socket) == TRUE) return true;
    char byte = 0;
    const ssize_t n = ::recv(g_socket_get_fd(socket), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace offhook::http
