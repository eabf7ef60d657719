#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "media/web_transport.h"
#include "rtp/packet.h"

namespace offhook::media::testing {

/// Runs what was posted when told to.
class HandExecutor final : public base::Executor {
public:
    void post(std::function<void()> task) override { tasks_.push_back(std::move(task)); }
    void run() {
        while (!tasks_.empty()) {
            const auto task = std::move(tasks_.front());
            tasks_.pop_front();
            task();
        }
    }

private:
    std::deque<std::function<void()>> tasks_;
};

/// A transport without webrtcbin: the test says when it has gathered, is verified, fails. Keeps
/// what it was told and what the leg sent.
class FakeTransport final : public WebTransport {
public:
    struct Wire final : session::WebPort::Out {
        bool send(std::span<const std::uint8_t> packet) noexcept override {
            bytes.emplace_back(packet.begin(), packet.end());
            packets.push_back(*rtp::parse_packet(bytes.back()));
            return true;
        }
        std::deque<std::vector<std::uint8_t>> bytes;
        std::vector<rtp::PacketView> packets;
    };

    /// @param number  tells its ICE credentials and candidates from those of others
    FakeTransport(Parts parts, int number) : parts_(std::move(parts)), number_(number) {}

    // what the leg does

    void accept(const sdp::WebRemote& offer, const model::ChosenAudio& chosen) override {
        told.push_back("accept");
        remote = offer;
        agreed = chosen;
    }
    void offer(const model::ChosenAudio& chosen) override {
        told.push_back("offer");
        agreed = chosen;
    }
    void take_answer(const sdp::WebRemote& answer, const model::ChosenAudio& chosen) override {
        told.push_back("take_answer");
        remote = answer;
        agreed = chosen;
    }
    void add_candidates(const std::vector<std::string>& candidates) override {
        trickled.insert(trickled.end(), candidates.begin(), candidates.end());
    }
    void attach(worker::MediaWorker& worker) override {
        told.push_back("attach");
        worker.post([port = parts_.port, wire = wire] { port->set_out(wire); });
    }
    void retire(worker::MediaWorker& worker, Reaper& reaper, std::function<void()> after) override {
        told.push_back("retire");
        worker.post([port = parts_.port, wire = wire] {
            if (port->out() == wire.get()) port->set_out(nullptr);
        });
        reaper.take({}, std::move(after));
    }

    // what the test does

    void gathers(sdp::Setup setup = sdp::Setup::Active) {
        const std::string n = std::to_string(number_);
        parts_.control->post([this, n, setup] {
            parts_.events.on_local({.ice_ufrag = "ours" + n,
                                    .ice_pwd = "ourpasswordourpassword" + n,
                                    .fingerprint = "sha-256 AB:CD",
                                    .setup = setup,
                                    .candidates = {"candidate:1 1 UDP 2015363327 127.0.0.1 " +
                                                   std::to_string(40000 + number_) + " typ host"}});
        });
    }
    void verifies() {
        parts_.control->post([this] { parts_.events.on_verified(); });
    }
    void fails(model::EndReason reason) {
        parts_.control->post(
            [this, reason] { parts_.events.on_failed(model::ended(reason, "the test says so")); });
    }
    void loses(bool is_lost) {
        parts_.control->post([this, is_lost] { parts_.events.on_lost(is_lost); });
    }
    [[nodiscard]] const Parts& parts() const { return parts_; }
    [[nodiscard]] bool is_retired() const { return !told.empty() && told.back() == "retire"; }

    std::vector<std::string> told;
    sdp::WebRemote remote;
    model::ChosenAudio agreed;
    std::vector<std::string> trickled;
    const std::shared_ptr<Wire> wire = std::make_shared<Wire>();

private:
    Parts parts_;
    int number_;
};

}  // namespace offhook::media::testing
