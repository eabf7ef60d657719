#include "pbx/proof.h"

#include <algorithm>
#include <iostream>

namespace offhook::harness {
namespace {

constexpr double kCaller_hz = 700;
constexpr int kPhoneLegPorts = 800;  ///< of a thousand; web legs have the rest

}  // namespace

void ProofTest::SetUp() {
    if (const std::string reason = Pbx::missing(); !reason.empty()) {
        GTEST_SKIP() << reason;
    }
}

void ProofTest::TearDown() {
    if (HasFailure() && daemon_ != nullptr) {
        const std::string log = daemon_->process().output();
        constexpr std::size_t kTail = 8000;
        std::cerr << "the daemon's log:\n"
                  << log.substr(log.size() > kTail ? log.size() - kTail : 0) << '\n';
    }
    if (HasFailure() && pbx_ != nullptr) {
        std::cerr << pbx_->log() << '\n';
    }
}

void ProofTest::start_pbx(Pbx::Options options, const std::vector<Phone>& phones) {
    phones_ = phones;
    std::vector<Pbx::User> users;
    for (const Phone& phone : phones) {
        users.push_back({.name = phone.user, .media = phone.media});
    }
    for (const Pbx::User& user : options.users) {
        users.push_back(user);
    }
    options.users = users;
    pbx_ = std::make_unique<Pbx>(folder_, options);
}

void ProofTest::start_daemon(const std::vector<Phone>& phones,
                             const std::map<std::string, std::uint16_t>& ways) {
    rtp_ports_ = std::make_unique<RtpPorts>();
    capture_ = std::make_unique<Capture>(folder_,
                                         pbx_->filter() + " or udp portrange " +
                                             std::to_string(rtp_ports_->first) + "-" +
                                             std::to_string(rtp_ports_->last));
    Daemon::Options options;
    options.has_tcp = true;
    options.ports = {rtp_ports_->first, first_web_port() - 1};
    options.more = "[state]\ndirectory = \"" + (folder_ / "state").string() +
                   "\"\n[web]\naddresses = [\"127.0.0.1\"]\nports = \"" +
                   std::to_string(first_web_port()) + "-" + std::to_string(rtp_ports_->last) +
                   "\"\n[[ai]]\nname = \"mute\"\nprotocol = \"mute\"\n"
                   "[[route]]\nname = \"all\"\nai = \"mute\"\n";
    for (const Phone& phone : phones) {
        const auto way = ways.find(phone.user);
        options.more += pbx_->account(
            phone.user, phone.transport, way == ways.end() ? std::uint16_t{0} : way->second);
    }
    daemon_ = std::make_unique<Daemon>(folder_, options);
    for (const Phone& phone : phones) {
        ASSERT_TRUE(pbx_->wait_registered(phone.user, seconds(20))) << phone.user;
    }
}

std::uint16_t ProofTest::first_web_port() const {
    return static_cast<std::uint16_t>(rtp_ports_->first + kPhoneLegPorts);
}

std::unique_ptr<Sipp> ProofTest::call(const std::string& user, milliseconds length) {
    const std::filesystem::path says = folder_ / "caller.ulaw";
    if (!std::filesystem::exists(says)) {
        write_mulaw(says, tone(8000, kCaller_hz, 1));
    }
    Scenario scenario;
    scenario.invite({}).may_receive(100).may_receive(180).receive(200).ack().stream(says);
    Scenario::Media again;
    again.version = 2;
    scenario.answer_reinvites(again, length).bye().receive(200);
    Sipp::Options options;
    options.user = user;
    return std::make_unique<Sipp>(folder_, pbx_->trunk_port(), scenario, options);
}

void ProofTest::expect_live_calls(std::size_t count) {
    EXPECT_TRUE(eventually(seconds(20), &daemon_->process(), [&] {
        return daemon_->count_events("rtp.first_packet_received") >= count;
    }));
    EXPECT_EQ(daemon_->live_calls(), count);
}

void ProofTest::expect_next_call(const std::string& user) {
    const auto caller = call(user, milliseconds(500));
    expect_ended_by_caller(*caller);
}

void ProofTest::expect_ended_by_caller(Sipp& caller) {
    EXPECT_TRUE(caller.succeeds(seconds(150))) << caller.problem();
}

void ProofTest::expect_steady(std::size_t calls, double length_s) {
    const std::uint16_t first = rtp_ports_->first;
    const std::uint16_t first_web = first_web_port();
    const std::uint16_t last = rtp_ports_->last;
    auto sent = streams(capture_->rtp(first, first_web - 1), first, first_web - 1, true);
    for (const RtpStream& web :
         streams(capture_->rtp(first_web, last, true), first_web, last, true)) {
        sent.push_back(web);
    }
    std::stable_sort(sent.begin(), sent.end(), [](const RtpStream& one, const RtpStream& other) {
        return one.packets().size() > other.packets().size();
    });
    // The longest: a short call after the trouble is judged by its own length.
    ASSERT_GE(sent.size(), calls);
    for (std::size_t index = 0; index < sent.size(); ++index) {
        const RtpVerdict verdict = sent[index].judge();
        EXPECT_TRUE(keeps_promise(verdict));
        if (index < calls) {
            EXPECT_GE(verdict.duration_s, length_s) << verdict.text();
        }
    }
}

std::vector<RtpStream> ProofTest::heard_by_callers() {
    const std::uint16_t first = pbx_->first_rtp_port();
    const std::uint16_t last = pbx_->last_rtp_port();
    auto heard = streams(capture_->rtp(first, last), first, last, true);
    std::erase_if(heard, [this](const RtpStream& stream) {
        const std::uint16_t target = stream.packets().front().target_port;
        return target >= rtp_ports_->first && target <= rtp_ports_->last;  // what phones hear
    });
    return heard;
}

void ProofTest::expect_no_greeting(const RtpStream& heard) {
    EXPECT_EQ(heard.judge().sequence_breaks, 0U) << heard.judge().text();
    for (const HeardTone& one : heard_tones(heard.sound("PCMU"), {Pbx::kGreeting_hz})) {
        EXPECT_LT(one.length_s, 0.1) << "the greeting at " << one.start_s << " s";
    }
}

void ProofTest::expect_callers_undisturbed(std::size_t calls, double length_s) {
    EXPECT_TRUE(pbx_->diversions().empty());
    const auto heard = heard_by_callers();
    ASSERT_GE(heard.size(), calls);
    for (std::size_t index = 0; index < heard.size(); ++index) {
        expect_no_greeting(heard[index]);
        // Packets that the relay could not decrypt would be missing here.
        if (index < calls) {
            const RtpVerdict verdict = heard[index].judge();
            EXPECT_GE(double(verdict.packets), length_s * 49) << verdict.text();
        }
    }
}

}  // namespace offhook::harness
