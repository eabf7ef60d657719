// WHIP and WHEP as a client sees them, over real HTTP.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/raw_client.h"
#include "signalling/web/whip_endpoint.h"
#include "web_signalling/web_door_test.h"

namespace offhook::signalling::web {
namespace {

using testing::ask;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::RawAnswer;
using testing::RawClient;
using testing::web_answer;
using testing::web_offer;

const std::string kSdp = "Content-Type: application/sdp\r\n";
const std::string kFragment = "Content-Type: application/trickle-ice-sdpfrag\r\n";
constexpr const char* kCandidate = "a=candidate:7 1 udp 1 192.0.2.7 7000 typ host\r\n";

class Whip : public testing::WebDoorTest {
protected:
    void open(const std::string& token = {}, WhipEndpoint::Settings settings = {}) {
        WebDoorTest::open(token, [&] {
            endpoint_.emplace(std::move(settings), *keyring_, *signaller_);
            endpoint_->install(*server_);
        });
    }
    void TearDown() override {
        loop_.run([&] {
            server_.reset();
            endpoint_.reset();
        });
        settle();
    }
    RawAnswer post(const std::string& offer = web_offer(),
                   const std::string& path = "/whip/support",
                   const std::string& extra = {}) {
        return ask(address_, "POST", path, kSdp + extra, offer);
    }
    RawAnswer patch(const std::string& session,
                    const std::string& if_match,
                    const std::string& body) {
        return ask(address_,
                   "PATCH",
                   session,
                   kFragment + (if_match.empty() ? "" : "If-Match: " + if_match + "\r\n"),
                   body);
    }
    std::size_t sessions() {
        return loop_.run([&] { return endpoint_->size() * 1000 + signaller_->size(); });
    }
    void refuse_with(int status, std::optional<std::chrono::seconds> after = std::nullopt) {
        calls_.on_call = [=](const model::IncomingCall& call) {
            call.via->reject(call.id, status, "no", after, 0);
        };
    }
    std::optional<WhipEndpoint> endpoint_;
};

TEST_F(Whip, AnOfferBecomesACall) {
    open({}, {.ice_servers = {"stun:stun.example.net:3478"}});
    const RawAnswer answer = post();
    ASSERT_EQ(answer.status, 201) << answer.body;
    EXPECT_EQ(answer.headers.at("content-type"), "application/sdp");
    EXPECT_EQ(answer.body, "v=0\r\na=answer\r\n");
    EXPECT_EQ(answer.headers.at("etag"), "\"g1\"");
    EXPECT_EQ(answer.headers.at("accept-patch"), "application/trickle-ice-sdpfrag");
    EXPECT_EQ(answer.headers.at("link"), "<stun:stun.example.net:3478>; rel=\"ice-server\"");
    EXPECT_THAT(answer.headers.at("location"),
                ::testing::MatchesRegex("/whip/support/sessions/[0-9a-f]{32}"));
    EXPECT_TRUE(calls_.wait_for("answer sent"));
    const model::IncomingCall call = calls_.last();
    EXPECT_EQ(call.to_user, "support");
    EXPECT_EQ(call.from_user, "whip");
    EXPECT_EQ(call.peer.substr(0, 15), "whip:127.0.0.1:");
    EXPECT_EQ(call.offer->web_text, web_offer());
    EXPECT_EQ(call.via, &*signaller_);
    EXPECT_NE(post().headers.at("location"), answer.headers.at("location"));
}

TEST_F(Whip, TheCallMayTakeItsTime) {
    open();
    calls_.on_call = nullptr;
    RawClient client(address_);
    const std::string offer = web_offer("sendonly");
    client.send("POST /whip/a HTTP/1.1\r\nHost: localhost\r\n" + kSdp +
                "Content-Length: " + std::to_string(offer.size()) + "\r\n\r\n" + offer);
    ASSERT_TRUE(calls_.wait_for("incoming"));
    loop_.run([&] { signaller_->answer(calls_.last().id, web_answer("v=0 later"), 0); });
    EXPECT_EQ(client.read().body, "v=0 later");
}

TEST_F(Whip, AClientThatLeavesBeforeItsAnswerEndsTheCall) {
    open();
    calls_.on_call = nullptr;
    {
        RawClient client(address_);
        const std::string offer = web_offer();
        client.send("POST /whip/a HTTP/1.1\r\nHost: localhost\r\n" + kSdp +
                    "Content-Length: " + std::to_string(offer.size()) + "\r\n\r\n" + offer);
        ASSERT_TRUE(calls_.wait_for("incoming"));
    }
    EXPECT_TRUE(calls_.wait_for("ended caller-cancelled"));
    EXPECT_EQ(sessions(), 0U);
    loop_.run([&] { signaller_->answer(calls_.last().id, web_answer("v=0"), 0); });
}

TEST_F(Whip, AnAnswerThatDoesNotComeIsA504) {
    open({}, {.answer_limit = std::chrono::milliseconds(50)});
    calls_.on_call = nullptr;
    EXPECT_EQ(post().status, 504);
    EXPECT_TRUE(calls_.wait_for("ended caller-cancelled"));
    EXPECT_EQ(sessions(), 0U);
}

TEST_F(Whip, DeleteHangsUpOnce) {
    open();
    const std::string session = post().headers.at("location");
    EXPECT_EQ(ask(address_, "DELETE", session).status, 200);
    EXPECT_TRUE(calls_.wait_for("ended caller-hangup"));
    EXPECT_EQ(sessions(), 0U);
    EXPECT_EQ(ask(address_, "DELETE", session).status, 404);
    EXPECT_EQ(patch(session, "\"g1\"", kCandidate).status, 404);
}

TEST_F(Whip, ASessionGoesWithItsCall) {
    open();
    const std::string session = post().headers.at("location");
    loop_.run([&] {
        signaller_->hangup(calls_.last().id, model::ended(model::EndReason::RtpTimeout), {});
    });
    EXPECT_TRUE(calls_.wait_for("ended rtp-timeout"));
    EXPECT_EQ(ask(address_, "DELETE", session).status, 404);
}

TEST_F(Whip, SessionsAreFoundByTheirWholeUrl) {
    open();
    const std::string session = post().headers.at("location");
    const std::string id = session.substr(session.rfind('/') + 1);
    EXPECT_EQ(ask(address_, "DELETE", "/whip/other/sessions/" + id).status, 404);
    EXPECT_EQ(ask(address_, "DELETE", "/whep/support/sessions/" + id).status, 404);
    EXPECT_EQ(ask(address_, "DELETE", session).status, 200);
}

TEST_F(Whip, CandidatesComeByPatch) {
    open();
    const std::string session = post().headers.at("location");
    EXPECT_EQ(patch(session,
                    "\"g1\"",
                    "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n" +
                        std::string(kCandidate) + "a=end-of-candidates\r\n")
                  .status,
              204);
    EXPECT_THAT(calls_.notes(), Contains("candidate:7 1 udp 1 192.0.2.7 7000 typ host"));
    EXPECT_THAT(calls_.notes(), Contains("end of candidates"));
    EXPECT_EQ(patch(session, "\"g0\", \"g1\"", kCandidate).status, 204);
}

TEST_F(Whip, APatchHasToNameTheIceSession) {
    open();
    const std::string session = post().headers.at("location");
    EXPECT_EQ(patch(session, "", kCandidate).status, 428);
    EXPECT_EQ(patch(session, "\"g2\"", kCandidate).status, 412);
    EXPECT_EQ(patch(session, "g1", kCandidate).status, 412);
    EXPECT_EQ(patch(session, "\"g1\"", "nonsense").status, 400);
    EXPECT_EQ(ask(address_, "PATCH", session, kSdp + "If-Match: \"g1\"\r\n", kCandidate).status,
              415);
    EXPECT_EQ(ask(address_, "PATCH", session, "If-Match: \"g1\"\r\n").status, 415);
    EXPECT_THAT(calls_.notes(), Not(Contains(HasSubstr("candidate:"))));
}

TEST_F(Whip, AnIceRestartIsANewOfferToTheCall) {
    open();
    std::string offered;
    calls_.on_offer =
        [&](const model::CallId& id, const std::string& offer, std::uint32_t exchange) {
            offered = offer;
            signaller_->answer(id, web_answer(web_offer("sendrecv", "ours")), exchange);
        };
    const std::string session = post().headers.at("location");
    const std::string restart =
        "a=ice-ufrag:wxyz\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n" + std::string(kCandidate);
    const RawAnswer answer = patch(session, "*", restart);
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.headers.at("etag"), "\"g2\"");
    EXPECT_EQ(answer.headers.at("content-type"), "application/trickle-ice-sdpfrag");
    EXPECT_THAT(answer.body, HasSubstr("a=ice-ufrag:ours\r\n"));
    EXPECT_THAT(answer.body, HasSubstr("a=fingerprint:"));
    EXPECT_THAT(offered, HasSubstr("a=ice-ufrag:wxyz\r\n"));
    EXPECT_THAT(offered, HasSubstr("a=rtpmap:111 opus/48000/2"));
    EXPECT_EQ(patch(session, "\"g1\"", kCandidate).status, 412);
    EXPECT_EQ(patch(session,
                    "\"g2\"",
                    "a=ice-ufrag:wxyz\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n" +
                        std::string(kCandidate))
                  .status,
              204);
}

TEST_F(Whip, ARestartThatIsRefusedLeavesAllAsItWas) {
    open();
    calls_.on_offer = [&](const model::CallId& id, const std::string&, std::uint32_t exchange) {
        signaller_->reject(id, 488, "no", std::nullopt, exchange);
    };
    const std::string session = post().headers.at("location");
    EXPECT_EQ(
        patch(session, "*", "a=ice-ufrag:wxyz\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n").status,
        406);
    EXPECT_EQ(patch(session, "\"g1\"", kCandidate).status, 204);
    EXPECT_EQ(ask(address_, "DELETE", session).status, 200);
}

TEST_F(Whip, OnlyOneRestartAtATime) {
    open();
    calls_.on_offer = nullptr;
    const std::string session = post().headers.at("location");
    const std::string restart = "a=ice-ufrag:wxyz\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n";
    RawClient client(address_);
    client.send("PATCH " + session + " HTTP/1.1\r\nHost: localhost\r\nIf-Match: *\r\n" + kFragment +
                "Content-Length: " + std::to_string(restart.size()) + "\r\n\r\n" + restart);
    ASSERT_TRUE(calls_.wait_for("reoffer"));
    EXPECT_EQ(patch(session, "*", restart).status, 409);
    EXPECT_EQ(ask(address_, "DELETE", session).status, 200);
    EXPECT_EQ(client.read().status, 404);
}

TEST_F(Whip, WhepIsForListeners) {
    open();
    EXPECT_EQ(post(web_offer("recvonly"), "/whep/support").status, 201);
    EXPECT_EQ(calls_.last().from_user, "whep");
    EXPECT_EQ(post(web_offer("sendrecv"), "/whep/support").status, 422);
    EXPECT_EQ(post(web_offer("recvonly"), "/whip/support").status, 422);
    EXPECT_EQ(post(web_offer("inactive"), "/whip/support").status, 422);
    EXPECT_EQ(post(web_offer("sendonly"), "/whip/support").status, 201);
}

TEST_F(Whip, OffersThatCannotBeUsed) {
    open();
    EXPECT_EQ(post("hello").status, 400);
    EXPECT_EQ(post("").status, 400);
    EXPECT_EQ(post("v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nm=audio 9 RTP/AVP 0\r\n").status, 406);
    EXPECT_EQ(ask(address_, "POST", "/whip/a", "Content-Type: application/json\r\n", "{}").status,
              415);
    EXPECT_EQ(ask(address_, "POST", "/whip/a", "", web_offer()).status, 415);
    EXPECT_EQ(post(web_offer(), "/whip/a%20b").status, 404);
    EXPECT_EQ(post(web_offer(), "/whip/" + std::string(65, 'a')).status, 404);
    for (const char* method : {"GET", "PUT", "PATCH", "DELETE"}) {
        const RawAnswer answer = ask(address_, method, "/whip/a");
        EXPECT_EQ(answer.status, 405) << method;
        EXPECT_EQ(answer.headers.at("allow"), "OPTIONS, POST");
    }
    EXPECT_TRUE(calls_.notes().empty());
}

TEST_F(Whip, RefusalsOfTheCallAreThoseOfHttp) {
    open();
    const std::vector<std::pair<int, int>> table{{400, 400},
                                                 {403, 403},
                                                 {404, 404},
                                                 {488, 406},
                                                 {415, 406},
                                                 {486, 503},
                                                 {503, 503},
                                                 {500, 500}};
    for (const auto& [sip, http] : table) {
        refuse_with(sip);
        EXPECT_EQ(post().status, http) << sip;
    }
    refuse_with(503, std::chrono::seconds(7));
    EXPECT_EQ(post().headers.at("retry-after"), "7");
    EXPECT_EQ(sessions(), 0U);
    settle();
    EXPECT_THAT(calls_.notes(), Not(Contains(HasSubstr("ended"))));  // the call room said no itself
}

TEST_F(Whip, HangingUpBeforeTheAnswerRefuses) {
    open();
    calls_.on_call = [](const model::IncomingCall& call) {
        call.via->hangup(call.id, model::ended(model::EndReason::ApiHangup), {});
    };
    EXPECT_EQ(post().status, 503);
    EXPECT_TRUE(calls_.wait_for("ended api-hangup"));
}

TEST_F(Whip, SessionsAndWaitingOffersAreBounded) {
    open({}, {.max_sessions = 2, .max_waiting_per_client = 1});
    calls_.on_call = nullptr;
    RawClient client(address_);
    const std::string offer = web_offer();
    client.send("POST /whip/a HTTP/1.1\r\nHost: localhost\r\n" + kSdp +
                "Content-Length: " + std::to_string(offer.size()) + "\r\n\r\n" + offer);
    ASSERT_TRUE(calls_.wait_for("incoming"));
    const RawAnswer crowded = post();
    EXPECT_EQ(crowded.status, 429);
    EXPECT_EQ(crowded.headers.count("retry-after"), 1U);
    loop_.run([&] { signaller_->answer(calls_.last().id, web_answer("v=0"), 0); });
    calls_.on_call = [](const model::IncomingCall& call) {
        call.via->answer(call.id, web_answer("v=0"), 0);
    };
    EXPECT_EQ(post().status, 201);
    const RawAnswer full = post();
    EXPECT_EQ(full.status, 503);
    EXPECT_EQ(full.headers.count("retry-after"), 1U);
}

TEST_F(Whip, TheTokenIsAskedForEverywhere) {
    open("t0ps3cret");
    const std::string good = "Authorization: Bearer t0ps3cret\r\n";
    const RawAnswer none = post();
    EXPECT_EQ(none.status, 401);
    EXPECT_EQ(none.headers.at("www-authenticate"), "Bearer");
    EXPECT_THAT(none.body, Not(HasSubstr("t0ps3cret")));
    for (const char* wrong : {"Bearer t0ps3creT",
                              "Bearer t0ps3cre",
                              "Bearer t0ps3crett",
                              "Bearer ",
                              "Bearer t0ps3crett0ps3cret",
                              "Basic t0ps3cret",
                              "t0ps3cret"}) {
        EXPECT_EQ(
            post(web_offer(), "/whip/a", "Authorization: " + std::string(wrong) + "\r\n").status,
            401)
            << wrong;
    }
    const RawAnswer answer = post(web_offer(), "/whip/a", good);
    ASSERT_EQ(answer.status, 201);
    const std::string session = answer.headers.at("location");
    EXPECT_EQ(patch(session, "\"g1\"", kCandidate).status, 401);
    EXPECT_EQ(ask(address_, "DELETE", session).status, 401);
    EXPECT_EQ(ask(address_, "DELETE", session, "authorization: bearer t0ps3cret\r\n").status, 200);
    EXPECT_EQ(ask(address_, "OPTIONS", "/whip/a").status, 204);
}

TEST_F(Whip, WithoutATokenOnlyThisMachineIsServed) {
    open();
    for (const char* header : {"X-Forwarded-For: 192.0.2.1\r\n",
                               "Forwarded: for=192.0.2.1\r\n",
                               "X-Real-IP: 192.0.2.1\r\n"}) {
        EXPECT_EQ(post(web_offer(), "/whip/a", header).status, 403) << header;
    }
    EXPECT_TRUE(calls_.notes().empty());
}

TEST_F(Whip, OptionsSaysWhatToPost) {
    open({}, {.origins = {"https://app.example.com"}});
    const RawAnswer endpoint = ask(address_, "OPTIONS", "/whip/a");
    EXPECT_EQ(endpoint.status, 204);
    EXPECT_EQ(endpoint.headers.at("accept-post"), "application/sdp");
    const RawAnswer preflight = ask(address_,
                                    "OPTIONS",
                                    "/whip/a/sessions/x",
                                    "Origin: https://app.example.com\r\n"
                                    "Access-Control-Request-Method: PATCH\r\n");
    EXPECT_EQ(preflight.headers.at("accept-patch"), "application/trickle-ice-sdpfrag");
    EXPECT_THAT(preflight.headers.at("access-control-allow-methods"), HasSubstr("PATCH, DELETE"));
    const RawAnswer answer = post(web_offer(), "/whip/a", "Origin: https://app.example.com\r\n");
    EXPECT_EQ(answer.status, 201);
    EXPECT_THAT(answer.headers.at("access-control-expose-headers"), HasSubstr("Location"));
    EXPECT_EQ(post(web_offer(), "/whip/a", "Origin: https://evil.example\r\n").status, 403);
}

TEST_F(Whip, DoorsCanBeShut) {
    open({}, {.whip = false});
    EXPECT_EQ(post().status, 404);
    EXPECT_EQ(post(web_offer("recvonly"), "/whep/a").status, 201);
}

TEST_F(Whip, GoingDownEndsEveryCall) {
    open();
    EXPECT_EQ(post().status, 201);
    EXPECT_EQ(post().status, 201);
    loop_.run([&] {
        server_.reset();
        endpoint_.reset();
    });
    EXPECT_TRUE(calls_.wait_for("ended drained"));
    settle();
    const auto notes = calls_.notes();
    EXPECT_EQ(std::count(notes.begin(), notes.end(), "ended drained"), 2);
}

TEST_F(Whip, WhatThisDoorCannotDoIsRefused) {
    open();
    EXPECT_EQ(post().status, 201);
    loop_.run([&] { signaller_->reoffer(calls_.last().id, model::LocalSdp{}); });
    EXPECT_TRUE(calls_.wait_for("reoffer done 501"));
}

}  // namespace
}  // namespace offhook::signalling::web
