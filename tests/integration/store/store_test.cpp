// What is kept of calls: records and recordings, and what a crash leaves of them.

#include <signal.h>

#include <cstring>
#include <fstream>

#include "harness/call_test.h"

namespace offhook::harness {
namespace {

class StoreTest : public CallTest {
protected:
    void restart_after_kill(const Daemon::Options& options) {
        ::kill(daemon_->process().pid(), SIGKILL);
        daemon_.reset();
        start(options);
    }
    Json records(const std::string& query = {}) { return daemon_->json("/api/v1/cdr" + query); }
    bool wait_records(std::size_t count, const std::string& query = {}) {
        return eventually(seconds(10), &daemon_->process(), [&] {
            return records(query).size("items") == count;
        });
    }
    static Daemon::Options recorded(const std::string& more = {}) {
        Daemon::Options options;
        options.more =
            "[[ai]]\nname = \"tone\"\nprotocol = \"tone\"\nfrequency_hz = 1000\n"
            "[[route]]\nname = \"all\"\nai = \"tone\"\nrecord = \"always\"\n"
            "[recording]\nformat = \"wav\"\n" +
            more;
        return options;
    }
    [[nodiscard]] std::filesystem::path recordings() const {
        return folder_ / "state" / "offhook" / "recordings";
    }
    static std::string read_file(const std::filesystem::path& path) {
        std::ifstream stream(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    /// A caller of 400 Hz that talks for `length` and hangs up, or not.
    std::unique_ptr<Sipp> caller(milliseconds length) {
        const auto sound = folder_ / "caller.ul";
        write_mulaw(sound, tone(8000, 400, 1.0, -15));
        Scenario scenario = answered();
        scenario.stream(sound).pause(length).bye().receive(200);
        return std::make_unique<Sipp>(folder_, daemon_->sip_port(), scenario);
    }
};

struct Sides {
    Sound left, right;
};

Sides sides_of(const std::string& wav) {
    Sides sides;
    sides.left.rate_hz = sides.right.rate_hz = 16000;
    std::uint32_t bytes = 0;
    if (wav.size() < 44) return sides;
    std::memcpy(&bytes, wav.data() + 40, sizeof bytes);
    for (std::size_t at = 44; at + 4 <= std::min<std::size_t>(wav.size(), bytes + 44); at += 4) {
        std::int16_t pair[2];
        std::memcpy(pair, wav.data() + at, sizeof pair);
        sides.left.samples.push_back(pair[0]);
        sides.right.samples.push_back(pair[1]);
    }
    return sides;
}

TEST_F(StoreTest, EachInviteIsOneClosedRow) {
    Daemon::Options options;
    options.more =
        "[[ai]]\nname = \"echo\"\nprotocol = \"echo\"\n[[route]]\nname = \"only\"\nto = "
        "\"echo\"\nai = "
        "\"echo\"\n";
    start(options);
    Scenario good = answered();
    good.bye().receive(200);
    Sipp taken(folder_, daemon_->sip_port(), good);
    ASSERT_TRUE(taken.succeeds()) << taken.problem();
    Scenario nowhere;
    nowhere.invite(pcmu()).may_receive(100).receive(404).ack_failure();
    Sipp::Options nobody;
    nobody.user = "nobody";
    Sipp refused(folder_, daemon_->sip_port(), nowhere, nobody);
    ASSERT_TRUE(refused.succeeds()) << refused.problem();
    Scenario no_sdp;
    no_sdp.invite_with_body("application/pkcs7-mime", "not a session\n")
        .may_receive(100)
        .receive(415)
        .ack_failure();
    Sipp unread(folder_, daemon_->sip_port(), no_sdp);
    ASSERT_TRUE(unread.succeeds()) << unread.problem();

    ASSERT_TRUE(wait_records(3)) << daemon_->get("/api/v1/cdr").body;
    ASSERT_TRUE(wait_records(1, "?end_reason=caller-hangup"));
    EXPECT_TRUE(wait_records(1, "?end_reason=no-route"));
    EXPECT_TRUE(wait_records(1, "?end_reason=unsupported-media"));
    const Json call = records("?route=only");
    ASSERT_EQ(call.size("items"), 1U);
    EXPECT_EQ(call.text("items.0.codec"), "PCMU");
    EXPECT_EQ(call.text("items.0.ai"), "echo");
    EXPECT_GT(call.number("items.0.answer_ms"), 0);
    const std::string id = call.text("items.0.id");
    EXPECT_EQ(daemon_->get("/api/v1/cdr/" + id).status, 200);
    EXPECT_EQ(daemon_->get("/api/v1/cdr/c-000000000000").status, 404);
    EXPECT_EQ(daemon_->get("/api/v1/cdr?nothing=1").status, 400);
    const HttpAnswer csv = daemon_->get("/api/v1/cdr?format=csv");
    EXPECT_TRUE(header_of(csv, "Content-Type").starts_with("text/csv")) << csv.headers;
    EXPECT_TRUE(csv.body.starts_with("id,direction,from,to,"));
    EXPECT_NE(csv.body.find(id + ",inbound,"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(recordings()));
}

TEST_F(StoreTest, ACrashLosesNoRowAndClosesThemAsAborted) {
    start();
    Scenario scenario = answered();
    scenario.pause(seconds(60));
    Sipp::Options five;
    five.calls = 5;
    Sipp sipp(folder_, daemon_->sip_port(), scenario, five);
    ASSERT_TRUE(daemon_->wait_live_calls(5));
    ASSERT_TRUE(wait_records(5));
    restart_after_kill({});
    ASSERT_TRUE(wait_records(5, "?end_reason=aborted")) << daemon_->get("/api/v1/cdr").body;
}

TEST_F(StoreTest, ARecordingHasTheCallerLeftAndTheAiRight) {
    start(recorded());
    auto sipp = caller(milliseconds(3000));
    const std::string id = daemon_->only_call();
    ASSERT_FALSE(id.empty());
    ASSERT_TRUE(sipp->succeeds()) << sipp->problem();
    ASSERT_TRUE(wait_records(1, "?end_reason=caller-hangup"));
    EXPECT_EQ(records().text("items.0.recording"), "kept");
    ASSERT_TRUE(eventually(seconds(10), &daemon_->process(), [&] {
        const Json list = daemon_->json("/api/v1/recordings");
        return list.size("items") == 1 && list.number("items.0.duration_ms") > 2000;
    }));
    const HttpAnswer part = http("GET",
                                 daemon_->http_address(),
                                 "/api/v1/calls/" + id + "/recording",
                                 {},
                                 seconds(5),
                                 {"Range: bytes=0-3"});
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body, "RIFF");
    const Sides sides = sides_of(read_file(recordings() / (id + ".wav")));
    ASSERT_GT(sides.left.seconds(), 2.5);
    const auto level = [](const Sound& sound, double hz) {
        const Sound part_of = sound.part(1.0, 2.0);
        return tone_level_dbov(part_of.samples, part_of.rate_hz, hz);
    };
    EXPECT_NEAR(level(sides.left, 400), -15, 2);
    EXPECT_LT(level(sides.left, 1000), -50);
    EXPECT_GT(level(sides.right, 1000), -25);
    EXPECT_LT(level(sides.right, 400), -50);
}

TEST_F(StoreTest, ARecordingIsReadableAfterSigkill) {
    const Daemon::Options options = recorded();
    start(options);
    auto sipp = caller(seconds(60));
    const std::string id = daemon_->only_call();
    ASSERT_FALSE(id.empty());
    const auto path = recordings() / (id + ".wav");
    ASSERT_TRUE(eventually(seconds(20), &daemon_->process(), [&] {
        return sides_of(read_file(path)).left.seconds() > 2;
    }));
    ::kill(daemon_->process().pid(), SIGKILL);
    daemon_.reset();
    const Sides sides = sides_of(read_file(path));
    EXPECT_GT(sides.left.seconds(), 2);
    const Sound part = sides.left.part(1.0, 2.0);
    EXPECT_NEAR(tone_level_dbov(part.samples, part.rate_hz, 400), -15, 3);
    start(options);
}

TEST_F(StoreTest, PausedByTheApiAndNotBegunTwice) {
    start(recorded());
    auto sipp = caller(seconds(60));
    const std::string id = daemon_->only_call();
    const std::string at = "/api/v1/calls/" + id + "/recording/";
    ASSERT_TRUE(daemon_->wait_event("recording.started"));
    EXPECT_EQ(daemon_->post(at + "start").status, 409);
    EXPECT_EQ(Json(daemon_->post(at + "pause").body).text("recording"), "paused");
    EXPECT_EQ(Json(daemon_->post(at + "resume").body).text("recording"), "recording");
    EXPECT_EQ(Json(daemon_->post(at + "stop").body).text("recording"), "kept");
    EXPECT_EQ(daemon_->post(at + "pause").status, 409);
}

TEST_F(StoreTest, AFolderThatRefusesEndsNoCall) {
    start(recorded("directory = \"/proc/offhook\"\n"));
    auto sipp = caller(milliseconds(2000));
    ASSERT_TRUE(daemon_->wait_event("recording.failed"));
    EXPECT_EQ(Json(daemon_->get("/health").body).text("checks.storage.status"), "degraded");
    ASSERT_TRUE(sipp->succeeds()) << sipp->problem();
    ASSERT_TRUE(wait_records(1, "?end_reason=caller-hangup"));
    EXPECT_EQ(records().text("items.0.recording"), "failed");
}

}  // namespace
}  // namespace offhook::harness
