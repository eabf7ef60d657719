// What an account sends to its registrar and makes of the answers, message by message, against a
// registrar that says exactly what the test tells it to.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "base/monotonic.h"
#include "scripted_uac.h"

namespace offhook::test {
namespace {

using model::AccountState;
using signalling::sip::AccountSettings;

/// A registrar on 127.0.0.1 over UDP, read while the bench pumps.
class Registrar {
public:
    explicit Registrar(Bench& bench)
        : bench_(bench), fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in local{};
        local.sin_family = AF_INET;
        local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof(local);
        EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&local), length), 0);
        EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&local), &length), 0);
        port_ = ntohs(local.sin_port);
    }
    ~Registrar() { close(fd_); }
    Registrar(const Registrar&) = delete;
    Registrar& operator=(const Registrar&) = delete;

    [[nodiscard]] AccountSettings settings() const {
        AccountSettings account;
        account.name = "desk";
        account.user = "200";
        account.domain = "pbx.test";
        account.auth_user = "desk-200";
        account.password = base::Secret("rosebud");
        account.outbound_proxy = "127.0.0.1:" + std::to_string(port_);
        account.instance_id = "urn:uuid:00000000-0000-4000-8000-000000000001";
        return account;
    }
    /// The next REGISTER; repetitions of the one before are passed over. Empty after `limit`.
    Message next(std::chrono::milliseconds limit = 5000ms) {
        const auto deadline = std::chrono::steady_clock::now() + limit;
        for (;;) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(
                deadline - std::chrono::steady_clock::now());
            if (left <= 0ms || !bench_.wait_fd(fd_, left)) return {};
            std::array<char, 8192> buffer{};
            socklen_t length = sizeof(peer_);
            const ssize_t n = recvfrom(
                fd_, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&peer_), &length);
            if (n <= 0) continue;
            const Message message{std::string(buffer.data(), static_cast<std::size_t>(n))};
            if (message.method() != "REGISTER" || message.header("Via") == last_via_) continue;
            last_via_ = message.header("Via");
            return message;
        }
    }
    /// @param via  instead of the request's own
    void answer(const Message& request,
                const std::string& status,
                const std::string& headers,
                const std::string& via = {}) {
        const std::string text =
            "SIP/2.0 " + status + "\r\nVia: " + (via.empty() ? request.header("Via") : via) +
            "\r\nFrom: " + request.header("From") + "\r\nTo: " + request.header("To") +
            ";tag=r\r\nCall-ID: " + request.header("Call-ID") +
            "\r\nCSeq: " + request.header("CSeq") + "\r\n" + headers + "Content-Length: 0\r\n\r\n";
        EXPECT_GT(sendto(fd_,
                         text.data(),
                         text.size(),
                         0,
                         reinterpret_cast<const sockaddr*>(&peer_),
                         sizeof(peer_)),
                  0);
    }
    /// 200 with the contact that was sent.
    void accept(const Message& request,
                const std::string& headers = {},
                const std::string& via = {}) {
        answer(request, "200 OK", "Contact: " + request.header("Contact") + "\r\n" + headers, via);
    }
    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    Bench& bench_;
    int fd_;
    std::uint16_t port_ = 0;
    sockaddr_in peer_{};
    std::string last_via_;
};

class AccountRegister : public ::testing::Test {
protected:
    AccountRegister() : registrar_(bench_) {}
    [[nodiscard]] bool becomes(AccountState state, std::chrono::milliseconds limit = 5000ms) {
        return bench_.wait([&] { return bench_.events.account.state == state; }, limit);
    }
    static bool has(const std::string& text, std::string_view part) {
        return text.find(part) != std::string::npos;
    }
    /// The request's Via as an address translation makes the registrar see it.
    static std::string via_seen(const Message& request, const std::string& host, int port) {
        std::string via = request.header("Via");
        const auto at = via.find(";rport");
        return via.replace(at, 6, ";received=" + host + ";rport=" + std::to_string(port));
    }
    Bench bench_;
    Registrar registrar_;
};

