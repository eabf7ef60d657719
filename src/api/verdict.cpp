#include "api/verdict.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace offhook::api {
namespace {

using diagnosis::Finding;
using diagnosis::Severity;
using Status = model::HealthCheck::Status;

constexpr std::size_t kMaxEvidence = 60;  ///< what a headline bears

/// "udp:10.0.0.5:5060" is 10.0.0.5.
std::string host_of(const std::string& peer) {
    const std::size_t colon = peer.find(':');
    std::string host = colon == std::string::npos ? peer : peer.substr(colon + 1);
    const std::size_t port = host.rfind(':');
    // An IPv6 address stands in brackets when a port follows.
    if (port != std::string::npos && host.find(']', port) == std::string::npos) host.resize(port);
    return host.empty() ? "the caller" : host;
}

std::string seconds_of(double ms) {
    return std::to_string(std::lround(ms / 1000)) + " s";
}

/// A few words for a headline; the whole cause is in the diagnosis.
std::string_view phrase_of(std::string_view code) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kPhrases{
        {{"nothing-sent", "nothing is sent to the caller"},
         {"loss", "packets are lost"},
         {"jitter", "packets come unevenly"},
         {"round-trip-high", "the way to the caller and back is long"},
         {"concealment", "missing sound is made up"},
         {"clipping", "the sound is cut off at its peaks"},
         {"source-silent", "only silence comes"},
         {"ai-not-connected", "the AI is not connected"},
         {"ai-silent", "the AI says nothing"},
         {"ai-slow", "the AI is too slow"},
         {"ice-failed", "no packet gets through"},
         {"dtls-failed", "no keys could be agreed on"},
         {"fingerprint-mismatch", "the certificate is a foreign one"},
         {"mixer-starved", "sound is missing at the mixer"},
         {"mixer-late", "the mixer is late"},
         {"no-leg", "there is no sound connection"}}};
    for (const auto& [known, phrase] : kPhrases) {
        if (known == code) return phrase;
    }
    return {};
}

/// A sentence as it stands behind a colon.
std::string in_passing(std::string_view sentence) {
    std::string text(sentence);
    if (text.ends_with('.')) text.pop_back();
    const bool is_word = text.size() > 1 && text[1] >= 'a' && text[1] <= 'z';
    if (is_word && text[0] >= 'A' && text[0] <= 'Z')
        text[0] = static_cast<char>(text[0] - 'A' + 'a');
    return text;
}

std::string text_of(const model::CallInfo& call, const Finding& finding) {
    const std::string_view code = finding.known.code;
    if (code == "nothing-received" || code == "one-way") {
        const double quiet_ms = call.stats.since_last_received_ms;
        return "no RTP from " + host_of(call.peer) +
               (quiet_ms < 0 ? " since the answer" : " for " + seconds_of(quiet_ms));
    }
    std::string text(phrase_of(code));
    if (text.empty()) text = in_passing(finding.known.symptom);
    if (text.empty()) text = code;
    const bool is_short = !finding.evidence.empty() && finding.evidence.size() <= kMaxEvidence;
    return is_short ? text + " (" + finding.evidence + ")" : text;
}

std::string counted(std::size_t n) {
    return std::to_string(n) + (n == 1 ? " call" : " calls");
}

std::string alive(std::size_t calls) {
    if (calls == 0) return "No calls, and ready for them";
    if (calls == 1) return "The call is alive";
    return "All " + counted(calls) + " are alive";
}

Verdict about_calls(const VerdictFacts& facts, Severity severity) {
    const CallTrouble* worst = nullptr;
    std::size_t many = 0;
    bool is_same = true;
    for (const CallTrouble& each : facts.trouble) {
        if (each.severity != severity) continue;
        ++many;
        if (worst == nullptr) worst = &each;
        is_same = is_same && each.code == worst->code;
    }
    if (worst == nullptr) return {};
    Verdict verdict{severity == Severity::Error ? "error" : "warning", {}, worst->call};
    const std::string share =
        facts.calls <= 1 ? "The call" : std::to_string(many) + " of " + counted(facts.calls);
    verdict.sentence = share + ": " + worst->text;
    if (many > 1) verdict.sentence += is_same ? ", and so the others" : ", and other trouble";
    return verdict;
}

/// Of a check that is worse than ok; the detail is a sentence that says what to do.
Verdict about(const model::HealthCheck& check, const VerdictFacts& facts) {
    const bool has_failed = check.status == Status::Failed;
    return {has_failed ? "error" : "warning",
            (has_failed || facts.calls == 0 ? std::string() : alive(facts.calls) + ", but ") +
                check.detail,
            {}};
}

}  // namespace

std::vector<CallTrouble> trouble_of(const model::CallInfo& call,
                                    const std::vector<Finding>& findings) {
    for (const Finding& finding : findings) {
        // A caller who listens is no trouble.
        if (finding.known.severity == Severity::Info || finding.known.code == "source-silent")
            continue;
        return {
            {call.id, finding.known.severity, finding.known.code, text_of(call, finding)},
        };
    }
    return {};
}

Verdict verdict_of(const VerdictFacts& facts) {
    for (const auto* check : {&facts.media, &facts.accounts, &facts.ai}) {
        if (check->status == Status::Failed) return about(*check, facts);
    }
    if (Verdict verdict = about_calls(facts, Severity::Error); !verdict.sentence.empty())
        return verdict;
    if (facts.tick_p99_limit_ms > 0 && facts.tick_p99_ms > facts.tick_p99_limit_ms)
        return about(facts.media, facts);
    for (const auto* check : {&facts.accounts, &facts.ai}) {
        if (check->status == Status::Degraded) return about(*check, facts);
    }
    if (Verdict verdict = about_calls(facts, Severity::Warning); !verdict.sentence.empty())
        return verdict;
    if (facts.is_draining) {
        return {"info",
                facts.calls == 0 ? "Draining, and no call is left"
                                 : "Draining: " + counted(facts.calls) + " left, all alive",
                {}};
    }
    return {"ok", alive(facts.calls), {}};
}

}  // namespace offhook::api
