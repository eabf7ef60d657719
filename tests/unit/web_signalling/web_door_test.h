#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "access/digest.h"
#include "access/keyring.h"
#include "glib/main_executor.h"
#include "http/loop_thread.h"
#include "http/server.h"
#include "signalling/web/web_signaller.h"
#include "web_signalling/fake_calls.h"

namespace offhook::testing {

/// A server with one door to calls, on a thread of its own.
class WebDoorTest : public ::testing::Test {
protected:
    /// @param install  makes the endpoint and adds its routes
    template <class Install>
    void open(const std::string& token, Install install) {
        loop_.run([&] {
            executor_.emplace(g_main_context_get_thread_default());
            access::KeyringSettings settings;
            if (!token.empty()) settings.web_sha256 = access::hex(access::sha256(token));
            settings.join_tokens = &join_tokens_;
            keyring_.emplace(std::vector<access::Token>(), std::move(settings));
            signaller_.emplace(*executor_, calls_);
            auto server = http::Server::listen({});
            ASSERT_TRUE(server) << server.error().text();
            server_ = *std::move(server);
            install();
            address_ = server_->address();
        });
        calls_.on_call = [this](const model::IncomingCall& call) {
            call.via->answer(call.id, web_answer("v=0\r\na=answer\r\n"), 0);
        };
    }
    /// Lets the loop run what was posted to it.
    void settle() {
        loop_.run([] {});
    }

    LoopThread loop_;
    FakeCalls calls_;
    std::optional<glib::MainExecutor> executor_;
    access::JoinTokens join_tokens_{base::Secret()};
    std::optional<access::Keyring> keyring_;
    std::optional<signalling::web::WebSignaller> signaller_;
    std::unique_ptr<http::Server> server_;
    std::string address_;
};

}  // namespace offhook::testing
