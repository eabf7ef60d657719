#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "base/secret.h"
#include "trace/hep.h"

namespace offhook::trace {

/// Sends HEP packets on a thread of its own (`oh-hep`) over UDP, so that nobody waits for a name, a
/// route or a full buffer. What cannot be sent is lost and counted.
class HepSender {
public:
    static constexpr std::size_t kMaxWaiting = 1'024;

    struct Settings {
        std::string host;  ///< a name is looked up again each minute
        std::uint16_t port = 9060;
        std::uint32_t capture_id = 0;
        base::Secret key{};
    };
    explicit HepSender(Settings settings);
    /// Gives up what waits.
    ~HepSender();
    HepSender(const HepSender&) = delete;
    HepSender& operator=(const HepSender&) = delete;

    void send(HepPacket packet);  ///< @thread any

    struct Counters {
        std::uint64_t sent = 0, lost = 0;
    };
    [[nodiscard]] Counters counters() const;  ///< @thread any

private:
    void work();
    bool connect();
    bool deliver(const HepPacket& packet);

    const Settings settings_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<HepPacket> waiting_;
    bool is_closing_ = false;
    std::atomic<std::uint64_t> sent_{0}, lost_{0};
    int fd_ = -1;                    ///< the thread's own
    std::int64_t looked_up_ns_ = 0;  ///< CLOCK_MONOTONIC, the thread's own
    std::thread thread_;
};

}  // namespace offhook::trace
