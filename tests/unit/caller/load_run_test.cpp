#include "caller/load_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "caller/diagnosis.h"
#include "caller/report.h"
#include "fake_uas.h"

namespace offhook::caller {
namespace {

using test::FakeUas;
using test::OutgoingPacket;
using test::UasPlan;
using testing::ElementsAre;
using testing::HasSubstr;

RunSettings settings_for(const std::string& uri) {
    RunSettings settings;
    settings.target = uri;
    settings.seconds = 1;
    settings.sound = beeps(8000);
    return settings;
}

Report report_of(const RunSettings& settings, int stop_fd = -1) {
    auto run = LoadRun::create(settings);
    if (!run) {
        ADD_FAILURE() << run.error().text();
        return {};
    }
    auto result = (*run)->run(stop_fd, {});
    if (!result) {
        ADD_FAILURE() << result.error().text();
        return {};
    }
    // What a busy test machine does to gaps is not judged here, only what the callee did.
    return make_report(std::move(*result),
                       *Expectation::parse("answered>=100,ssrc=1,lost=0,duplicate=0,ts_breaks=0"));
}

Report report_of(UasPlan plan) {
    const FakeUas uas(std::move(plan));
    return report_of(settings_for(uas.uri()));
}

TEST(LoadRunTest, AGoodCalleeKeepsThePromise) {
    const FakeUas uas({});
    const Report report = report_of(settings_for(uas.uri()));
    EXPECT_EQ(report.exit_code, kExitHeld) << text_report(report);
    ASSERT_EQ(report.run.calls.size(), 1U);
    const CallResult& call = report.run.calls[0];
    EXPECT_EQ(call.ending, Ending::WeHungUp);
    EXPECT_NEAR(static_cast<double>(call.stream.received_packets), 50, 2);
    EXPECT_NEAR(static_cast<double>(call.sent_packets), 50, 2);
    EXPECT_GE(call.stream.first_rtp_ns, 0);
    EXPECT_GT(call.answer_ns, 0);
    EXPECT_EQ(uas.acks(), 1);
    EXPECT_EQ(uas.byes(), 1);
    EXPECT_NEAR(uas.heard_packets(), 50, 2);
}

TEST(LoadRunTest, ManyCallsOverOneTcpConnection) {
    UasPlan plan;
    plan.is_tcp = true;
    const FakeUas uas(plan);
    RunSettings settings = settings_for(uas.uri());
    settings.calls = 20;
    settings.rate_per_s = 200;
    const Report report = report_of(settings);
    EXPECT_EQ(report.exit_code, kExitHeld) << text_report(report);
    EXPECT_EQ(report.summary.answered, 20);
    EXPECT_EQ(uas.byes(), 20);
    EXPECT_NEAR(static_cast<double>(report.summary.received_packets), 1000, 40);
}

TEST(LoadRunTest, AHoleIsNamed) {
    UasPlan plan;
    plan.spoil = [](int index, OutgoingPacket& packet) {
        packet.late_ns = index >= 20 ? 100'000'000 : 0;
    };
    const Report report = report_of(plan);
    EXPECT_GE(report.summary.max_gap_ms, 100);
    EXPECT_THAT(report.trouble, testing::Contains(HasSubstr("the sender paused")))
        << text_report(report);
    EXPECT_LT(report.summary.rate_percent, 99);
}

TEST(LoadRunTest, ASecondSsrcIsNamed) {
    UasPlan plan;
    plan.spoil = [](int index, OutgoingPacket& packet) { packet.ssrc = index < 25 ? 1 : 2; };
    const Report report = report_of(plan);
    EXPECT_EQ(report.exit_code, kExitBroken);
    EXPECT_THAT(report.trouble, testing::Contains(HasSubstr("second SSRC at 0.")))
        << text_report(report);
}

TEST(LoadRunTest, ALostNumberIsNamed) {
    UasPlan plan;
    plan.spoil = [](int index, OutgoingPacket& packet) { packet.is_sent = index != 30; };
    const Report report = report_of(plan);
    EXPECT_EQ(report.exit_code, kExitBroken);
    EXPECT_EQ(report.summary.lost, 1U);
    EXPECT_THAT(report.trouble,
                testing::Contains(testing::AnyOf(HasSubstr("1 packets lost"),
                                                 HasSubstr("1 packets were numbered"))));
}

TEST(LoadRunTest, AStreamThatStopsIsNamed) {
    UasPlan plan;
    plan.packets = 20;
    EXPECT_THAT(report_of(plan).trouble, testing::Contains(HasSubstr("stream stopped at 0.")));
}

TEST(LoadRunTest, SilenceAfterTheAnswerIsNamed) {
    UasPlan plan;
    plan.packets = 0;
    const Report report = report_of(plan);
    EXPECT_THAT(report.trouble, testing::Contains("no RTP after the answer"));
    EXPECT_EQ(report.exit_code, kExitBroken);
}

TEST(LoadRunTest, AnEarlyByeIsNamed) {
    UasPlan plan;
    plan.bye_after_packets = 10;
    const Report report = report_of(plan);
    EXPECT_EQ(report.run.calls.at(0).ending, Ending::PeerHungUp);
    EXPECT_THAT(report.trouble, testing::Contains(HasSubstr("the far end hung up after 0.")));
    EXPECT_EQ(report.summary.hung_up, 1);
}

TEST(LoadRunTest, ARefusalIsNotAnswered) {
    UasPlan plan;
    plan.status = 503;
    plan.extra_headers = "Retry-After: 5\r\n";
    const FakeUas uas(plan);
    const Report report = report_of(settings_for(uas.uri()));
    EXPECT_EQ(report.exit_code, kExitNotAnswered);
    EXPECT_THAT(report.trouble, ElementsAre("answered 503 No, Retry-After 5"));
}

TEST(LoadRunTest, ALostInviteIsSentAgain) {
    UasPlan plan;
    plan.ignored_invites = 1;
    const Report report = report_of(plan);
    EXPECT_EQ(report.exit_code, kExitHeld) << text_report(report);
    EXPECT_EQ(report.summary.invite_retransmissions, 1U);
    EXPECT_GE(report.summary.answer_max_ms, 500);
}

TEST(LoadRunTest, NobodyThereIsSaidAtOnce) {
    std::string gone;
    {
        const FakeUas uas({});
        gone = uas.uri();
    }
    const Report report = report_of(settings_for(gone));
    EXPECT_EQ(report.exit_code, kExitNotAnswered);
    EXPECT_LT(report.run.wall_ns, 5'000'000'000);
    EXPECT_THAT(report.trouble, ElementsAre(HasSubstr("ICMP port unreachable")));
    const auto tcp = LoadRun::create(settings_for(gone + ";transport=tcp"));
    ASSERT_FALSE(tcp);
    EXPECT_EQ(tcp.error().code, base::ErrorCode::Unavailable);
    EXPECT_THAT(tcp.error().message, HasSubstr("connection refused"));
}

TEST(LoadRunTest, RingingForTooLongIsCancelled) {
    UasPlan plan;
    plan.only_rings = true;
    const FakeUas uas(plan);
    RunSettings settings = settings_for(uas.uri());
    settings.answer_timeout_s = 0.3;
    const Report report = report_of(settings);
    EXPECT_EQ(report.run.calls.at(0).ending, Ending::RangOut);
    EXPECT_EQ(uas.cancels(), 1);
    EXPECT_EQ(uas.acks(), 1);
}

TEST(LoadRunTest, AStoppedRunHangsUpAndReports) {
    const FakeUas uas({});
    RunSettings settings = settings_for(uas.uri());
    settings.seconds = 3600;
    settings.calls = 100;
    settings.rate_per_s = 10;
    const FileDescriptor stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    auto run = LoadRun::create(settings);
    ASSERT_TRUE(run);
    const auto result = (*run)->run(stop.get(), [&](const RunProgress& progress) {
        EXPECT_GT(progress.answered, 0);
        const std::uint64_t one = 1;
        (void)!::write(stop.get(), &one, sizeof(one));
    });
    ASSERT_TRUE(result);
    EXPECT_TRUE(result->was_interrupted);
    EXPECT_LT(result->wanted_calls, 100);
    EXPECT_EQ(static_cast<int>(result->calls.size()), result->wanted_calls);
    EXPECT_EQ(uas.byes(), result->wanted_calls);
    EXPECT_GT(summarise(*result).received_packets, 0U);
}

TEST(LoadRunTest, DigitsAreSentAsEvents) {
    const FakeUas uas({});
    RunSettings settings = settings_for(uas.uri());
    settings.dtmf = "1#";
    settings.seconds = 2;
    const Report report = report_of(settings);
    EXPECT_EQ(report.exit_code, kExitHeld);
    EXPECT_GE(uas.heard_events(), 16);
    EXPECT_NEAR(uas.heard_packets(), 100, 3);
}

TEST(LoadRunTest, TheRecordingHasAllThatWasHeardWithGapsAsSilence) {
    char path[] = "/tmp/offhook-record-XXXXXX";
    const FileDescriptor file(mkstemp(path));
    ASSERT_TRUE(file);
    UasPlan plan;
    plan.spoil = [](int index, OutgoingPacket& packet) {
        packet.is_sent = index < 10 || index >= 15;
    };
    const FakeUas uas(plan);
    RunSettings settings = settings_for(uas.uri());
    settings.record_path = path;
    const Report report = report_of(settings);
    const auto heard = read_wav(path);
    unlink(path);
    ASSERT_TRUE(heard);
    EXPECT_EQ(report.summary.lost, 5U);
    EXPECT_EQ(heard->pcm.size(), (report.summary.received_packets + 5) * 160);
}

TEST(LoadRunTest, UsageErrorsSayWhatToDo) {
    EXPECT_EQ(LoadRun::create(settings_for("sips:a@b")).error().code, base::ErrorCode::Unsupported);
    EXPECT_EQ(LoadRun::create(settings_for("sip:a@127.0.0.1;transport=tls")).error().code,
              base::ErrorCode::Unsupported);
    RunSettings settings = settings_for("sip:a@127.0.0.1");
    settings.local = "localhost";
    EXPECT_EQ(LoadRun::create(settings).error().code, base::ErrorCode::InvalidArgument);
    settings.local = "::1";
    EXPECT_EQ(LoadRun::create(settings).error().code, base::ErrorCode::InvalidArgument);
}

}  // namespace
}  // namespace offhook::caller