TEST_F(AccountRegister, what_is_sent) {
    bench_.stack().set_account(registrar_.settings());
    const Message first = registrar_.next();
    ASSERT_FALSE(first.empty());
    EXPECT_EQ(first.request_uri(), "sip:pbx.test");
    EXPECT_EQ(first.header("To"), "<sip:200@pbx.test>");
    EXPECT_TRUE(has(first.header("From"), "<sip:200@pbx.test>;tag="));
    const std::string contact = first.header("Contact");
    EXPECT_TRUE(contact.starts_with("<sip:200@127.0.0.1:")) << contact;
    EXPECT_TRUE(
        has(contact, ";+sip.instance=\"<urn:uuid:00000000-0000-4000-8000-000000000001>\";reg-id=1"))
        << contact;
    EXPECT_TRUE(has(contact, ";expires=300"));
    EXPECT_TRUE(has(first.text, "outbound")) << first.text;
    EXPECT_TRUE(has(first.header("Via"), ";rport"));
    EXPECT_FALSE(has(first.text, "uthorization"));

    registrar_.answer(first,
                      "401 Unauthorized",
                      "WWW-Authenticate: Digest realm=\"pbx\", nonce=\"n1\", qop=\"auth\"\r\n");
    const Message second = registrar_.next();
    EXPECT_EQ(second.header("Call-ID"), first.header("Call-ID"));
    EXPECT_EQ(second.header("CSeq"), "2 REGISTER");
    const std::string credentials = second.header("Authorization");
    EXPECT_TRUE(has(credentials, "username=\"desk-200\"")) << credentials;
    EXPECT_TRUE(has(credentials, "uri=\"sip:pbx.test\""));
    EXPECT_TRUE(has(credentials, "nc=00000001"));
    EXPECT_FALSE(has(second.text, "rosebud"));
    registrar_.answer(second,
                      "200 OK",
                      "Contact: " + contact.substr(0, contact.find('>') + 1) + ";expires=2\r\n");
    ASSERT_TRUE(becomes(AccountState::Registered));

    // The refresh brings its answer along.
    const Message refresh = registrar_.next();
    EXPECT_EQ(refresh.header("CSeq"), "3 REGISTER");
    EXPECT_TRUE(has(refresh.header("Authorization"), "nc=00000002")) << refresh.text;
    registrar_.accept(refresh);
    EXPECT_TRUE(bench_.wait([&] { return bench_.events.account.registrations == 2; }));
}

TEST_F(AccountRegister, follows_the_address_the_registrar_sees_and_removes_the_old_one) {
    bench_.stack().set_account(registrar_.settings());
    const Message first = registrar_.next();
    registrar_.accept(first, {}, via_seen(first, "192.0.2.77", 1024));
    const Message moved = registrar_.next();
    EXPECT_TRUE(moved.header("Contact").starts_with("<sip:200@192.0.2.77:1024>;"))
        << moved.header("Contact");
    registrar_.accept(moved, {}, via_seen(moved, "192.0.2.77", 1024));
    const Message removal = registrar_.next();
    const std::string old = first.header("Contact");
    EXPECT_EQ(removal.header("Contact"), old.substr(0, old.find('>') + 1) + ";expires=0");
    registrar_.accept(removal);
    EXPECT_TRUE(registrar_.next(300ms).empty());
    EXPECT_EQ(bench_.events.account.contact, "sip:200@192.0.2.77:1024");
}

TEST_F(AccountRegister, every_contact_of_before_is_removed_once_the_new_one_is_settled) {
    bench_.stack().set_account(registrar_.settings());
    const Message first = registrar_.next();
    registrar_.answer(
        first,
        "200 OK",
        "Contact: " + first.header("Contact").substr(0, first.header("Contact").find('>') + 1) +
            ";expires=2\r\n");
    ASSERT_TRUE(becomes(AccountState::Registered));
    // The address moves twice before it stays.
    const Message refresh = registrar_.next();
    registrar_.accept(refresh, {}, via_seen(refresh, "192.0.2.77", 1024));
    const Message moved = registrar_.next();
    registrar_.accept(moved, {}, via_seen(moved, "192.0.2.77", 2048));
    const Message again = registrar_.next();
    registrar_.accept(again, {}, via_seen(again, "192.0.2.77", 2048));
    const Message removal = registrar_.next();
    EXPECT_TRUE(has(removal.text, "<sip:200@127.0.0.1:")) << removal.text;
    EXPECT_TRUE(has(removal.text, "<sip:200@192.0.2.77:1024>;expires=0")) << removal.text;
    EXPECT_FALSE(has(removal.text, "192.0.2.77:2048")) << removal.text;
    registrar_.accept(removal);
    EXPECT_TRUE(registrar_.next(300ms).empty());
}

