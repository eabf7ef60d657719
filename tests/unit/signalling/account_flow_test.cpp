// Calls on the flow of an account, over every connection: no listener, nobody allowed but the proxy,
// and a call that outlives its connection.
#include <gtest/gtest.h>

#include "http/certificates.h"
#include "signalling/scripted_uac.h"
#include "signalling/sip_server.h"

namespace offhook::test {
namespace {

using signalling::sip::AccountSettings;
using signalling::sip::is_websocket;
using signalling::sip::Transport;
using signalling::sip::uri_transport_of;
using signalling::sip::via_name_of;

/// 200 with the headers that any response repeats, and `extra` lines.
std::string ok_to(const Message& request, const std::string& extra = {}) {
    std::string text = "SIP/2.0 200 OK\r\n";
    for (const char* name : {"Via", "From", "Call-ID", "CSeq"}) {
        text += std::string(name) + ": " + request.header(name) + "\r\n";
    }
    const std::string to = request.header("To");
    return text + "To: " + to + (to.find(";tag=") == std::string::npos ? ";tag=r" : "") + "\r\n" +
           extra + "Content-Length: 0\r\n\r\n";
}

class AccountFlow : public ::testing::TestWithParam<Transport> {
protected:
    AccountFlow()
        : pem_(is_secure() ? certificates_.issue("server", "DNS:pbx.test") : std::string()),
          server_({.transport = GetParam(), .pem = pem_}),
          bench_([](signalling::sip::SipSettings& settings) {
              settings.listen.clear();
              settings.allow = [](const sockaddr*) { return false; };
          }) {
        bench_.answer_all();
        AccountSettings account;
        account.name = "office";
        account.user = "bot";
        account.domain = "pbx.test";
        account.transport = GetParam();
        account.outbound_proxy = "127.0.0.1:" + std::to_string(server_.port());
        account.tls.server_name = "pbx.test";
        account.tls.ca_file = certificates_.ca_file();
        bench_.stack().set_account(std::move(account));
    }

    static bool is_secure() { return GetParam() == Transport::Tls || GetParam() == Transport::Wss; }

    /// Reads what the stack sends, answers REGISTERs, until one message fits.
    template <class Fits>
    Message expect(Fits fits) {
        Message found;
        const bool came = bench_.wait(
            [&] {
                buffer_ += server_.receive(0ms);
                while (const std::size_t size = first_message()) {
                    const Message message{buffer_.substr(0, size)};
                    buffer_.erase(0, size);
                    if (message.method() == "REGISTER") {
                        ++registers_;
                        contact_ = message.header("Contact");
                        server_.send(ok_to(message, "Contact: " + contact_ + ";expires=300\r\n"));
                    }
                    if (!fits(message)) continue;
                    found = message;
                    return true;
                }
                return false;
            },
            10s);
        EXPECT_TRUE(came);
        return found;
    }
    Message expect_request(const std::string& method) {
        return expect([&](const Message& message) { return message.method() == method; });
    }
    Message expect_status(int status) {
        return expect([&](const Message& message) { return message.status() == status; });
    }

    std::string from_caller(const std::string& method,
                            const std::string& uri,
                            int cseq,
                            const std::string& to_tag,
                            const std::string& sdp = {}) {
        return method + " " + uri + " SIP/2.0\r\nVia: SIP/2.0/" +
               std::string(via_name_of(GetParam())) + " pbx.test;branch=z9hG4bK" + method +
               std::to_string(cseq) +
               "\r\nFrom: <sip:alice@pbx.test>;tag=a\r\nTo: "
               "<sip:bot@pbx.test>" +
               (to_tag.empty() ? "" : ";tag=" + to_tag) +
               "\r\nCall-ID: call-1\r\nCSeq: " + std::to_string(cseq) + " " + method +
               "\r\nContact: <sip:alice@far.invalid;transport=ws>\r\nMax-Forwards: 70\r\n" +
               (sdp.empty() ? "" : "Content-Type: application/sdp\r\n") +
               "Content-Length: " + std::to_string(sdp.size()) + "\r\n\r\n" + sdp;
    }

