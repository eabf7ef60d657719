#pragma once

#include <gio/gio.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "glib/ref.h"
#include "glib/timer.h"
#include "media/stun_message.h"
#include "model/call_directory.h"

namespace offhook::media {

/// Asks a STUN server (RFC 8489, Binding over UDP) again and again under what address the world
/// outside sees us, for the SDP of a machine behind NAT. Only the address is used: ports are the
/// router's business, and peers that follow symmetric RTP find them.
///
///     resolve -> request, again after 500 ms, 1 s ... (7 at most) -> address -> a minute later anew
///                                                  '-> nothing, or an error -> 30 s later anew
///
/// Nobody waits for it: `address` is the last one known, also while the server does not answer; it
/// then may be out of date, and health says so.
/// @thread the one that runs the context; create and destroy there as well
class StunClient {
public:
    struct Options {
        std::string host;  ///< a name or numeric
        std::uint16_t port = 3478;
        std::string
            local;  ///< numeric address to ask from; empty or a wildcard: the kernel's choice
        std::chrono::milliseconds first_timeout{500};
        std::chrono::milliseconds refresh{60'000};
        std::chrono::milliseconds retry{30'000};
    };
    /// Begins at once.
    StunClient(Options options, GMainContext* context);
    ~StunClient();
    StunClient(const StunClient&) = delete;
    StunClient& operator=(const StunClient&) = delete;

    /// Numeric; empty while none was ever told.
    [[nodiscard]] const std::string& address() const { return address_; }
    [[nodiscard]] model::HealthCheck health() const;
    /// Requests that went out, repetitions included.
    [[nodiscard]] std::uint64_t requests() const { return requests_; }

private:
    void begin();
    void resolve();
    void on_resolved(GList* addresses, const std::string& error);
    void ask(const std::string& server);
    void send();
    void on_readable();
    void succeed(const session::Endpoint& mapped);
    void fail(std::string why);
    void close();

    Options options_;
    GMainContext* context_;
    /// Outlived by what GIO's resolver still owes us.
    std::shared_ptr<StunClient*> self_;
    glib::Ref<GCancellable> cancellable_;

    int fd_ = -1;
    GSource* readable_ = nullptr;
    glib::Timer timer_;  ///< the next repetition, or the next round
    StunTransaction transaction_{};
    int tries_ = 0;

    std::string address_;
    std::int64_t told_ns_ = 0;  ///< CLOCK_MONOTONIC, when `address_` was last confirmed; 0: never
    std::string problem_;       ///< of the last round; empty: it went well
    std::uint64_t requests_ = 0, failures_ = 0;
};

}  // namespace offhook::media
