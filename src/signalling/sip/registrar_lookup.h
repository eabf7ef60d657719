#pragma once

#include <gio/gio.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "glib/ref.h"
#include "glib/timer.h"
#include "signalling/sip/flow.h"

namespace offhook::signalling::sip {

/// "pbx.example.com", "pbx.example.com:5080", "192.0.2.1", "[2001:db8::1]:5060".
struct HostSpec {
    std::string host;        ///< without brackets
    std::uint16_t port = 0;  ///< 0: not said
    [[nodiscard]] static base::Result<HostSpec> parse(std::string_view text);
};

/// 5060, 5061 (TLS), 80 (WS), 443 (WSS).
[[nodiscard]] std::uint16_t default_port(Transport transport) noexcept;

/// Finds the addresses of a registrar or proxy (RFC 3263 §4.2): a numeric host is itself; with a
/// port, or on a WebSocket, the addresses of the name; else what the SRV records of the transport
/// say, in the order of priority and weight, and without records the name's own addresses. Asks
/// the system's resolver and does not wait for it.
/// @thread one, whose main context is thread-default
class RegistrarLookup {
public:
    /// The addresses in the order to try, 1 to kMaxAddresses; or a sentence.
    using Done = std::function<void(base::Result<std::vector<SocketAddress>>)>;

    /// @param done  comes once, from the main context; not after the destructor
    RegistrarLookup(GMainContext* context,
                    const HostSpec& spec,
                    Transport transport,
                    std::chrono::milliseconds limit,
                    Done done);
    ~RegistrarLookup();
    RegistrarLookup(const RegistrarLookup&) = delete;
    RegistrarLookup& operator=(const RegistrarLookup&) = delete;

    static constexpr std::size_t kMaxAddresses = 16;
    static constexpr std::size_t kMaxTargets = 8;

private:
    struct Query;
    void ask_service();
    void ask_name(std::size_t target, const std::string& name);
    void on_service(GList* targets);
    void on_name(std::size_t target, GList* addresses, const GError* error);
    void settle();
    void finish(base::Result<std::vector<SocketAddress>> result);

    struct Target {
        std::string name;
        std::uint16_t port = 0;
        std::vector<SocketAddress> addresses{};
        bool is_pending = false;
    };

    GMainContext* context_;
    HostSpec spec_;
    Transport transport_;
    Done done_;
    glib::Ref<GCancellable> cancel_;
    std::shared_ptr<RegistrarLookup*> self_;  ///< what a late answer finds empty
    bool is_service_pending_ = false;
    std::vector<Target> services_;
    Target plain_;  ///< the name itself
    std::string trouble_;
    glib::Timer limit_;
};

}  // namespace offhook::signalling::sip