    testing::Certificates certificates_;
    std::string pem_;
    SipServer server_;
    Bench bench_;
    std::string buffer_;
    std::string contact_;
    int registers_ = 0;

private:
    /// Bytes of the first whole message in the buffer; 0: none yet.
    [[nodiscard]] std::size_t first_message() const {
        const auto end = buffer_.find("\r\n\r\n");
        if (end == std::string::npos) return 0;
        const std::string length = Message{buffer_.substr(0, end + 4)}.header("Content-Length");
        const std::size_t size = end + 4 + (length.empty() ? 0 : std::stoul(length));
        return buffer_.size() < size ? 0 : size;
    }
};

TEST_P(AccountFlow, CarriesDescriptionsOfWebLegs) {
    bench_.events.when_incoming = [this](const model::IncomingCall& call) {
        model::LocalSdp local;
        local.web_text = web_offer(7);
        bench_.stack().answer(call.id, std::move(local));
    };
    (void)expect_request("REGISTER");
    const std::string uri = contact_.substr(1, contact_.find('>') - 1);
    server_.send(from_caller("INVITE", uri, 1, "", web_offer()));
    const Message answer = expect_status(200);
    EXPECT_EQ(answer.body(), web_offer(7));
    ASSERT_EQ(bench_.events.calls.size(), 1U);
    ASSERT_TRUE(bench_.events.calls.front().offer);
    EXPECT_EQ(bench_.events.calls.front().offer->web_text, web_offer());
}

TEST_P(AccountFlow, CarriesACallThatOutlivesTheConnection) {
    const Message registration = expect_request("REGISTER");
    const std::string via = "SIP/2.0/" + std::string(via_name_of(GetParam())) + " ";
    EXPECT_TRUE(registration.header("Via").starts_with(via)) << registration.header("Via");
    EXPECT_NE(contact_.find(";transport=" + std::string(uri_transport_of(GetParam()))),
              std::string::npos)
        << contact_;
    EXPECT_EQ(contact_.find(".invalid") != std::string::npos, is_websocket(GetParam())) << contact_;
    EXPECT_EQ(registration.header("Via").find(".invalid") != std::string::npos,
              is_websocket(GetParam()));

    const std::string uri = contact_.substr(1, contact_.find('>') - 1);
    server_.send(from_caller("INVITE", uri, 1, "", plain_offer()));
    const Message answer = expect_status(200);
    const std::string ours = answer.header("Contact");
    EXPECT_NE(ours.find(uri.substr(4, uri.find(';') - 4)), std::string::npos)
        << ours << " is not the place that was registered: " << uri;
    server_.send(from_caller("ACK", uri, 1, answer.tag("To")));
    ASSERT_TRUE(bench_.wait([&] { return bench_.events.saw("confirmed"); }));

    const int before = registers_;
    server_.close(1001, "restart");
    buffer_.clear();
    (void)expect_request("REGISTER");
    EXPECT_EQ(registers_, before + 1);
    for (const std::string& line : bench_.events.lines) {
        EXPECT_FALSE(line.starts_with("ended")) << line;
    }
    // Inside the call, on the new connection, both ways.
    server_.send(from_caller("OPTIONS", uri, 2, answer.tag("To")));
    EXPECT_EQ(expect_status(200).header("CSeq"), "2 OPTIONS");
    bench_.stack().hangup(bench_.events.calls.at(0).id, model::ended(model::EndReason::ApiHangup));
    const Message bye = expect_request("BYE");
    EXPECT_TRUE(bye.header("Via").starts_with(via)) << bye.header("Via");
    EXPECT_EQ(bye.request_uri(), "sip:alice@far.invalid;transport=ws");
    server_.send(ok_to(bye));
}

INSTANTIATE_TEST_SUITE_P(
    Transports,
    AccountFlow,
    ::testing::Values(Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss),
    [](const auto& which) { return std::string(signalling::sip::name_of(which.param)); });

}  // namespace
}  // namespace offhook::test
