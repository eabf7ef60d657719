// Every message of RFC 4475 on the WebSocket of an account: the right answer or none, and the flow
// lives on.
#include <glib.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "messages.h"
#include "signalling/scripted_uac.h"
#include "signalling/sip_server.h"

namespace offhook::test {
namespace {

using signalling::sip::AccountSettings;
using signalling::sip::Transport;

std::string request(std::string_view method, const std::string& call_id) {
    return std::string(method) +
           " sip:bot@pbx.test SIP/2.0\r\nVia: SIP/2.0/WS pbx.test;branch=z9hG4bK" + call_id +
           "\r\nFrom: <sip:probe@pbx.test>;tag=1\r\nTo: <sip:bot@pbx.test>\r\nCall-ID: " + call_id +
           "\r\nCSeq: 1 " + std::string(method) +
           "\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
}

/// 200 with the headers that any response repeats, and a registration's Contact.
std::string ok_to(const Message& request) {
    std::string text = "SIP/2.0 200 OK\r\n";
    for (const char* name : {"Via", "From", "Call-ID", "CSeq"}) {
        text += std::string(name) + ": " + request.header(name) + "\r\n";
    }
    return text + "To: " + request.header("To") +
           ";tag=r\r\nContact: " + request.header("Contact") +
           ";expires=300\r\nContent-Length: 0\r\n\r\n";
}

class TortureOverWs : public ::testing::TestWithParam<const TortureMessage*> {
protected:
    TortureOverWs()
        : server_({.transport = Transport::Ws}),
          bench_([](signalling::sip::SipSettings& settings) { settings.listen.clear(); }) {
        bench_.answer_all();
        AccountSettings account;
        account.name = "ws";
        account.user = "bot";
        account.domain = "pbx.test";
        account.transport = Transport::Ws;
        account.outbound_proxy = "127.0.0.1:" + std::to_string(server_.port());
        bench_.stack().set_account(std::move(account));
    }

    /// The next message of the stack but for its REGISTERs, which are answered.
    Message next(std::chrono::milliseconds limit) {
        std::string text;
        const bool came = bench_.wait(
            [&] {
                text = server_.receive(0ms);
                if (!text.starts_with("REGISTER ")) return !text.empty();
                is_registered_ = true;
                server_.send(ok_to(Message{text}));
                return false;
            },
            limit);
        return Message{came ? text : std::string()};
    }

    void send(const std::string& bytes) {
        if (g_utf8_validate_len(bytes.data(), bytes.size(), nullptr) == TRUE) {
            server_.send(bytes);
        } else {
            server_.send_binary(bytes);
        }
    }

    SipServer server_;
    Bench bench_;
    bool is_registered_ = false;
};

TEST_P(TortureOverWs, GetsTheRightAnswerOrNone) {
    const TortureMessage& message = *GetParam();
    ASSERT_TRUE(bench_.wait([&] {
        (void)next(0ms);
        return is_registered_;
    }));
    send(message.bytes);
    // Frames are read in order: what is answered without the control thread is answered before this.
    send(request("OPTIONS", "probe"));
    std::vector<int> finals;
    bool is_alive = false;
    const bool is_awaited = !message.datagram.may_be_silent;
    const bool done = bench_.wait([&] {
        const Message answer = next(0ms);
        if (answer.header("Call-ID") == "probe") {
            is_alive = answer.status() == 200;
        } else if (answer.status() >= 200) {
            finals.push_back(answer.status());
        }
        return is_alive && (!is_awaited || !finals.empty());
    });
    EXPECT_TRUE(is_alive) << "the flow is not well after " << message.name;
    EXPECT_TRUE(done) << "no answer to " << message.name;
    for (const int status : finals) {
        EXPECT_NE(
            std::find(message.datagram.statuses.begin(), message.datagram.statuses.end(), status),
            message.datagram.statuses.end())
            << status << " is not right for " << message.name;
    }
}

std::vector<const TortureMessage*> each_message() {
    std::vector<const TortureMessage*> all;
    for (const TortureMessage& message : torture_messages()) all.push_back(&message);
    return all;
}

INSTANTIATE_TEST_SUITE_P(Rfc4475,
                         TortureOverWs,
                         ::testing::ValuesIn(each_message()),
                         [](const auto& which) { return std::string(which.param->name); });

}  // namespace
}  // namespace offhook::test
