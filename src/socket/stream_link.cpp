#include "socket/stream_link.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "base/monotonic.h"

namespace offhook::socket {
namespace {

using Why = LinkEnd::Why;

constexpr std::int64_t kGoodbye_ns = 2 * base::kNsPerS;
/// A queue that was long once does not keep its memory.
constexpr std::size_t kKeptBytes = 64 * 1024;
/// Not yet sent, in the kernel. Without a bound it takes megabytes, minutes of speech, before our own
/// queue knows that the peer does not read; what is on its way is not part of it (tcp(7)).
constexpr int kKernelBytes = 64 * 1024;

}  // namespace

StreamLink::StreamLink(EventLoop& loop, const LinkLimits& limits, LinkEvents& events)
    : loop_(loop), commons_(loop.commons()), limits_(limits), events_(events) {}

StreamLink::~StreamLink() {
    if (gone_ != nullptr) *gone_ = true;
    commons_.unmark(*this);
    if (transport_) loop_.unwatch(transport_->fd());
}

base::Result<void> StreamLink::dial(const DialSettings& settings) {
    auto dialer = Dialer::begin(loop_, settings, [this](Dialer::Outcome outcome) {
        if (auto* const failed = std::get_if<LinkEnd>(&outcome)) return end(std::move(*failed));
        open(std::move(std::get<Dialer::Opened>(outcome)));
    });
    if (!dialer) return tl::unexpected(std::move(dialer.error()));
    dialer_ = std::move(*dialer);
    return {};
}

void StreamLink::open(Dialer::Opened opened) {
    dialer_.reset();
    if (state_ != State::Dialling) return;
    transport_ = std::move(opened.transport);
    if (const auto watched = loop_.watch(transport_->fd(), EPOLLIN, *this); !watched) {
        transport_.reset();
        return end({Why::Reset, 0, watched.error().text()});
    }
    ::setsockopt(
        transport_->fd(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kKernelBytes, sizeof kKernelBytes);
    const std::int64_t now_ns = base::monotonic_ns();
    state_ = State::Open;
    counters_.last_heard_ns = now_ns;
    if (limits_.ping_every_ns > 0) next_ping_ns_ = now_ns + limits_.ping_every_ns;
    on_opened(transport_->fd());
    arm();
    Alive alive(*this);
    events_.on_open();
    if (alive && !opened.rest.empty()) on_bytes(opened.rest);
    // Bytes behind the handshake may be in TLS's buffer already.
    if (alive && transport_ && transport_->has_pending()) {
        wants_read_ = true;
        commons_.mark(*this);
    }
}

void StreamLink::open_at_turn_end(Dialer::Opened opened) {
    opening_ = std::move(opened);
    commons_.mark(*this);
}

void StreamLink::close(std::uint16_t code, std::string_view reason) {
    if (state_ == State::Closing || state_ == State::Ended) return;
    own_end_ = {Why::ClosedByUs, code, {}};
    if (state_ == State::Dialling) {
        ends_when_empty_ = true;
        dialer_.reset();
        opening_.reset();
    } else {
        ends_when_empty_ = !queue_goodbye(code, reason);
        close_due_ns_ = base::monotonic_ns() + kGoodbye_ns;
    }
    state_ = State::Closing;
    commons_.mark(*this);
    arm();
}

bool StreamLink::has_room(std::size_t bytes) {
    if (state_ == State::Open && queued_bytes() + bytes <= limits_.max_queued_bytes) return true;
    ++counters_.refused_messages;
    if (state_ == State::Open && full_ns_ == 0 && queued_bytes() > 0) {
        full_ns_ = base::monotonic_ns();
        arm();
    }
    return false;
}

void StreamLink::queued() {
    counters_.queued_bytes = queued_bytes();
    commons_.mark(*this);
}

void StreamLink::count_sent(std::size_t bytes) noexcept {
    ++counters_.sent_messages;
    counters_.sent_bytes += bytes;
}

void StreamLink::count_received(std::size_t bytes) noexcept {
    ++counters_.received_messages;
    counters_.received_bytes += bytes;
}

void StreamLink::end_after_flush(LinkEnd why) {
    if (state_ == State::Ended) return;
    flush();
    if (transport_) {
        transport_->say_goodbye();
        // Unread bytes would make the kernel answer with a reset, which may overtake our goodbye.
        [[maybe_unused]] const auto last = transport_->read(commons_.buffer());
    }
    end(std::move(why));
}

void StreamLink::end(LinkEnd why) {
    if (state_ == State::Ended) return;
    state_ = State::Ended;
    dialer_.reset();
    timer_.reset();
    commons_.unmark(*this);
    if (transport_) loop_.unwatch(transport_->fd());
    transport_.reset();
    queue_ = {};
    sent_ = counters_.queued_bytes = 0;
    events_.on_closed(why);
}

void StreamLink::heard_pong() noexcept {
    if (pinged_ns_ == 0) return;
    counters_.round_trip_ns = counters_.last_heard_ns - pinged_ns_;
    pinged_ns_ = 0;
}

void StreamLink::on_ready(std::uint32_t ready) {
    if ((ready & EPOLLOUT) != 0) {
        flush();
        if (ends_when_empty_ && queue_.empty()) return end_after_flush(own_end_);
    }
    if ((ready & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read();
}

void StreamLink::on_turn_end() {
    Alive alive(*this);
    if (opening_) {
        Dialer::Opened opened = std::move(*opening_);
        opening_.reset();
        open(std::move(opened));
        if (!alive) return;
    }
    if (std::exchange(wants_read_, false)) {
        read();
        if (!alive) return;
    }
    if (!queue_.empty()) flush();
    if (ends_when_empty_ && queue_.empty()) end_after_flush(own_end_);
}

void StreamLink::read() {
    Alive alive(*this);
    // Once: what is left comes with the next turn, and a flood on one link delays the others little.
    const std::span<std::byte> buffer = commons_.buffer();
    const Transport::Moved got = transport_->read(buffer);
    if (got.bytes > 0) {
        counters_.last_heard_ns = base::monotonic_ns();
        on_bytes(buffer.first(got.bytes));
        if (!alive) return;
    }
    if (got.state == Transport::State::Closed) return end(end_of_stream());
    if (got.state == Transport::State::Failed) {
        if (state_ == State::Closing) return end(own_end_);
        const Why why = transport_->error_number() == ETIMEDOUT ? Why::Silent : Why::Reset;
        return end({why, 0, transport_->why()});
    }
    if (got.state == Transport::State::Ok && transport_->has_pending()) {
        wants_read_ = true;
        commons_.mark(*this);
    }
}

void StreamLink::flush() {
    if (is_mute_ || !transport_ || queue_.empty()) return;
    const auto written = transport_->write(std::span(queue_).subspan(sent_));
    sent_ += written.bytes;
    if (written.state == Transport::State::Failed) {
        // The peer's last words may still wait to be read; after them the read says the same.
        is_mute_ = true;
        sent_ = queue_.size();
    }
    if (sent_ == queue_.size()) {
        queue_.clear();
        if (queue_.capacity() > kKeptBytes) queue_ = {};
        sent_ = 0;
        stuck_ns_ = full_ns_ = 0;
        loop_.change(transport_->fd(), EPOLLIN);
    } else {
        if (sent_ > queue_.size() / 2) {
            queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(sent_));
            sent_ = 0;
        }
        if (queue_.size() - sent_ < limits_.max_queued_bytes / 2) full_ns_ = 0;
        if (stuck_ns_ == 0 || written.bytes > 0) stuck_ns_ = base::monotonic_ns();
        loop_.change(transport_->fd(), EPOLLIN | EPOLLOUT);
        arm();
    }
    counters_.queued_bytes = queued_bytes();
}

std::int64_t StreamLink::next_due_ns() const noexcept {
    std::int64_t due_ns = std::numeric_limits<std::int64_t>::max();
    const auto consider = [&](std::int64_t since_ns, std::int64_t delay_ns) {
        if (since_ns != 0) due_ns = std::min(due_ns, since_ns + delay_ns);
    };
    consider(close_due_ns_, 0);
    if (state_ == State::Open) {
        consider(stuck_ns_, limits_.slow_timeout_ns);
        consider(full_ns_, limits_.slow_timeout_ns);
        consider(pinged_ns_, limits_.pong_within_ns);
        if (pinged_ns_ == 0) consider(next_ping_ns_, 0);
    }
    return due_ns;
}

void StreamLink::arm() {
    const std::int64_t due_ns = next_due_ns();
    // One that is armed for earlier looks again then.
    if (due_ns == std::numeric_limits<std::int64_t>::max() ||
        (armed_ns_ != 0 && armed_ns_ <= due_ns)) {
        return;
    }
    armed_ns_ = due_ns;
    const std::int64_t delay_ns = due_ns - base::monotonic_ns();
    if (timer_) {
        timer_->restart(delay_ns);
    } else {
        timer_ = loop_.after(delay_ns, [this] { look_after(); });
    }
}

void StreamLink::look_after() {
    armed_ns_ = 0;
    const std::int64_t now_ns = base::monotonic_ns();
    const auto is_due = [&](std::int64_t since_ns, std::int64_t delay_ns) {
        return since_ns != 0 && now_ns - since_ns >= delay_ns;
    };
    if (is_due(close_due_ns_, 0)) return end(own_end_);
    if (state_ == State::Open) {
        if (is_due(stuck_ns_, limits_.slow_timeout_ns) ||
            is_due(full_ns_, limits_.slow_timeout_ns)) {
            return end({Why::Slow, 0, "the peer does not read"});
        }
        if (is_due(pinged_ns_, limits_.pong_within_ns)) {
            if (counters_.last_heard_ns < pinged_ns_) {
                return end({Why::Silent, 0, "no answer to a ping, nor anything else"});
            }
            pinged_ns_ = 0;
        }
        if (pinged_ns_ == 0 && is_due(next_ping_ns_, 0)) {
            next_ping_ns_ = now_ns + limits_.ping_every_ns;
            if (queue_ping()) pinged_ns_ = now_ns;
        }
    }
    arm();
}

}  // namespace offhook::socket
