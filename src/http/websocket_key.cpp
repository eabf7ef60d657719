#include "http/websocket_key.h"

#include <glib.h>

#include <algorithm>
#include <array>

#include "glib/ref.h"

namespace offhook::http {

std::string websocket_accept(const std::string& key) {
    const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    const glib::Unique<GChecksum, g_checksum_free> sum(g_checksum_new(G_CHECKSUM_SHA1));
    g_checksum_update(
        sum.get(), reinterpret_cast<const guchar*>(text.data()), static_cast<gssize>(text.size()));
    std::array<guint8, 20> digest{};
    gsize size = digest.size();
    g_checksum_get_digest(sum.get(), digest.data(), &size);
    const glib::UniqueString encoded(g_base64_encode(digest.data(), size));
    return encoded.get();
}

bool is_websocket_key(const std::string& key) {
    constexpr std::size_t kDigits = 22;  // of 16 bytes, and two of padding
    return key.size() == kDigits + 2 && key.substr(kDigits) == "==" &&
           std::all_of(key.begin(), key.begin() + kDigits, [](char c) {
               return g_ascii_isalnum(c) || c == '+' || c == '/';
           });
}

}  // namespace offhook::http
