// Every message of RFC 4475 gets the right answer or none, on every transport, and the next message is
// served as if nothing had been.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <sstream>

#include "messages.h"
#include "scripted_uac.h"

namespace offhook::test {
namespace {

/// Without `rport` an answer goes to the port of the topmost Via (RFC 3261 §18.2.2), so a caller over
/// UDP has to sit there. An address of its own keeps it out of everybody's way.
std::string random_loopback() {
    std::random_device random;
    std::uniform_int_distribution<int> octet(2, 254);
    return "127." + std::to_string(octet(random)) + "." + std::to_string(octet(random)) + "." +
           std::to_string(octet(random));
}

std::uint16_t port_of_top_via(std::string_view bytes) {
    for (const std::string_view port : {"5050", "5070"}) {
        if (bytes.find(":" + std::string(port) + ";branch") != std::string_view::npos)
            return static_cast<std::uint16_t>(std::stoi(std::string(port)));
    }
    return 5060;
}

class Torture
    : public testing::TestWithParam<std::tuple<ScriptedUac::Over, const TortureMessage*>> {};

std::string joined(const std::vector<int>& statuses) {
    std::ostringstream text;
    for (const int status : statuses) text << status << ' ';
    return text.str();
}

TEST_P(Torture, GetsTheRightAnswerOrNone) {
    const auto& [over, message] = GetParam();
    const bool datagram = over == ScriptedUac::Over::Udp;
    const Reaction& right = datagram ? message->datagram : message->stream;
    Bench bench;
    bench.answer_all();
    ScriptedUac sender(bench,
                       over,
                       datagram ? random_loopback() : "127.0.0.1",
                       datagram ? port_of_top_via(message->bytes) : std::uint16_t{0});
    sender.send(message->bytes);

    std::vector<int> finals;
    const auto take = [&](const Message& answer) {
        if (answer.status() >= 200) finals.push_back(answer.status());
    };
    // What is answered at all is answered before this: one socket is read in order. Only calls wait
    // for the control thread, and those are waited for.
    const bool probe = right.may_be_silent;
    if (probe) {
        sender.send(sender.request("OPTIONS"));
        for (Message answer = sender.receive(1000ms); !answer.empty();
             answer = sender.receive(1000ms)) {
            if (answer.header("Call-ID") == sender.call_id) break;
            take(answer);
        }
    } else {
        for (Message answer = sender.receive(); !answer.empty(); answer = sender.receive()) {
            take(answer);
            if (finals.size() == (datagram ? 1U : message->name == "dblreq" ? 2U : 1U)) break;
        }
        ASSERT_FALSE(finals.empty()) << "no answer, but one of " << joined(right.statuses);
    }
    for (const int status : finals) {
        EXPECT_NE(std::find(right.statuses.begin(), right.statuses.end(), status),
                  right.statuses.end())
            << status << " is none of " << joined(right.statuses);
    }

    ScriptedUac next(bench, over);
    next.send(next.request("OPTIONS"));
    EXPECT_EQ(next.receive().status(), 200) << "the stack is not well after " << message->name;
}

std::vector<const TortureMessage*> each_message() {
    std::vector<const TortureMessage*> all;
    for (const TortureMessage& message : torture_messages()) all.push_back(&message);
    return all;
}

INSTANTIATE_TEST_SUITE_P(
    Rfc4475,
    Torture,
    testing::Combine(testing::Values(ScriptedUac::Over::Udp, ScriptedUac::Over::Tcp),
                     testing::ValuesIn(each_message())),
    [](const auto& param_info) {
        return std::string(std::get<0>(param_info.param) == ScriptedUac::Over::Udp ? "Udp_"
                                                                                   : "Tcp_") +
               std::string(std::get<1>(param_info.param)->name);
    });

/// A wrong copy would test something else: the lengths that the messages state are those of their
/// bodies.
TEST(TortureMessages, AreWhole) {
    EXPECT_EQ(torture_messages().size(), 49U);
    for (const TortureMessage& message : torture_messages()) {
        if (message.name == "clerr" || message.name == "ncl" || message.name == "mcl01" ||
            message.name == "dblreq")
            continue;  // wrong lengths are what these are about
        const Message parsed{message.bytes};
        const std::string length = parsed.header("Content-Length") + parsed.header("l");
        if (length.empty()) continue;
        const std::size_t body = message.bytes.size() -
                                 std::min(message.bytes.size(), message.bytes.find("\r\n\r\n") + 4);
        EXPECT_EQ(body, std::stoul(length)) << message.name;
    }
}

}  // namespace
}  // namespace offhook::test
