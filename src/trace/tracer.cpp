#include "trace/tracer.h"

#include "base/monotonic.h"
#include "trace/redact.h"

namespace offhook::trace {

Tracer::Tracer(Settings settings, base::Executor& control, GMainContext* context)
    : control_(control) {
    if (settings.boxes) {
        boxes_.emplace(*settings.boxes);
        desk_.emplace(control_);
    }
    if (!settings.hep) return;
    hep_.emplace(*std::move(settings.hep));
    if (boxes_) rtcp_timer_.every(context, std::chrono::seconds(1), [this] { send_rtcp(); });
}

model::SipWireTap Tracer::wire_tap() {
    if (!boxes_ && !hep_) return {};
    return [this](model::SipWireMessage message) {
        message.text = without_secrets(message.text);
        if (hep_) hep_->send(hep_of(message));
        if (boxes_) boxes_->on_sip(std::move(message));
    };
}

void Tracer::on_begun(const model::CallInfo& call) {
    if (boxes_) boxes_->begin(call);
}

void Tracer::on_ended(const model::CallInfo& call) {
    if (hep_ && boxes_) send_rtcp();
    rtcp_sent_.erase(call.id);
    if (boxes_) boxes_->end(call);
}

Tracer::Ordered Tracer::dump(const model::CallId& call,
                             DumpFormat format,
                             std::string call_json,
                             std::function<void(Written)> done) {
    auto dump = boxes_ ? boxes_->open(call) : std::nullopt;
    if (!dump) return Ordered::NoBox;
    dump->call_json = std::move(call_json);
    if (stats_ && dump->stats.empty()) dump->stats = stats_(call);
    std::string name = file_name_of(*dump, format);
    const bool is_taken =
        desk_->order([dump = *std::move(dump), format] { return write_dump(dump, format); },
                     [name = std::move(name), done = std::move(done)](std::string bytes) {
                         done({name, std::move(bytes)});
                     });
    return is_taken ? Ordered::Yes : Ordered::Busy;
}

void Tracer::send_rtcp() {
    const std::int64_t offset_ns = base::realtime_ns() - base::monotonic_ns();
    boxes_->each_live(
        [&](const model::CallId& id, const std::string& sip_call_id, const model::LegTrace& leg) {
            if (!leg.packets) return;
            std::vector<model::RtcpRecord> reports;
            std::uint64_t& next = rtcp_sent_[id];
            next = leg.packets->rtcp_since(next, reports);
            if (reports.empty()) return;
            const std::vector<model::WireAddress> remotes = leg.packets->remotes();
            for (const model::RtcpRecord& report : reports) {
                HepPacket packet{.type = HepType::RtcpJson,
                                 .realtime_ns = report.at_ns + offset_ns,
                                 .from = leg.local,
                                 .to = report.remote < remotes.size() ? remotes[report.remote]
                                                                      : model::WireAddress{},
                                 .correlation_id = sip_call_id};
                if (report.is_inbound) std::swap(packet.from, packet.to);
                packet.payload = rtcp_json(
                    {reinterpret_cast<const char*>(report.packet.data()), report.packet.size()});
                if (!packet.payload.empty()) hep_->send(std::move(packet));
            }
        });
}

}  // namespace offhook::trace
