#pragma once

#include <optional>
#include <string>
#include <utility>

#include "base/monotonic.h"
#include "connection/registry.h"
#include "loop.h"

namespace offhook::connection {

/// A socket as its owner would have it, that goes when it is told: at once, later, when it is cut.
class TestSocket final : public Socket {
public:
    enum class Leaves { AtOnce, Later, WhenCut, Never };

    TestSocket(Registry& registry, Loop& loop) : registry_(registry), loop_(loop) {
        traffic_.last_heard_ns = base::monotonic_ns();
    }

    base::Result<void> open(Facts facts) {
        auto id = registry_.open(std::move(facts), *this);
        if (!id) return tl::unexpected(id.error());
        id_ = *id;
        is_open_ = true;
        return {};
    }
    void claim(const Place& place) {
        registry_.claim(id_, place, [this](base::Result<void> result) {
            answer_ = std::move(result);
            if (!*answer_) return;
            is_granted_ = true;
            registry_.live(id_);
        });
    }
    void gone(EndReason why = EndReason::Client) {
        if (!std::exchange(is_open_, false)) return;
        registry_.ended(id_, why, "");
    }

    [[nodiscard]] Traffic traffic() const override { return traffic_; }
    void end(EndReason why, const std::string& detail, bool must_cut) override {
        ended_ = why;
        detail_ = detail;
        is_cut_ = is_cut_ || must_cut;
        if (leaves_ == Leaves::AtOnce || (leaves_ == Leaves::WhenCut && must_cut)) return gone(why);
        if (leaves_ == Leaves::Later && !timer_.is_armed())
            timer_.once(loop_.get(), delay_, [this, why] { gone(why); });
    }

    [[nodiscard]] bool holds() const { return is_granted_ && is_open_; }

    Leaves leaves_ = Leaves::AtOnce;
    std::chrono::milliseconds delay_{0};
    ConnectionId id_;
    Traffic traffic_;
    bool is_open_ = false, is_granted_ = false, is_cut_ = false;
    std::optional<base::Result<void>> answer_;
    std::optional<EndReason> ended_;
    std::string detail_;

private:
    Registry& registry_;
    Loop& loop_;
    glib::Timer timer_;
};

}  // namespace offhook::connection
