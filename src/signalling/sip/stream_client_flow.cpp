// The TCP or TLS connection of one account.
#include "base/monotonic.h"
#include "glib/timer.h"
#include "signalling/sip/client_flow_kind.h"
#include "signalling/sip/stream_connection.h"

namespace offhook::signalling::sip {
namespace {

constexpr std::size_t kMaxQueueBytes = 256 * 1024;
/// One message may take this long to arrive.
constexpr std::chrono::milliseconds kIncomplete{30'000};

class StreamClientFlow final : public ClientFlow, public StreamConnection::Listener {
public:
    StreamClientFlow(GMainContext* context,
                     const FlowTarget& target,
                     int dscp,
                     FlowEvents& messages,
                     Report report)
        : ClientFlow(context, target, dscp, messages, std::move(report)),
          stream_(std::make_shared<StreamConnection>(
              context, *this, target.address.text(), kMaxQueueBytes)) {}
    ~StreamClientFlow() override { shut(); }

    void start() override {
        dialer_ = std::make_unique<glib::StreamDialer>();
        dialer_->dial(dial_options(), [this](base::Result<glib::DialledStream> made) {
            if (!made) return lost(std::move(made.error()));
            SocketAddress local;
            local.storage = made->local;
            local.length = made->local_length;
            stream_->attach(std::move(made->stream));
            opened(local);
            ping_later();
        });
    }

    bool send(std::string_view message, const SocketAddress& /*to*/) override {
        return is_open() && stream_->send(message);
    }

    void expect_pongs() override { expects_pongs_ = true; }

protected:
    void shut() override {
        dialer_.reset();
        ping_timer_.cancel();
        pong_timer_.cancel();
        stream_->close();
    }

private:
    void ping_later() {
        if (target_.keepalive.count() <= 0) return;
        ping_timer_.once(context_, next_keepalive(), [this] { ping(); });
    }

    void ping() {
        if (!stream_->ping()) return;
        if (!pong_timer_.is_armed()) {
            pinged_ns_ = base::monotonic_ns();
            pong_timer_.once(context_, target_.keepalive_timeout, [this] { check_pong(); });
        }
        ping_later();
    }

    void check_pong() {
        const std::int64_t partial_since_ns = stream_->partial_since_ns();
        if (partial_since_ns != 0 &&
            base::monotonic_ns() - partial_since_ns > kIncomplete.count() * base::kNsPerMs) {
            return lost({base::ErrorCode::Timeout,
                         target_.address.text() + " began a message and did not end it",
                         {}});
        }
        // Many servers never answer a keep-alive. For those TCP_USER_TIMEOUT finds the cut path.
        if (stream_->heard_ns() >= pinged_ns_) return;
        if (!expects_pongs_ && !stream_->has_seen_pong()) return;
        lost({base::ErrorCode::Timeout,
              "no answer to a keep-alive from " + target_.address.text() + " in " +
                  std::to_string(target_.keepalive_timeout.count()) +
                  " ms: the path is cut, or the server stopped",
              {}});
    }

    void on_stream_message(std::string_view text) override { received(text); }
    void on_stream_malformed(std::string_view why) override { malformed(why); }
    void on_stream_closed(base::Error why) override { lost(std::move(why)); }

    std::shared_ptr<StreamConnection> stream_;
    std::unique_ptr<glib::StreamDialer> dialer_;
    glib::Timer ping_timer_;
    glib::Timer pong_timer_;
    std::int64_t pinged_ns_ = 0;
    bool expects_pongs_ = false;
};

}  // namespace

std::shared_ptr<ClientFlow> make_stream_client_flow(GMainContext* context,
                                                    const FlowTarget& target,
                                                    int dscp,
                                                    FlowEvents& messages,
                                                    ClientFlow::Report report) {
    return std::make_shared<StreamClientFlow>(context, target, dscp, messages, std::move(report));
}

}  // namespace offhook::signalling::sip
