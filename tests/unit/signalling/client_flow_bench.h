#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/monotonic.h"
#include "glib/ref.h"
#include "signalling/sip/client_flow.h"

namespace offhook::test {

using namespace std::chrono_literals;

/// Client flows on a context that the test pumps, and a record of all they tell.
class ClientFlowBench : public ::testing::Test,
                        public signalling::sip::FlowEvents,
                        public signalling::sip::ClientFlowEvents {
protected:
    ClientFlowBench()
        : context_(glib::Ref<GMainContext>::adopt(g_main_context_new())), pushed_(context_.get()) {
        flows_.emplace(context_.get(), *this, 24);
    }
    ~ClientFlowBench() override {
        flows_.reset();
        // What GIO still finishes on other threads comes back here, and frees what it held.
        while (g_main_context_iteration(context_.get(), FALSE) == TRUE) {
        }
    }

    template <class Condition>
    bool pump(Condition condition, std::chrono::milliseconds limit = 5000ms) {
        const std::int64_t until = base::monotonic_ns() + limit.count() * base::kNsPerMs;
        // Wakes the loop, so that conditions on other threads are looked at.
        GSource* pace = g_timeout_source_new(2);
        g_source_set_callback(
            pace, [](gpointer) -> gboolean { return TRUE; }, nullptr, nullptr);
        g_source_attach(pace, context_.get());
        bool is_met = condition();
        while (!is_met && base::monotonic_ns() < until) {
            g_main_context_iteration(context_.get(), TRUE);
            is_met = condition();
        }
        g_source_destroy(pace);
        g_source_unref(pace);
        return is_met;
    }

    [[nodiscard]] static signalling::sip::FlowTarget target(signalling::sip::Transport transport,
                                                            std::uint16_t port,
                                                            const std::string& ca_file = {}) {
        signalling::sip::FlowTarget target;
        target.transport = transport;
        target.address = *signalling::sip::SocketAddress::parse("127.0.0.1", port);
        target.host = "pbx.test";
        target.tls.ca_file = ca_file;
        target.account = "office";
        return target;
    }

    /// Opens and waits for the outcome: empty when it opened, else the sentence.
    std::string open(const signalling::sip::FlowTarget& target,
                     std::chrono::milliseconds limit = 8000ms) {
        const int before = opened;
        flow_ = flows_->open(target, *this);
        EXPECT_EQ(opened, before) << "told from inside open()";
        if (!pump([&] { return opened > before || !closed.empty(); }, limit)) return "nothing";
        return closed.empty() ? "" : closed.back();
    }

    // FlowEvents
    void on_message(const signalling::sip::Received& received) override {
        messages.emplace_back(received.bytes);
        message_flow_ = received.flow;
        message_from_ = received.from;
        if (when_message) when_message();
    }
    void on_malformed(const signalling::sip::SocketAddress&, std::string_view why) override {
        malformed.emplace_back(why);
    }
    void on_connections(std::size_t) override {}
    bool admit(const signalling::sip::SocketAddress&) override {
        ++refused;
        return false;
    }
    // ClientFlowEvents
    void on_flow_open(signalling::sip::Flow&) override { ++opened; }
    void on_flow_closed(signalling::sip::Flow& flow, base::Error why) override {
        EXPECT_FALSE(flow.is_open());
        closed.push_back(why.message);
        if (when_closed) when_closed();
    }

    int opened = 0;
    int refused = 0;
    std::vector<std::string> closed;
    std::vector<std::string> messages;
    std::vector<std::string> malformed;
    std::function<void()> when_message;
    std::function<void()> when_closed;

private:
    struct PushedContext {
        explicit PushedContext(GMainContext* context) : context_(context) {
            g_main_context_push_thread_default(context);
        }
        ~PushedContext() { g_main_context_pop_thread_default(context_); }
        PushedContext(const PushedContext&) = delete;
        PushedContext& operator=(const PushedContext&) = delete;
        GMainContext* context_;
    };

protected:
    glib::Ref<GMainContext> context_;
    PushedContext pushed_;
    std::optional<signalling::sip::ClientFlows> flows_;
    std::shared_ptr<signalling::sip::Flow> flow_;
    std::shared_ptr<signalling::sip::Flow> message_flow_;
    signalling::sip::SocketAddress message_from_;
};

/// A request that is whole on a byte stream; its Call-ID is `name`.
inline std::string sip_message(const std::string& name, std::size_t body_bytes = 0) {
    return "MESSAGE sip:bot@pbx.test SIP/2.0\r\nVia: SIP/2.0/TCP pbx.test;branch=z9hG4bK" + name +
           "\r\nFrom: <sip:a@pbx.test>;tag=1\r\nTo: <sip:bot@pbx.test>\r\nCall-ID: " + name +
           "\r\nCSeq: 1 MESSAGE\r\nMax-Forwards: 70\r\nContent-Length: " +
           std::to_string(body_bytes) + "\r\n\r\n" + std::string(body_bytes, 'x');
}

}  // namespace offhook::test
