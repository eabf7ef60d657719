#include "trace/hep_sender.h"

#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "base/monotonic.h"

namespace offhook::trace {
namespace {

constexpr std::int64_t kLookUpAgainNs = 60 * base::kNsPerS;
constexpr std::int64_t kTryAgainNs = 5 * base::kNsPerS;

}  // namespace

HepSender::HepSender(Settings settings)
    : settings_(std::move(settings)), thread_([this] { work(); }) {
    pthread_setname_np(thread_.native_handle(), "oh-hep");
}

HepSender::~HepSender() {
    {
        const std::scoped_lock lock(mutex_);
        is_closing_ = true;
    }
    wake_.notify_one();
    thread_.join();
    if (fd_ >= 0) close(fd_);
}

void HepSender::send(HepPacket packet) {
    {
        const std::scoped_lock lock(mutex_);
        if (waiting_.size() >= kMaxWaiting) {
            waiting_.pop_front();
            lost_.fetch_add(1, std::memory_order_relaxed);
        }
        waiting_.push_back(std::move(packet));
    }
    wake_.notify_one();
}

HepSender::Counters HepSender::counters() const {
    return {sent_.load(std::memory_order_relaxed), lost_.load(std::memory_order_relaxed)};
}

bool HepSender::connect() {
    const std::int64_t now_ns = base::monotonic_ns();
    const std::int64_t again_ns = fd_ >= 0 ? kLookUpAgainNs : kTryAgainNs;
    if (looked_up_ns_ != 0 && now_ns - looked_up_ns_ < again_ns) return fd_ >= 0;
    looked_up_ns_ = now_ns;
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_DGRAM;
    wanted.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (getaddrinfo(
            settings_.host.c_str(), std::to_string(settings_.port).c_str(), &wanted, &found) != 0)
        return fd_ >= 0;  // the address before may still be right
    const int fd = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const bool is_there = fd >= 0 && ::connect(fd, found->ai_addr, found->ai_addrlen) == 0;
    freeaddrinfo(found);
    if (!is_there) {
        if (fd >= 0) close(fd);
        return fd_ >= 0;
    }
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
    return true;
}

bool HepSender::deliver(const HepPacket& packet) {
    if (!connect()) return false;
    const std::string bytes = write_hep(packet, settings_.capture_id, settings_.key.reveal());
    if (::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0) return true;
    // A port that nobody listens on told of the packet before; this one may still find somebody.
    return errno == ECONNREFUSED && ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0;
}

void HepSender::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [this] { return is_closing_ || !waiting_.empty(); });
        if (is_closing_) return;
        const HepPacket packet = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        (deliver(packet) ? sent_ : lost_).fetch_add(1, std::memory_order_relaxed);
        lock.lock();
    }
}

}  // namespace offhook::trace
