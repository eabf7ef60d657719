#include "cli/call_views.h"

#include <algorithm>

#include "cli/text_table.h"

namespace offhook::cli {
namespace {

using glib::JsonBody;

constexpr std::size_t kUriBytes = 40;
constexpr std::size_t kSentenceBytes = 400;

std::string name_of_ai(const JsonBody& call) {
    const auto ai = call.object("ai");
    return ai ? shown(*ai, "name") : "-";
}

std::string mos_of(const JsonBody& item) {
    const auto quality = item.object("quality");
    return quality ? number_text(*quality, "mos", 1) : "-";
}

std::string stat(const JsonBody& call, const char* name, int decimals) {
    const auto stats = call.object("stats");
    return stats ? number_text(*stats, name, decimals) : "-";
}

std::string state_or_reason(const JsonBody& call) {
    const auto end = call.object("end");
    return end ? shown(*end, "reason") : shown(call, "state");
}

/// "  fix       what to do", or nothing.
std::string sentence(const JsonBody& issue, const char* name) {
    const std::string text = shown(issue, name, kSentenceBytes);
    if (text == "-") return {};
    std::string label(name);
    label.resize(std::max<std::size_t>(label.size(), 10), ' ');
    return "  " + label + text + "\n";
}

}  // namespace

base::Result<std::string> calls_table(std::string_view body) {
    const auto list = JsonBody::parse(body, "the daemon's list of calls");
    if (!list) return tl::unexpected(list.error());
    const auto calls = list->objects("items");
    if (calls.empty()) return std::string("there are none\n");
    TextTable table(
        {"ID", "STATE", "AGE", "FROM", "TO", "AI", "CODEC", "MOS", "GAP MS", "IN", "OUT", "LOST"});
    for (const JsonBody& call : calls) {
        table.add({shown(call, "id"),
                   state_or_reason(call),
                   duration_text(call.number("duration_ms").value_or(-1)),
                   shown(call, "from", kUriBytes),
                   shown(call, "to", kUriBytes),
                   name_of_ai(call),
                   shown(call, "codec"),
                   mos_of(call),
                   stat(call, "max_gap_ms", 0),
                   stat(call, "received_packets", 0),
                   stat(call, "sent_packets", 0),
                   stat(call, "lost_packets", 0)});
    }
    std::string text = table.text();
    if (list->text("next")) text += "... and more; --json and the API page through them\n";
    return text;
}

base::Result<std::string> call_ids(std::string_view body) {
    const auto list = JsonBody::parse(body, "the daemon's list of calls");
    if (!list) return tl::unexpected(list.error());
    std::string text;
    for (const JsonBody& call : list->objects("items")) text += shown(call, "id") + "\n";
    return text;
}

base::Result<std::string> call_view(std::string_view body) {
    const auto call = JsonBody::parse(body, "the daemon's call");
    if (!call) return tl::unexpected(call.error());
    std::string text = shown(*call, "id") + "  " + state_or_reason(*call) + "  " +
                       duration_text(call->number("duration_ms").value_or(-1)) + "  " +
                       shown(*call, "from", kUriBytes) + " -> " + shown(*call, "to", kUriBytes) +
                       "\n";
    if (const auto quality = call->object("quality"))
        text += "\nquality\n" + members_text(*quality, 2);
    return text + "\n" + members_text(*call);
}

base::Result<std::string> hangup_view(std::string_view body) {
    const auto call = JsonBody::parse(body, "the daemon's call");
    if (!call) return tl::unexpected(call.error());
    const bool has_ended = shown(*call, "state") == "ended";
    return shown(*call, "id") + (has_ended ? " has ended" : " ends") + "\n";
}

base::Result<DiagnosisView> diagnosis_view(std::string_view body) {
    const auto found = JsonBody::parse(body, "the daemon's diagnosis");
    if (!found) return tl::unexpected(found.error());
    DiagnosisView view{.text = {}, .is_healthy = found->boolean("healthy").value_or(false)};
    const auto issues = found->objects("issues");
    if (view.is_healthy)
        view.text = issues.empty() ? "nothing is wrong\n" : "nothing is wrong; to know:\n";
    for (const JsonBody& issue : issues) {
        view.text += shown(issue, "severity") + ": " + shown(issue, "code") + "\n";
        for (const char* name : {"symptom", "cause", "evidence", "hop", "fix", "doc"})
            view.text += sentence(issue, name);
    }
    return view;
}

base::Result<std::string> hops_view(std::string_view body) {
    const auto ledger = JsonBody::parse(body, "the daemon's hops");
    if (!ledger) return tl::unexpected(ledger.error());
    const std::string broken = ledger->text("broken").value_or("");
    TextTable table({"", "HOP", "PACKETS", "MS", "LAST MS", "STATE", ""});
    for (const JsonBody& hop : ledger->objects("hops")) {
        const bool is_broken = !broken.empty() && hop.text("name").value_or("") == broken;
        table.add({is_broken ? "->" : "",
                   shown(hop, "name"),
                   shown(hop, "packets"),
                   number_text(hop, "ms", 0),
                   number_text(hop, "since_last_ms", 0),
                   shown(hop, "state"),
                   hop.text("detail") ? shown(hop, "detail", kSentenceBytes) : ""});
    }
    return "\n" + table.text();
}

base::Result<std::string> records_table(std::string_view body) {
    const auto list = JsonBody::parse(body, "the daemon's call records");
    if (!list) return tl::unexpected(list.error());
    const auto records = list->objects("items");
    if (records.empty()) return std::string("there are none\n");
    TextTable table({"ID", "CREATED", "DURATION", "FROM", "TO", "END", "MOS"});
    for (const JsonBody& record : records) {
        table.add({shown(record, "id"),
                   shown(record, "created"),
                   duration_text(record.number("duration_ms").value_or(-1)),
                   shown(record, "from", kUriBytes),
                   shown(record, "to", kUriBytes),
                   shown(record, "end_reason"),
                   mos_of(record)});
    }
    std::string text = table.text();
    if (list->text("next")) text += "... and older ones: --cursor " + shown(*list, "next") + "\n";
    return text;
}

}  // namespace offhook::cli
