#include "call/call.h"

#include <utility>

#include "base/escape.h"
#include "base/monotonic.h"
#include "call/number_mask.h"

namespace offhook::call {
namespace {

std::string safe(const std::string& text) {
    return base::escape_untrusted(text);
}

model::CallFacts safe(model::CallFacts facts) {
    facts.asserted_identity = safe(facts.asserted_identity);
    for (std::string& text : facts.diversion) text = safe(text);
    for (std::string& text : facts.history) text = safe(text);
    for (auto& [name, value] : facts.headers) {
        name = safe(name);
        value = safe(value);
    }
    if (facts.ringcentral) {
        model::RingCentralFacts& said = *facts.ringcentral;
        for (std::string* text : {&said.party_id,
                                  &said.session_id,
                                  &said.queue_name,
                                  &said.caller_id_name,
                                  &said.caller,
                                  &said.caller_name,
                                  &said.called,
                                  &said.called_name,
                                  &said.service_level,
                                  &said.service_level_ext,
                                  &said.recording_url}) {
            *text = safe(*text);
        }
        for (std::string& text : said.call_attributes) text = safe(text);
    }
    return facts;
}

}  // namespace

Call::Call(const model::IncomingCall& incoming)
    : id(incoming.id), incoming_ns(base::monotonic_ns()), replaced{incoming.facts.replaces} {
    info.id = incoming.id;
    info.sip_call_id = safe(incoming.sip_call_id);
    info.from = safe(incoming.from_uri);
    info.to = safe(incoming.to_uri);
    info.peer = safe(incoming.peer);
    info.transport = info.peer.substr(0, info.peer.find(':'));
    info.user_agent = safe(incoming.user_agent);
    info.account = incoming.account;
    info.facts = safe(incoming.facts);
    quirks = incoming.quirks;
    via = incoming.via;
    place = incoming.place;
    peer_name = incoming.from_display_name.empty() ? mask_numbers(incoming.from_user)
                                                   : incoming.from_display_name;
    local_address = incoming.local_address;
    info.created_ns = base::realtime_ns();
    session_id = std::to_string(info.created_ns / base::kNsPerUs);
}

Call::Call(std::string account, std::string from, std::string to)
    : id(model::CallId::make()), incoming_ns(base::monotonic_ns()) {
    info.id = id;
    info.direction = model::CallDirection::Outbound;
    info.state = model::CallState::Dialing;
    info.account = std::move(account);
    info.from = std::move(from);
    info.to = std::move(to);
    peer_name = mask_numbers(info.to);
    info.created_ns = base::realtime_ns();
    session_id = std::to_string(info.created_ns / base::kNsPerUs);
}

void Call::note_answer() {
    answered_ns = base::monotonic_ns();
    info.answered_ns = base::realtime_ns();
    info.answer_ms = static_cast<double>(answered_ns - incoming_ns) / 1e6;
    update_state();
}

void Call::update_state() {
    info.is_held_by_peer = is_agreed && is_held();
    info.is_held_by_us = is_holding && !is_offering;
    if (!is_answered() || ending) return;
    info.state = info.is_held_by_peer || info.is_held_by_us ? model::CallState::Held
                                                            : model::CallState::Answered;
}

}  // namespace offhook::call
