#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "config/redis_url.h"
#include "connection/redis_reply.h"
#include "glib/ref.h"
#include "glib/stream_dialer.h"
#include "glib/timer.h"

namespace offhook::connection {

/// One connection to a Redis, over TCP, TLS or a unix socket, that comes back by itself: after a
/// random part of 0.25 s, 0.5 s ... 10 s. Commands go out at once and are answered in order; one
/// that is not answered in time, or an answer to nothing, cuts the connection.
///
/// Nothing waits: names are looked up by GResolver, TCP and TLS are made by StreamDialer.
/// @thread control
class RedisLink {
public:
    struct Settings {
        config::RedisUrl url;
        base::Secret password{};
        std::string ca_file{};         ///< PEM; empty: the system's authorities
        std::string name = "offhook";  ///< CLIENT SETNAME
        std::chrono::milliseconds connect_timeout{3'000};
        std::chrono::milliseconds answer_timeout{1'500};
        std::chrono::milliseconds first_pause{250}, longest_pause{10'000};
        std::size_t max_unanswered = 8'192;
    };
    struct Events {
        /// It is there: whatever is to be said first.
        std::function<void()> on_ready;
        /// It went, or could not be made. Unanswered commands are forgotten: their `Answer` is not
        /// called any more.
        std::function<void(const base::Error&)> on_away;
        /// A message of a channel that was subscribed to.
        std::function<void(std::string_view message)> on_message{};
    };
    using Answer = std::function<void(const RedisReply&)>;

    /// @param context  the thread's default
    RedisLink(Settings settings, GMainContext* context, Events events);
    ~RedisLink();
    RedisLink(const RedisLink&) = delete;
    RedisLink& operator=(const RedisLink&) = delete;

    /// Begins; events come from the loop.
    void start();
    /// False when there is no connection, or too much waits for an answer. `answer` comes from the
    /// loop, also with what Redis calls an error.
    bool send(const std::vector<std::string>& words, Answer answer);
    /// Cuts the connection from the loop, as one that broke.
    void give_up(base::Error why);

    [[nodiscard]] bool is_ready() const { return is_ready_; }
    /// Of the newest PING; negative: none yet.
    [[nodiscard]] double answer_ms() const { return answer_ms_; }
    [[nodiscard]] std::uint64_t connections() const { return connections_; }

private:
    struct Waiting {
        Answer answer;
        std::int64_t sent_ns;
    };
    class Source;

    void connect();
    void look_up();
    static void on_names(GObject* source, GAsyncResult* result, gpointer data);
    void dial();
    base::Result<glib::Ref<GIOStream>> open_unix() const;
    void begin(glib::Ref<GIOStream> stream);
    void greet();
    void on_greeted(const RedisReply& reply);
    void write();
    void read();
    void take(RedisReply reply);
    void check_time();
    void cut(const base::Error& why);
    void close();

    const Settings settings_;
    GMainContext* context_;
    const Events events_;
    glib::StreamDialer dialer_;
    glib::Ref<GCancellable> look_up_;
    std::deque<glib::Ref<GInetAddress>> addresses_;  ///< not yet tried
    glib::Ref<GIOStream> stream_;
    std::unique_ptr<Source> readable_, writable_;
    std::unique_ptr<RedisReader> reader_;
    std::string out_;
    std::size_t refused_bytes_ = 0;
    std::deque<Waiting> waiting_;
    glib::Timer again_, clock_, giving_up_;
    std::chrono::milliseconds pause_;
    std::int64_t pinged_ns_ = 0;
    bool is_ready_ = false;
    double answer_ms_ = -1;
    std::uint64_t connections_ = 0;
};

}  // namespace offhook::connection
