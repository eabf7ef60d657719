// End to end by content, one way: what SIPp and baresip say, through the daemon and a socket, is
// understood by the local bot as well as the same recordings are without a line between.

#include <gtest/gtest.h>

#include <cstdio>

#include "ai/kitchen.h"
#include "harness/call_test.h"

namespace offhook::harness {
namespace {

/// Six phrases and a voice to say them with.
struct Part {
    const char* user;
    const char* voice;
    int words_per_minute;
    std::vector<std::string> phrases;
};

const std::vector<Part>& parts() {
    static const std::vector<Part> all{
        {"plain-1",
         "en-us",
         140,
         {"two large pizzas with mushrooms",
          "what time is it now please",
          "i would like one small vegetable soup with spinach",
          "what is on the menu today",
          "three medium sandwiches with cucumber",
          "please cancel my order"}},
        {"plain-2",
         "en-gb",
         150,
         {"could you tell me the time please",
          "a dozen small pancakes with pineapple",
          "what are your opening hours",
          "one enormous pizza with broccoli",
          "that would be everything thank you",
          "i did not understand you"}},
        {"plain-3",
         "en-us+f3",
         150,
         {"i would like five large hamburgers with tomatoes",
          "please stop talking",
          "two medium chicken salads with avocado",
          "what time is it now please",
          "eleven small sandwiches with tomatoes",
          "that would be everything thank you"}},
        {"twilio-1",
         "en-us+m3",
         150,
         {"what is on the menu today",
          "one large hamburger with mushrooms",
          "three enormous vegetable soups with spinach",
          "i did not understand you",
          "please cancel my order",
          "two small pizzas with tomatoes"}},
        {"twilio-2",
         "en-gb-scotland",
         140,
         {"i would like a dozen medium pancakes with avocado",
          "what are your opening hours",
          "five small chicken salads with cucumber",
          "please stop talking",
          "one large sandwich with pineapple",
          "could you tell me the time please"}},
        {"twilio-3",
         "en-us",
         160,
         {"eleven large pizzas with tomatoes",
          "that would be everything thank you",
          "what is on the menu today",
          "two enormous hamburgers with broccoli",
          "what time is it now please",
          "i would like one medium chicken salad with tomatoes"}},
        {"plain-4",
         "en-us",
         150,
         {"three small vegetable soups with mushrooms",
          "please stop talking",
          "what are your opening hours",
          "one enormous pancake with pineapple",
          "i would like five medium sandwiches with spinach",
          "i did not understand you"}},
        {"twilio-4",
         "en-us+f2",
         140,
         {"could you tell me the time please",
          "a dozen large pizzas with cucumber",
          "please cancel my order",
          "two small hamburgers with avocado",
          "one medium sandwich with broccoli",
          "that would be everything thank you"}},
    };
    return all;
}
constexpr std::size_t kByBaresip = 2;  ///< the last ones; the others are SIPp's

struct Caller {
    const Part* part = nullptr;
    Speech speech;
    std::unique_ptr<TempDir> folder = std::make_unique<TempDir>();
    std::unique_ptr<Sipp> sipp;
    std::unique_ptr<Baresip> baresip;
};

TEST(Speech, IsUnderstoodThroughTheDaemonAsWithoutIt) {
    if (!has_kitchen()) GTEST_SKIP() << "the local bot was not built, or has no speech model";
    std::vector<Caller> callers;
    for (const Part& part : parts()) {
        Caller caller;
        caller.part = &part;
        caller.speech =
            say(*caller.folder, part.voice, part.words_per_minute, part.phrases, 0.5, {1.2});
        // The bot needs a pause to know that the last phrase is over.
        caller.speech.sound.append_silence(1);
        callers.push_back(std::move(caller));
    }

    const TempDir folder;
    Kitchen kitchen(folder);
    for (std::size_t i = 0; i < callers.size(); ++i) {
        Caller& caller = callers[i];
        const std::string user = caller.part->user;
        if (i + kByBaresip >= callers.size()) {
            caller.baresip = std::make_unique<Baresip>(
                *caller.folder, kitchen.daemon().uri(user), "PCMU", caller.speech.sound);
            continue;
        }
        const auto mulaw = *caller.folder / "spoken.ulaw";
        write_mulaw(mulaw, caller.speech.sound);
        const auto length = milliseconds(static_cast<int>(caller.speech.sound.seconds() * 1000));
        Scenario scenario;
        scenario.invite({}).may_receive(100).may_receive(180).receive(200).ack().stream(mulaw);
        scenario.pause(length - milliseconds(100)).bye().receive(200);
        Sipp::Options options;
        options.user = user;
        caller.sipp =
            std::make_unique<Sipp>(*caller.folder, kitchen.daemon().sip_port(), scenario, options);
    }

    std::size_t said = 0;
    std::size_t through_line = 0;
    for (Caller& caller : callers) {
        const std::string user = caller.part->user;
        EXPECT_TRUE(!caller.sipp || caller.sipp->succeeds()) << caller.sipp->problem();
        EXPECT_TRUE(kitchen.wait_end(user, seconds(60))) << kitchen.bot().output();
        const auto heard = kitchen.words(user, "heard");
        const std::size_t right = understood(caller.part->phrases, heard);
        said += caller.part->phrases.size();
        through_line += right;
        std::printf("%s by %s: %zu of %zu\n",
                    user.c_str(),
                    caller.sipp ? "SIPp" : "baresip",
                    right,
                    caller.part->phrases.size());
        if (right == caller.part->phrases.size()) continue;
        for (const Said& line : kitchen.transcript(user))
            std::printf("  %s: %s\n", line.event.c_str(), line.words.c_str());
    }
    // After the calls: recognising takes what the calls need.
    std::vector<Sound> recordings;
    for (Caller& caller : callers) recordings.push_back(caller.speech.sound);
    const auto heard_without = recognised(folder, recordings, "caller");
    std::size_t without_line = 0;
    for (std::size_t i = 0; i < callers.size(); ++i)
        without_line += understood(callers[i].part->phrases, heard_without[i]);
    const double through = 100.0 * static_cast<double>(through_line) / static_cast<double>(said);
    const double without = 100.0 * static_cast<double>(without_line) / static_cast<double>(said);
    std::printf(
        "understood through the daemon %.1f %%, the same recordings through mu-law alone "
        "%.1f %% of %zu\n",
        through,
        without,
        said);
    EXPECT_GE(through, 80);
    EXPECT_GE(through, without - 3);
}

}  // namespace
}  // namespace offhook::harness
