#include "http/websocket_upgrade.h"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include "base/log.h"
#include "glib/ref.h"
#include "glib/stream_dialer.h"
#include "http/message_socket.h"
#include "http/websocket_key.h"
#include "http/websocket_link.h"

namespace offhook::http {
namespace {

constexpr int kGoingAway = 1001;

class Socket final : public ServerWebSocket {
public:
    Socket(const glib::Ref<GIOStream>& stream,
           const glib::Ref<GSocket>& socket,
           const WebSocketLimits& limits,
           const Request& request,
           std::shared_ptr<std::size_t> count)
        : count_(std::move(count)),
          link_(WebSocketLink::begin(
              {.stream = stream,
               .socket = socket,
               .early = {},
               .side = socket::Role::Server,
               .where = request.remote,
               .limits = limits,
               .cut = [stream] { glib::close_at_once(stream.get()); },
               .events = {.on_message =
                              [this](std::string_view message) {
                                  if (listener_ != nullptr)
                                      listener_->on_websocket_message(message);
                              },
                          .on_closed =
                              [this](base::Error why, int code) {
                                  if (listener_ != nullptr)
                                      listener_->on_websocket_closed(std::move(why), code);
                              }}})) {
        ++*count_;
    }
    ~Socket() override {
        --*count_;
        link_->abandon(kGoingAway, {});
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    void listen(Listener& listener) override { listener_ = &listener; }
    bool send(std::string_view text) override { return link_->send(text); }
    void close(int code, std::string_view reason) override {
        listener_ = nullptr;
        link_->abandon(code, std::string(reason));
    }
    [[nodiscard]] WebSocketTraffic traffic() const override { return link_->traffic(); }
    [[nodiscard]] WebSocketEnd ended() const override { return link_->ended(); }

private:
    Listener* listener_ = nullptr;
    const std::shared_ptr<std::size_t> count_;
    std::shared_ptr<WebSocketLink> link_;
};

/// The first of ours that is among those offered: "a, b".
std::string protocol_of(std::string_view offered, const std::vector<std::string>& ours) {
    for (const std::string& protocol : ours) {
        for (std::string_view rest = offered; !rest.empty();) {
            const std::size_t comma = std::min(rest.find(','), rest.size());
            std::string_view word = rest.substr(0, comma);
            rest.remove_prefix(std::min(comma + 1, rest.size()));
            while (word.starts_with(' ')) word.remove_prefix(1);
            while (word.ends_with(' ')) word.remove_suffix(1);
            if (word == protocol) return protocol;
        }
    }
    return {};
}

struct Upgrade {
    WebSocketLimits limits;
    Request request;
    std::shared_ptr<std::size_t> count;
    WebSocketOpened opened;
};

/// All values of a header, joined by commas; empty: there is none.
std::string all_of_header(SoupMessageHeaders* headers, const char* name) {
    const char* value = soup_message_headers_get_list(headers, name);
    return value == nullptr ? std::string() : std::string(value);
}

Problem wrong_handshake(const std::string& detail) {
    return {400,
            "websocket-handshake",
            "The request to open a WebSocket is wrong",
            detail,
            "open it as RFC 6455 §4.1 says"};
}

void on_written(SoupServerMessage* message, gpointer data) {
    const auto& upgrade = *static_cast<Upgrade*>(data);
    const auto socket = glib::Ref<GSocket>::share(socket_of(message));
    const auto stream = glib::Ref<GIOStream>::adopt(soup_server_message_steal_connection(message));
    if (!socket || !stream) return;
    try {
        upgrade.opened(socket.get(),
                       upgrade.request,
                       std::make_unique<Socket>(
                           stream, socket, upgrade.limits, upgrade.request, upgrade.count));
    } catch (const std::exception& e) {
        log::write(log::Level::Error, log::Mark::Error, "system.exception", {}, e.what());
    }
}

}  // namespace

bool is_websocket_request(SoupServerMessage* message) {
    SoupMessageHeaders* headers = soup_server_message_get_request_headers(message);
    return soup_message_headers_header_contains(headers, "Upgrade", "websocket") == TRUE &&
           soup_message_headers_header_contains(headers, "Connection", "Upgrade") == TRUE;
}

std::optional<Problem> begin_websocket(SoupServerMessage* message,
                                       const WebSocketLimits& limits,
                                       const std::vector<std::string>& protocols,
                                       const Request& request,
                                       std::shared_ptr<std::size_t> count,
                                       WebSocketOpened opened) {
    SoupMessageHeaders* asked = soup_server_message_get_request_headers(message);
    const std::string version = all_of_header(asked, "Sec-WebSocket-Version");
    if (version.empty()) return wrong_handshake("Sec-WebSocket-Version is missing");
    if (version != "13") {
        return Problem{426,
                       "websocket-version",
                       "This version of the WebSocket protocol is not spoken",
                       "Sec-WebSocket-Version has to be 13",
                       {}};
    }
    // Two keys come joined by a comma, and are none.
    const std::string key = all_of_header(asked, "Sec-WebSocket-Key");
    if (!is_websocket_key(key)) {
        return wrong_handshake("Sec-WebSocket-Key has to be there once, 16 bytes in base64");
    }
    Request agreed = request;
    agreed.protocol = protocol_of(all_of_header(asked, "Sec-WebSocket-Protocol"), protocols);
    SoupMessageHeaders* answer = soup_server_message_get_response_headers(message);
    soup_server_message_set_status(message, SOUP_STATUS_SWITCHING_PROTOCOLS, nullptr);
    soup_message_headers_replace(answer, "Upgrade", "websocket");
    soup_message_headers_append(answer, "Connection", "Upgrade");
    soup_message_headers_replace(answer, "Sec-WebSocket-Accept", websocket_accept(key).c_str());
    if (!agreed.protocol.empty())
        soup_message_headers_replace(answer, "Sec-WebSocket-Protocol", agreed.protocol.c_str());
    g_signal_connect_data(
        message,
        "wrote-informational",
        G_CALLBACK(on_written),
        new Upgrade{limits, std::move(agreed), std::move(count), std::move(opened)},
        [](gpointer data, GClosure*) { delete static_cast<Upgrade*>(data); },
        static_cast<GConnectFlags>(0));
    return std::nullopt;
}

}  // namespace offhook::http
