#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "access/keyring.h"
#include "connection/memory_leases.h"
#include "connection/registry.h"
#include "glib/json_body.h"
#include "http/raw_websocket.h"
#include "signalling/web/channel_access.h"
#include "signalling/web/channel_endpoint.h"
#include "web_signalling/fake_channels.h"
#include "web_signalling/web_door_test.h"

namespace offhook::testing {

using namespace std::chrono_literals;
using signalling::web::ChannelEndpoint;
using signalling::web::ChannelSettings;

inline std::string quoted(const std::string& text) {
    std::string json = "\"";
    for (const char c : text) json += c == '\r' ? "\\r" : c == '\n' ? "\\n" : std::string(1, c);
    return json + "\"";
}

/// A client of the WebSocket of channels.
class ChannelClient {
public:
    ChannelClient(const std::string& address, const std::string& extra = {})
        : socket_(address,
                  signalling::web::kChannelPath,
                  extra.empty() ? "Origin: http://" + address + "\r\n" : extra) {}

    RawWebSocket& socket() { return socket_; }
    void send(const std::string& text) { socket_.send(text); }
    /// The next message of the type, whatever is told in between; of another type: the end came
    /// before.
    glib::JsonBody next(const std::string& type) {
        for (;;) {
            const RawFrame frame = socket_.read_message();
            if (frame.opcode != 1) {
                code_ = frame.code();
                return *glib::JsonBody::parse(R"({"type":"it ended"})");
            }
            auto body = glib::JsonBody::parse(frame.payload);
            EXPECT_TRUE(body) << frame.payload;
            if (body && body->text("type") == type) return *std::move(body);
        }
    }
    /// Of the close frame, whatever is told before; 0: there was none.
    int close_code() {
        while (code_ < 0) {
            const RawFrame frame = socket_.read_message();
            if (frame.opcode != 1) code_ = frame.code();
        }
        return code_;
    }
    /// @param more  members of the message: `,"resume":"..."`
    void ask(const std::string& user,
             const std::string& more = {},
             const std::string& to = "lobby") {
        EXPECT_EQ(next("welcome").whole("version"), 1);
        send(R"({"type":"join","channel":")" + to + R"(","user":")" + user + "\"" + more + "}");
    }
    glib::JsonBody join(const std::string& user,
                        const std::string& more = {},
                        const std::string& to = "lobby") {
        ask(user, more, to);
        auto joined = next("joined");
        member_ = joined.text("member").value_or("");
        resume_ = joined.text("resume").value_or("");
        return joined;
    }
    [[nodiscard]] std::string resuming() const { return R"(,"resume":")" + resume_ + "\""; }
    [[nodiscard]] const std::string& member() const { return member_; }
    void offer(const std::string& sdp, int id) {
        send(R"({"type":"offer","id":)" + std::to_string(id) + R"(,"sdp":)" + quoted(sdp) + "}");
    }
    void say_goodbye(int code) {
        socket_.send(std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)}, 8);
    }

private:
    RawWebSocket socket_;
    std::string member_, resume_;
    int code_ = -1;
};

/// The WebSocket of channels over a real registry, with channels and calls that only take notes.
class ChannelDoorTest : public WebDoorTest {
protected:
    void open_channels(ChannelSettings settings = {},
                       std::vector<access::Token> tokens = {},
                       connection::Registry::Settings limits = {.max_of_user = 100,
                                                                .max_claims = 1'000}) {
        WebDoorTest::open({}, [&] {
            GMainContext* context = g_main_context_get_thread_default();
            channels_.emplace(*executor_);
            leases_.emplace(context);
            registry_.emplace(limits, context, *leases_);
            join_tokens_.emplace(base::Secret());
            keyring_.emplace(
                std::move(tokens),
                access::KeyringSettings{.join_tokens = &*join_tokens_, .realtime_ns = [this] {
                                            return base::realtime_ns() + ahead_ns_.load();
                                        }});
            endpoint_.emplace(
                std::move(settings),
                signalling::web::ChannelParts{
                    .channels = *channels_,
                    .registry = *registry_,
                    .signaller = *signaller_,
                    .context = context,
                    .admit = [this](const http::Request& r) { return keyring_->refuse_socket(r); },
                    .authenticate =
                        [this](const http::Request& r, const signalling::web::asked::Join& join) {
                            return signalling::web::grant_of(*keyring_, r, join);
                        },
                    .find_call = [this](const model::CallId& id) { return call(id); }});
            endpoint_->install(*server_);
        });
    }
    void TearDown() override {
        loop_.run([&] {
            server_.reset();
            endpoint_.reset();
        });
        settle();
        loop_.run([&] {
            registry_.reset();
            leases_.reset();
            channels_.reset();
        });
    }
    static std::optional<model::CallInfo> call(const model::CallId& id) {
        model::CallInfo info;
        info.id = id;
        info.codec = "opus";
        info.stats.received_packets = 50;
        return info;
    }
    std::unique_ptr<ChannelClient> client(const std::string& extra = {}) {
        return std::make_unique<ChannelClient>(address_, extra);
    }
    /// What is left of connections, members and calls.
    std::size_t left() {
        return loop_.run([&] {
            return endpoint_->connections() + endpoint_->members() + channels_->members() +
                   registry_->connections().size() + signaller_->size();
        });
    }
    /// Runs control until nothing is left; false after 10 s.
    bool is_all_gone() {
        const std::int64_t limit_ns = base::monotonic_ns() + 10 * base::kNsPerS;
        while (left() != 0) {
            if (base::monotonic_ns() > limit_ns) return false;
            std::this_thread::yield();
        }
        return true;
    }

    std::atomic<std::int64_t> ahead_ns_{0};  ///< of the clock that tokens are judged by
    std::optional<FakeChannels> channels_;
    std::optional<connection::MemoryLeases> leases_;
    std::optional<connection::Registry> registry_;
    std::optional<access::JoinTokens> join_tokens_;
    std::optional<access::Keyring> keyring_;
    std::optional<ChannelEndpoint> endpoint_;
};

}  // namespace offhook::testing