TEST_F(AccountRegister, an_address_that_changes_with_each_answer_is_no_loop) {
    bench_.stack().set_account(registrar_.settings());
    int asked = 0;
    for (Message request = registrar_.next(); !request.empty() && asked < 20;
         request = registrar_.next(300ms)) {
        ++asked;
        registrar_.accept(request, {}, via_seen(request, "192.0.2.77", 2000 + asked));
    }
    EXPECT_LE(asked, 8);
    EXPECT_TRUE(becomes(AccountState::Registered));
}

TEST_F(AccountRegister, a_proxy_without_outbound_is_asked_again_without_it) {
    bench_.stack().set_account(registrar_.settings());
    const Message first = registrar_.next();
    registrar_.answer(first, "439 First Hop Lacks Outbound Support", "");
    const Message second = registrar_.next();
    EXPECT_FALSE(has(second.header("Contact"), "reg-id"));
    EXPECT_TRUE(has(second.header("Contact"), "+sip.instance"));
    registrar_.accept(second);
    EXPECT_TRUE(becomes(AccountState::Registered));
}

TEST_F(AccountRegister, a_challenge_to_another_request_is_not_answered) {
    bench_.stack().set_account(registrar_.settings());
    const Message first = registrar_.next();
    std::string via = first.header("Via");
    const auto branch = via.find("branch=z9hG4bK") + 14;
    via.replace(branch, 4, "0000");
    registrar_.answer(
        first, "401 Unauthorized", "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n", via);
    EXPECT_TRUE(registrar_.next(300ms).empty());
    registrar_.accept(first);
    EXPECT_TRUE(becomes(AccountState::Registered));
}

TEST_F(AccountRegister, a_challenge_that_comes_to_a_listener_is_not_answered) {
    bench_.stack().set_account(registrar_.settings());
    const Message first = registrar_.next();
    // A stranger who has seen the request, its branch included.
    ScriptedUac stranger(bench_, ScriptedUac::Over::Udp);
    stranger.send("SIP/2.0 401 Unauthorized\r\nVia: " + first.header("Via") +
                  "\r\nFrom: " + first.header("From") + "\r\nTo: " + first.header("To") +
                  ";tag=x\r\nCall-ID: " + first.header("Call-ID") +
                  "\r\nCSeq: " + first.header("CSeq") +
                  "\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n"
                  "Content-Length: 0\r\n\r\n");
    EXPECT_TRUE(registrar_.next(300ms).empty());
    EXPECT_TRUE(stranger.is_silent(100ms));
    registrar_.accept(first);
    EXPECT_TRUE(becomes(AccountState::Registered));
}

TEST_F(AccountRegister, our_contact_is_found_among_others) {
    bench_.stack().set_account(registrar_.settings());
    const Message first = registrar_.next();
    registrar_.answer(first,
                      "200 OK",
                      "Contact: <sip:200@192.0.2.1>;expires=11, <sip:200@192.0.2.2>;expires=12\r\n"
                      "Contact: <sip:masked@198.51.100.1:9>;expires=77;"
                      "+sip.instance=\"<urn:uuid:00000000-0000-4000-8000-000000000001>\"\r\n"
                      "Expires: 5\r\n");
    ASSERT_TRUE(becomes(AccountState::Registered));
    EXPECT_EQ(bench_.events.account.last_answer, "registered for 77 s");
}

TEST_F(AccountRegister, only_other_peoples_contacts_are_no_registration) {
    bench_.stack().set_account(registrar_.settings());
    registrar_.answer(
        registrar_.next(),
        "200 OK",
        "Contact: <sip:200@192.0.2.1>;expires=60, <sip:200@192.0.2.2>;expires=60\r\n");
    ASSERT_TRUE(becomes(AccountState::Waiting));
    EXPECT_TRUE(has(bench_.events.account.last_answer, "not among those it lists"));
}

