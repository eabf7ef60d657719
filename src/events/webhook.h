#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "events/event.h"
#include "events/spool.h"
#include "glib/ref.h"
#include "glib/timer.h"
#include "http/client.h"

namespace offhook::events {

/// The signature of a delivery: "t=1700000000,v1=HEX", HMAC-SHA256 over "1700000000.BODY".
[[nodiscard]] std::string signature(const base::Secret& secret,
                                    std::int64_t unix_s,
                                    const std::string& body);

/// Posts events to one URL, in order, each at least once (docs/events.md).
///
///     events --0.1 s, 100 events, 256 KiB--> batch --> spool on the disk --> POST --2xx--> gone
///                                                          ^--------- again, later ----'
///
/// One batch is under way at a time; its id stays the same however often it is sent, also by the
/// next process. A redirect is a refusal.
/// @thread the one of `context`; create and destroy there
class Webhook {
public:
    struct Settings {
        std::string name, url, folder;  ///< folder: of the spool
        base::Secret secret;
        std::string ca_file;
        std::size_t spool_bytes = 16 << 20;
        std::chrono::milliseconds timeout{10'000};
        std::chrono::milliseconds batch_wait{100};
        std::chrono::milliseconds first_retry{1'000}, last_retry{300'000};
    };
    struct Counters {
        std::atomic<std::uint64_t> delivered{0}, failed{0};  ///< tries
        std::atomic<std::uint64_t> dropped{0};               ///< events
    };
    /// @param counters outlives this
    /// @errors Io: the folder, or `ca_file`
    [[nodiscard]] static base::Result<std::unique_ptr<Webhook>> create(Settings settings,
                                                                       std::string instance,
                                                                       GMainContext* context,
                                                                       Counters& counters);
    ~Webhook();
    Webhook(const Webhook&) = delete;
    Webhook& operator=(const Webhook&) = delete;

    void take(const EventRef& event);
    /// What was taken goes to the disk now.
    void flush();
    /// Nothing waits, or its receiver does not answer: no reason to wait for it.
    [[nodiscard]] bool is_idle() const;

private:
    Webhook(Settings settings,
            std::string instance,
            GMainContext* context,
            Counters& counters,
            Spool spool,
            std::unique_ptr<http::Client> client);
    void pump();
    void on_reply(const base::Result<http::HttpReply>& reply);
    void retry(const std::string& why, std::chrono::milliseconds at_least);
    void drop(std::size_t events, const std::string& why);

    const Settings settings_;
    const std::string instance_;
    const glib::Ref<GMainContext> context_;
    Counters& counters_;
    Spool spool_;
    std::unique_ptr<http::Client> client_;
    http::Client::Exchange exchange_;
    bool is_sending_ = false;
    std::vector<EventRef> pending_;
    std::size_t pending_bytes_ = 0;
    int failures_ = 0;  ///< in a row
    std::mt19937 random_{std::random_device{}()};
    glib::Timer batch_timer_, retry_timer_;
};

}  // namespace offhook::events
