#include "trace/black_boxes.h"

#include <algorithm>

#include "base/json_writer.h"
#include "base/monotonic.h"
#include "trace/sip_text.h"

namespace offhook::trace {
namespace {

constexpr std::size_t kMaxText = 512;
/// With sound to play again, the messages of that time are wanted as well: 50 a second each way.
constexpr int kFramesPerSecond = 100;

std::string_view name_of(log::Level level) {
    switch (level) {
        case log::Level::Debug:
            return "debug";
        case log::Level::Warning:
            return "warning";
        case log::Level::Error:
            return "error";
        case log::Level::Info:
            break;
    }
    return "info";
}

std::string text_of(const log::Field& field) {
    struct Visitor {
        std::string operator()(std::string_view text) const {
            return std::string(text.substr(0, kMaxText));
        }
        std::string operator()(std::int64_t number) const { return std::to_string(number); }
        std::string operator()(double number) const { return base::short_number(number); }
        std::string operator()(bool yes) const { return yes ? "true" : "false"; }
    };
    return std::visit(Visitor{}, field.value);
}

}  // namespace

BlackBoxes::BlackBoxes(BlackBoxSettings settings) : settings_(settings) {
    listening_ = log::set_listener([this](const log::Record& record) {
        if (record.call.empty()) return;
        TimelineEvent event{.realtime_ns = record.realtime_ns,
                            .level = std::string(name_of(record.level)),
                            .event = std::string(record.event),
                            .message = std::string(record.message.substr(0, kMaxText))};
        std::size_t bytes = sizeof event + event.event.size() + event.message.size();
        for (const log::Field& field : record.fields) {
            event.fields.emplace_back(field.key, text_of(field));
            bytes += sizeof event.fields[0] + event.fields.back().second.size();
        }
        events_.keep(std::string(record.call), std::move(event), bytes);
    });
}

void BlackBoxes::on_sip(model::SipWireMessage message) {
    const std::string call_id = call_id_of(message.text);
    const bool may_begin = message.text.starts_with("INVITE ");
    const std::size_t bytes = sizeof message + message.text.size();
    sip_.keep(call_id, std::move(message), bytes, may_begin);
}

BlackBoxes::Box& BlackBoxes::box_of(const model::CallId& call) {
    const auto [found, is_new] = boxes_.try_emplace(call);
    if (is_new) events_.claim(call.text);
    return found->second;
}

std::shared_ptr<model::LegTrace> BlackBoxes::leg_trace(const model::CallId& call) {
    Box& box = box_of(call);
    if (box.leg) return box.leg;
    auto leg = std::make_shared<model::LegTrace>();
    if (settings_.rtp_packets > 0) {
        leg->packets =
            std::make_unique<model::PacketTrace>(static_cast<std::size_t>(settings_.rtp_packets));
    }
    if (settings_.ai_frames > 0) {
        leg->ai_frames = std::make_unique<model::AiFrameTrace>(static_cast<std::size_t>(
            std::max(settings_.ai_frames, settings_.caller_audio_s * kFramesPerSecond)));
    }
    if (settings_.caller_audio_s > 0)
        leg->caller = std::make_unique<model::CallerTape>(settings_.caller_audio_s);
    return box.leg = std::move(leg);
}

void BlackBoxes::begin(const model::CallInfo& call) {
    Box& box = box_of(call.id);
    if (!box.sip_call_id.empty() || call.sip_call_id.empty()) return;
    box.sip_call_id = call.sip_call_id;
    sip_.claim(box.sip_call_id);
}

void BlackBoxes::keep_stats(const model::CallId& call, std::vector<StatsSample> stats) {
    box_of(call).stats = std::move(stats);
}

void BlackBoxes::end(const model::CallInfo& call) {
    begin(call);
    Box& box = box_of(call.id);
    if (box.has_ended) return;
    box.has_ended = true;
    // Of the texts, what they may still grow to: the BYE's answer and the last lines are to come.
    box.bytes = sizeof box + (box.leg ? box.leg->bytes() : 0) +
                box.stats.capacity() * sizeof(StatsSample) + kSipBytes + kEventBytes;
    ended_bytes_ += box.bytes;
    ended_.push_back(call.id);
    const auto limit = static_cast<std::size_t>(settings_.memory_mb) * 1024 * 1024;
    while (ended_.size() > static_cast<std::size_t>(settings_.keep_calls) || ended_bytes_ > limit)
        forget_oldest();
}

void BlackBoxes::forget_oldest() {
    const auto found = boxes_.find(ended_.front());
    ended_.pop_front();
    ended_bytes_ -= found->second.bytes;
    sip_.drop(found->second.sip_call_id);
    events_.drop(found->first.text);
    boxes_.erase(found);
}

std::optional<Dump> BlackBoxes::open(const model::CallId& call) const {
    const auto found = boxes_.find(call);
    if (found == boxes_.end()) return std::nullopt;
    Dump dump;
    dump.call_id = call.text;
    dump.made_ns = base::realtime_ns();
    dump.realtime_offset_ns = dump.made_ns - base::monotonic_ns();
    auto sip = sip_.of(found->second.sip_call_id);
    dump.sip = std::move(sip.items);
    dump.lost_sip = sip.lost;
    auto events = events_.of(call.text);
    dump.events = std::move(events.items);
    dump.lost_events = events.lost;
    dump.leg = found->second.leg;
    dump.stats = found->second.stats;
    return dump;
}

void BlackBoxes::each_live(const Told& told) const {
    for (const auto& [id, box] : boxes_) {
        if (!box.has_ended && box.leg) told(id, box.sip_call_id, *box.leg);
    }
}

BlackBoxes::Sizes BlackBoxes::sizes() const {
    return {boxes_.size() - ended_.size(), ended_.size(), ended_bytes_};
}

}  // namespace offhook::trace