TEST_F(AccountRegister, hostile_answers_are_bounded_and_escaped) {
    bench_.stack().set_account(registrar_.settings());
    registrar_.answer(registrar_.next(),
                      "503 \x1b[31m" + std::string(3000, 'x'),
                      "Retry-After: 99999999999999999999 (\x07)\r\n");
    ASSERT_TRUE(becomes(AccountState::Waiting));
    const model::AccountInfo& info = bench_.events.account;
    EXPECT_LE(info.last_answer.size(), 400U);
    EXPECT_FALSE(has(info.last_answer, "\x1b"));
    // An hour is the longest that is waited.
    EXPECT_LE(info.next_try_ns - base::realtime_ns(), 3'602LL * 1'000'000'000);
}

TEST_F(AccountRegister, new_settings_leave_the_registrar_before_they_register) {
    bench_.stack().set_account(registrar_.settings());
    const Message first = registrar_.next();
    registrar_.accept(first);
    ASSERT_TRUE(becomes(AccountState::Registered));

    bench_.stack().set_account(registrar_.settings());
    EXPECT_TRUE(registrar_.next(300ms).empty()) << "equal settings change nothing";

    AccountSettings other = registrar_.settings();
    other.user = "201";
    bench_.stack().set_account(other);
    const Message leaving = registrar_.next();
    EXPECT_TRUE(has(leaving.header("Contact"), ";expires=0")) << leaving.text;
    EXPECT_EQ(leaving.header("Contact").substr(0, 20), first.header("Contact").substr(0, 20));
    registrar_.answer(leaving, "200 OK", "");
    const Message anew = registrar_.next();
    EXPECT_EQ(anew.header("To"), "<sip:201@pbx.test>");
    registrar_.accept(anew);
    ASSERT_TRUE(becomes(AccountState::Registered));

    bench_.stack().remove_account("desk");
    const Message last = registrar_.next();
    EXPECT_TRUE(has(last.header("Contact"), ";expires=0"));
    registrar_.answer(last, "200 OK", "");
    EXPECT_TRUE(becomes(AccountState::Unregistered));
}

TEST_F(AccountRegister, new_settings_do_not_wait_for_a_registrar_that_is_silent) {
    bench_.stack().set_account(registrar_.settings());
    registrar_.accept(registrar_.next());
    ASSERT_TRUE(becomes(AccountState::Registered));
    AccountSettings other = registrar_.settings();
    other.expires = std::chrono::seconds(90);
    bench_.stack().set_account(other);
    EXPECT_TRUE(has(registrar_.next().header("Contact"), ";expires=0"));
    const Message anew = registrar_.next(4000ms);
    EXPECT_TRUE(has(anew.header("Contact"), ";expires=90")) << anew.text;
}

TEST_F(AccountRegister, draining_leaves_the_registrar_for_good) {
    bench_.stack().set_account(registrar_.settings());
    registrar_.accept(registrar_.next());
    ASSERT_TRUE(becomes(AccountState::Registered));
    bench_.stack().set_draining(true);
    const Message leaving = registrar_.next();
    EXPECT_TRUE(has(leaving.header("Contact"), ";expires=0"));
    registrar_.answer(leaving, "200 OK", "");
    ASSERT_TRUE(becomes(AccountState::Unregistered));
    bench_.stack().set_account(registrar_.settings());
    EXPECT_TRUE(registrar_.next(300ms).empty());
}

TEST(AccountProxy, may_call_a_listener_that_allows_nobody_while_the_account_is_there) {
    Bench bench([](signalling::sip::SipSettings& settings) {
        settings.allow = [](const sockaddr*) { return false; };
    });
    Registrar registrar(bench);
    ScriptedUac stranger(bench, ScriptedUac::Over::Udp);
    stranger.send(stranger.request("OPTIONS"));
    EXPECT_TRUE(stranger.is_silent(300ms));
    bench.stack().set_account(registrar.settings());
    registrar.accept(registrar.next());
    ASSERT_TRUE(bench.wait([&] { return bench.events.account.state == AccountState::Registered; }));
    stranger.send(stranger.request("OPTIONS"));
    EXPECT_FALSE(stranger.expect(200).empty());
    bench.stack().remove_account("desk");
    registrar.answer(registrar.next(), "200 OK", "");
    ASSERT_TRUE(
        bench.wait([&] { return bench.events.account.state == AccountState::Unregistered; }));
    stranger.send(stranger.request("OPTIONS"));
    EXPECT_TRUE(stranger.is_silent(300ms));
}

}  // namespace
}  // namespace offhook::test
