#pragma once

#include <gst/gst.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "glib/main_executor.h"
#include "harness/process.h"
#include "media/reaper.h"
#include "media/web_transport.h"
#include "model/codec.h"
#include "worker/media_worker.h"

namespace offhook::tests {

/// A WebTransport with the least of a leg around it: from attached on, a packet every 20 ms from the
/// worker, and a count of what comes out of the port. The test's thread is control.
class OwnEnd {
public:
    struct Options {
        model::Codec codec = model::Codec::Pcmu;
        media::WebSettings settings{};
        std::optional<model::Codec> preferred{};  ///< stands first in an offer, before `codec`
        bool is_attached_at_once = true;
    };
    explicit OwnEnd(Options options);
    ~OwnEnd();
    OwnEnd(const OwnEnd&) = delete;
    OwnEnd& operator=(const OwnEnd&) = delete;

    /// Loopback only, short limits.
    static media::WebSettings loopback();

    // What the descriptions were. Each runs control's loop until it is done or failed.
    std::string answer(const std::string& offer);
    std::string offer();
    void take_answer(const std::string& answer);
    /// The offer is given, nothing is waited for.
    void begin_answer(const std::string& offer);

    /// Runs control's loop until `is_done` says so. @return false: it did not within `limit`
    bool run_until(const std::function<bool()>& is_done, harness::milliseconds limit);
    bool wait_verified(harness::milliseconds limit);
    bool wait_failed(harness::milliseconds limit);
    bool wait_packets(std::size_t count, harness::milliseconds limit);
    void set_mute(bool is_mute) { is_mute_ = is_mute; }
    void attach() { transport_->attach(*worker_); }
    /// Until all is gone. @return how long that took on control and in all
    harness::milliseconds retire();

    [[nodiscard]] const std::optional<model::CallEnd>& end() const { return end_; }
    [[nodiscard]] bool is_verified() const { return is_verified_; }
    [[nodiscard]] const std::vector<bool>& losses() const { return losses_; }
    [[nodiscard]] std::size_t rtp_packets() const { return leg_->rtp; }
    [[nodiscard]] std::size_t rtcp_packets() const { return leg_->rtcp; }
    [[nodiscard]] std::size_t sent_packets() const { return leg_->sent; }
    [[nodiscard]] std::int64_t described_ns() const { return described_ns_; }
    [[nodiscard]] std::int64_t verified_ns() const { return verified_ns_; }
    [[nodiscard]] std::int64_t first_rtp_ns() const { return leg_->first_rtp_ns; }
    [[nodiscard]] const std::optional<sdp::WebLocal>& local() const { return local_; }
    media::WebTransport& transport() { return *transport_; }

private:
    struct Leg final : worker::TickClient, worker::IoClient {
        std::shared_ptr<session::WebPort> port = std::make_shared<session::WebPort>();
        const std::atomic<bool>* is_mute = nullptr;
        std::uint8_t payload_type = 0;
        std::uint32_t ssrc = 0, step = 160, timestamp = 0;
        std::uint16_t sequence = 0;
        std::atomic<std::size_t> rtp{0}, rtcp{0}, sent{0};
        std::atomic<std::int64_t> first_rtp_ns{0};
        std::vector<std::uint8_t> packet;

        bool on_slot(std::int64_t now_ns) noexcept override;
        void on_readable(int fd, std::int64_t now_ns) noexcept override;
    };
    void choose(const sdp::WebRemote& remote);

    Options options_;
    glib::Ref<GMainContext> context_;
    glib::MainExecutor control_;
    media::Reaper reaper_;
    std::shared_ptr<worker::MediaWorker> worker_;
    std::atomic<bool> is_mute_{false};
    std::shared_ptr<Leg> leg_ = std::make_shared<Leg>();
    std::shared_ptr<media::WebTransport> transport_;
    model::ChosenAudio chosen_;
    std::optional<sdp::WebLocal> local_;
    std::optional<model::CallEnd> end_;
    std::vector<bool> losses_;
    bool is_verified_ = false;
    std::int64_t described_ns_ = 0, verified_ns_ = 0;
};

}  // namespace offhook::tests
