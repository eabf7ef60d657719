#include "signalling/web/channel_diagnosis.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/escape.h"
#include "base/json_writer.h"
#include "diagnosis/diagnose.h"

namespace offhook::signalling::web {
namespace {

namespace limit = diagnosis::limit;

constexpr std::size_t kMaxWordBytes = 32;

std::optional<double> number(const ClientFigures& figures, std::string_view name) {
    for (const auto& [each, value] : figures) {
        if (each != name) continue;
        const double* number = std::get_if<double>(&value);
        if (number != nullptr && std::isfinite(*number)) return *number;
    }
    return std::nullopt;
}

std::string word(const ClientFigures& figures, std::string_view name) {
    for (const auto& [each, value] : figures) {
        if (each != name) continue;
        if (const auto* text = std::get_if<std::string>(&value))
            return base::escape_untrusted(*text, kMaxWordBytes);
    }
    return {};
}

/// What the browser counts, for evidence; empty: it said nothing.
std::string told_by(const ClientFigures& figures) {
    std::string told;
    const auto add = [&](std::string_view what, const std::string& value) {
        if (!value.empty())
            told += (told.empty() ? "its browser says: " : ", ") + std::string(what) + " " + value;
    };
    const auto add_number = [&](std::string_view what, std::string_view name) {
        if (const auto value = number(figures, name)) add(what, base::short_number(*value));
    };
    add("connection", word(figures, "connection"));
    add("ICE", word(figures, "ice"));
    add_number("packets sent", "packets_sent");
    add_number("received", "packets_received");
    add_number("lost", "packets_lost");
    return told;
}

bool is_of_packets(std::string_view code) {
    constexpr std::array<std::string_view, 6> kCodes{
        "nothing-sent", "nothing-received", "one-way", "loss", "concealment", "ice-failed"};
    return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

std::optional<std::pair<std::string_view, std::string>> seen_by_browser(
    const ChannelPatient& patient) {
    const ClientFigures& figures = patient.client;
    if (!patient.call) return std::nullopt;
    const model::LegStats& ours = patient.call->stats;
    const auto sent = number(figures, "packets_sent");
    const auto received = number(figures, "packets_received");
    const auto lost = number(figures, "packets_lost");
    constexpr auto kPackets = static_cast<double>(limit::kPackets);
    if (sent && *sent >= kPackets && ours.received_packets == 0)
        return std::pair{"one-way",
                         "its browser sent " + base::short_number(*sent) +
                             " packets, and none of them came here"};
    if (received && *received == 0 && ours.sent_packets >= limit::kPackets)
        return std::pair{"one-way",
                         std::to_string(ours.sent_packets) +
                             " packets were sent to its browser, and none came there"};
    if (received && lost && *received + *lost >= kPackets &&
        *lost / (*received + *lost) > limit::kLossShare)
        return std::pair{"loss",
                         "its browser misses " + base::short_number(*lost) + " of " +
                             base::short_number(*received + *lost) + " packets"};
    const auto concealed_percent = number(figures, "concealed_percent");
    if (concealed_percent && *concealed_percent / 100 > limit::kConcealedShare)
        return std::pair{"concealment",
                         "its browser made up " + base::short_number(*concealed_percent) +
                             " % of what it played"};
    return std::nullopt;
}

ChannelFinding finding(const diagnosis::Known& known, std::string evidence) {
    return {std::string(known.code),
            std::string(diagnosis::name_of(known.severity)),
            std::string(known.cause),
            std::move(evidence),
            std::string(known.fix)};
}

}  // namespace

std::vector<ChannelFinding> findings_of(const ChannelPatient& patient, std::int64_t now_ns) {
    std::vector<ChannelFinding> all;
    const std::string told = told_by(patient.client);
    for (const diagnosis::Finding& each : diagnosis::diagnose({.now_ns = now_ns,
                                          .call = patient.call,
                                          .member = patient.member,
                                          .channel = patient.channel})) {
        std::string evidence = each.evidence;
        if (!told.empty() && is_of_packets(each.known.code)) evidence += "; " + told;
        all.push_back(finding(each.known, std::move(evidence)));
    }
    const auto seen = seen_by_browser(patient);
    if (!seen) return all;
    const bool is_there = std::any_of(all.begin(), all.end(), [&](const ChannelFinding& each) {
        return each.code == seen->first;
    });
    if (is_there) return all;
    for (const diagnosis::Known& known : diagnosis::known_findings())
        if (known.code == seen->first) all.push_back(finding(known, seen->second));
    return all;
}

}  // namespace offhook::signalling::web
