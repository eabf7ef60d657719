#include "client_page.h"

#include "harness/sound.h"

namespace offhook::harness {

void ClientTest::SetUp() {
    if (const std::string reason = Browser::missing(); !reason.empty()) {
        GTEST_SKIP() << reason;
    }
    if (const std::string reason = Browser::missing_client(); !reason.empty()) {
        GTEST_SKIP() << reason;
    }
}

void ClientTest::start_browser(Browser::Options options) {
    if (options.says.samples.empty()) {
        options.says = tone(48000, kMicrophone_hz, 10);
    }
    browser_ = std::make_unique<Browser>(folder_, options);
}

void ClientTest::start_daemon(const std::string& more) {
    Daemon::Options options;
    options.more = "[web]\norigins = [\"" + browser_->origin() + "\"]\n" +
                   (more.empty() ? "[[channel]]\nname = \"lobby\"\n" : more);
    daemon_ = std::make_unique<Daemon>(folder_, options);
}

void ClientTest::TearDown() {
    if (HasFailure() && daemon_ != nullptr) {
        std::cerr << daemon_->process().output();
    }
    if (HasFailure() && browser_ != nullptr) {
        std::cerr << browser_->log();
    }
    if (browser_ != nullptr) {
        browser_->close();
    }
}

Browser::Page ClientTest::open(const std::string& how, Browser::Manner manner) {
    const Browser::Page page = browser_->open("client.html", manner);
    const std::string server = daemon_ == nullptr ? "127.0.0.1:1" : daemon_->http_address();
    page.call("start", "[{\"server\":\"" + server + "\"" + (how.empty() ? "" : ",") + how + "}]");
    return page;
}

std::string ClientTest::who(const std::string& user,
                            const std::string& more,
                            const std::string& channel) {
    return "[{\"channel\":\"" + channel + "\",\"user\":\"" + user + "\",\"name\":\"" + user + "\"" +
           (more.empty() ? "" : ",") + more + "}]";
}

Browser::Page ClientTest::join(const std::string& user, const std::string& how) {
    const Browser::Page page = open(how);
    page.call("join", who(user));
    return page;
}

Json ClientTest::listen(const Browser::Page& page, double frequency_hz, milliseconds length) {
    return page.call(
        "listen",
        "[" + std::to_string(frequency_hz) + "," + std::to_string(length.count()) + "]",
        length + seconds(20));
}

void ClientTest::expect_heard(const Browser::Page& page, double frequency_hz) {
    Json heard("{}");
    for (int tries = 0; tries < 3; ++tries) {
        heard = listen(page, frequency_hz, seconds(3));
        std::cout << frequency_hz << " Hz: received " << heard.number("receivedHz")
                  << "/s, concealed " << heard.number("concealedShare") * 100 << " %, tone in "
                  << heard.number("toneShare") * 100 << " % of looks\n";
        if (heard.number("concealedShare") < 0.01 && heard.number("toneShare") >= 0.75) {
            break;
        }
    }
    EXPECT_GE(heard.number("receivedHz"), 49);
    EXPECT_LE(heard.number("receivedHz"), 51);
    EXPECT_LT(heard.number("concealedShare"), 0.01);
    EXPECT_GE(heard.number("toneShare"), 0.75);
    EXPECT_EQ(heard.number("lostMore"), 0);
}

Json ClientTest::expect_found(const Browser::Page& page,
                              const std::string& code,
                              milliseconds limit) {
    Json found = page.call("diagnose",
                           "[\"" + code + "\"," + std::to_string(limit.count()) + "]",
                           limit + seconds(20));
    std::cout << code << ": " << found.text("found.evidence") << "\n";
    EXPECT_EQ(found.text("found.code"), code) << "found instead: " << found.text("codes");
    for (const std::string part : {"severity", "cause", "evidence", "fix"}) {
        EXPECT_FALSE(found.text("found." + part).empty()) << part;
    }
    return found;
}

std::size_t ClientTest::members(const std::string& channel) {
    return daemon_->json("/api/v1/channels/" + channel).size("members");
}

bool ClientTest::wait_members(std::size_t count, const std::string& channel) {
    return eventually(seconds(15), &daemon_->process(), [&] { return members(channel) == count; });
}

}  // namespace offhook::harness
