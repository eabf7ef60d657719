#include "api/ai_metrics.h"

#include <algorithm>

namespace offhook::api {
namespace {

using prometheus::Counter;
using prometheus::Family;

Family<Counter>& counters(prometheus::Registry& registry, const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

template <class T>
void raise_by(Counter& counter, T& before, T now, double per = 1) {
    if (now > before) counter.Increment(static_cast<double>(now - before) / per);
    before = now;
}

constexpr double kMsPerS = 1000;

}  // namespace

AiMetrics::AiMetrics(prometheus::Registry& registry)
    : registry_(registry),
      calls_(prometheus::BuildGauge()
                 .Name("offhook_ai_calls")
                 .Help("Calls by the protocol of their AI and how it fares")
                 .Register(registry)),
      connections_(
          counters(registry, "offhook_ai_connections_total", "Connections with bots that came up")),
      losses_(counters(registry,
                       "offhook_ai_losses_total",
                       "Calls whose bot was lost or could not be reached, by why; further tries "
                       "of the same loss are not in it")),
      sound_(counters(registry,
                      "offhook_ai_sound_seconds_total",
                      "Sound of bots by its fate: played (it left as RTP), cleared (by the bot or "
                      "an interruption), overflowed (the bot was too far ahead)")),
      verbs_(counters(registry,
                      "offhook_ai_verbs_total",
                      "What bots asked to be done with calls: done, failed, or refused because "
                      "the route does not allow it")),
      barge_ins_(counters(registry,
                          "offhook_ai_barge_ins_total",
                          "Interruptions that our detector noticed, by what the bot made of them")),
      turn_parts_(prometheus::BuildHistogram()
                      .Name("offhook_ai_turn_part_seconds")
                      .Help("The parts of offhook_ai_turn_seconds, which add up to it")
                      .Register(registry)),
      unsent_frames_(counters(registry,
                              "offhook_ai_unsent_frames_total",
                              "Frames of callers that a bot's socket did not take")
                         .Add({})),
      bad_messages_(counters(registry,
                             "offhook_ai_bad_messages_total",
                             "Messages of bots that were ignored because they cannot be read")
                        .Add({})),
      reconnect_(prometheus::BuildHistogram()
                     .Name("offhook_ai_reconnect_seconds")
                     .Help("From the loss of a bot to the moment it hears the caller again")
                     .Register(registry)
                     .Add({},
                          prometheus::Histogram::BucketBoundaries{
                              .1, .25, .5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300})) {
    for (const char* fate : {"played", "cleared", "overflowed"}) sound_.Add({{"fate", fate}});
    for (const char* result : {"noticed", "taken-back"}) barge_ins_.Add({{"result", result}});
}

void AiMetrics::on_verb(std::string_view verb, std::string_view result) {
    verbs_.Add({{"verb", std::string(verb)}, {"result", std::string(result)}}).Increment();
}

void AiMetrics::on_lost(std::string_view protocol, std::string_view why) {
    losses_
        .Add({{"protocol", std::string(protocol)},
              {"reason", why.empty() ? std::string("unknown") : std::string(why)}})
        .Increment();
}

void AiMetrics::on_back(double gap_s) {
    reconnect_.Observe(gap_s);
}

void AiMetrics::begin_scrape() {
    for (auto& [labels, count] : states_) {
        count = 0;
        calls_.Add({{"protocol", labels.first}, {"state", labels.second}}).Set(0);
    }
}

void AiMetrics::take(const model::CallInfo& call, bool is_live) {
    const model::AiInfo& bot = call.bot;
    if (bot.protocol.empty()) return;
    if (is_live) {
        const std::pair labels{bot.protocol, std::string(model::name_of(bot.state))};
        calls_.Add({{"protocol", labels.first}, {"state", labels.second}})
            .Set(states_[labels] += 1);
    }
    const model::AiFigures& now = bot.figures;
    Seen& seen = seen_[call.id];
    raise_by(connections_.Add({{"protocol", bot.protocol}}), seen.connections, now.connections);
    raise_by(unsent_frames_, seen.unsent_frames, now.unsent_frames);
    raise_by(bad_messages_, seen.bad_messages, now.bad_messages);
    raise_by(barge_ins_.Add({{"result", "noticed"}}), seen.barge_ins, now.barge_ins);
    raise_by(barge_ins_.Add({{"result", "taken-back"}}), seen.taken_back, now.taken_back_barge_ins);
    raise_by(sound_.Add({{"fate", "played"}}), seen.played_ms, now.played_ms, kMsPerS);
    raise_by(sound_.Add({{"fate", "cleared"}}), seen.cleared_ms, now.cleared_ms, kMsPerS);
    raise_by(sound_.Add({{"fate", "overflowed"}}), seen.overflowed_ms, now.overflowed_ms, kMsPerS);
}

AiMetrics::Latency& AiMetrics::latency(const model::LatencyReading& reading) {
    Latency& known = latencies_[reading.step];
    if (known.histogram != nullptr) return known;
    known.buckets.resize(reading.buckets.size());
    constexpr std::string_view kPart = "turn-";
    if (reading.step.starts_with(kPart)) {
        known.histogram =
            &turn_parts_.Add({{"part", reading.step.substr(kPart.size())}}, reading.bounds_s);
        return known;
    }
    std::string name = "offhook_ai_" + reading.step + "_seconds";
    std::replace(name.begin(), name.end(), '-', '_');
    const char* const help =
        reading.step == "turn" ? "The caller's last speech to the bot's first sound on the wire"
        : reading.step == "caller-to-socket"
            ? "A frame of the caller from the tap to the bot's socket"
            : "A bot's sound from its socket to the wire, when nothing waits before it";
    known.histogram = &prometheus::BuildHistogram().Name(name).Help(help).Register(registry_).Add(
        {}, reading.bounds_s);
    return known;
}

void AiMetrics::take(const std::vector<model::LatencyReading>& latencies) {
    for (const model::LatencyReading& reading : latencies) {
        Latency& known = latency(reading);
        if (known.buckets.size() != reading.buckets.size()) continue;
        std::vector<double> more(reading.buckets.size());
        for (std::size_t i = 0; i < more.size(); ++i) {
            more[i] = static_cast<double>(reading.buckets[i] - known.buckets[i]);
            known.buckets[i] = reading.buckets[i];
        }
        known.histogram->ObserveMultiple(more, std::max(0.0, reading.sum_s - known.sum_s));
        known.sum_s = reading.sum_s;
    }
}

}  // namespace offhook::api
