#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/signalling.h"

namespace offhook::call::testing {

/// Signalling that does nothing but remember what it was asked, in words ("answer c-1", "reject c-1
/// 404") and whole where a test looks closer.
class FakeSignalling final : public model::Signalling {
public:
    std::vector<std::string> asked;
    std::vector<model::LocalSdp> descriptions;  ///< of answers and re-offers, oldest first
    std::vector<std::uint32_t> exchanges;       ///< which the answers were for
    std::vector<model::OutgoingCall> placed;
    std::vector<model::Transfer> transfers;
    std::vector<model::TextMessage> messages;
    std::vector<model::ControlOrder> control_orders;
    std::vector<model::CallEnd> ends;  ///< why we hung up
    std::string reason_header;         ///< of the last hang-up
    std::optional<std::chrono::seconds> retry_after;

    void ring(const model::CallId& id) override { note("ring " + id.text); }
    void answer(const model::CallId& id, model::LocalSdp sdp, std::uint32_t exchange) override {
        note("answer " + id.text);
        exchanges.push_back(exchange);
        descriptions.push_back(std::move(sdp));
    }
    void reject(const model::CallId& id,
                int status,
                std::string /*reason_phrase*/,
                std::optional<std::chrono::seconds> after,
                std::uint32_t /*exchange*/) override {
        note("reject " + id.text + " " + std::to_string(status));
        retry_after = after;
    }
    void hangup(const model::CallId& id, model::CallEnd why, std::string reason) override {
        note("hangup " + id.text);
        reason_header = std::move(reason);
        ends.push_back(std::move(why));
    }
    void set_draining(bool draining) override { note(draining ? "drain" : "no drain"); }
    void place_call(model::OutgoingCall call) override {
        note("place " + call.id.text);
        placed.push_back(std::move(call));
    }
    void reoffer(const model::CallId& id, model::LocalSdp sdp) override {
        note("reoffer " + id.text);
        descriptions.push_back(std::move(sdp));
    }
    void transfer(const model::CallId& id, model::Transfer transfer) override {
        note("transfer " + id.text);
        transfers.push_back(std::move(transfer));
    }
    void accept_transfer(const model::CallId& id, const model::CallId& placed_call) override {
        note("accept_transfer " + id.text + " " + placed_call.text);
    }
    void refuse_transfer(const model::CallId& id, int status) override {
        note("refuse_transfer " + id.text + " " + std::to_string(status));
    }
    void send_info_digits(const model::CallId& id, std::string digits) override {
        note("info_digits " + id.text + " " + digits);
    }
    void order_control(const model::CallId& id,
                       std::uint64_t tag,
                       model::ControlOrder order) override {
        note("control " + id.text + " " + std::to_string(tag));
        control_orders.push_back(std::move(order));
    }
    void send_message(std::uint64_t tag, model::TextMessage message) override {
        note("message " + std::to_string(tag));
        messages.push_back(std::move(message));
    }

    [[nodiscard]] bool was_asked(const std::string& what) const {
        for (const std::string& one : asked) {
            if (one == what) return true;
        }
        return false;
    }
    [[nodiscard]] std::string last() const { return asked.empty() ? std::string() : asked.back(); }

private:
    void note(std::string what) { asked.push_back(std::move(what)); }
};

}  // namespace offhook::call::testing
