// What RingCentral is asked to do with a call of one of its WebPhones: while it rings (it then
// cancels our INVITE), and while it goes on (JSON by INFO, the answer by another).

#include <algorithm>
#include <array>

#include "base/escape.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/monotonic.h"
#include "call/call_registry.h"
#include "call/destination.h"
#include "call/number_mask.h"
#include "glib/json_body.h"

namespace offhook::call {

using base::ErrorCode;
using log::Level;
using log::Mark;
using model::CallId;
using model::EndReason;
using model::RingCentralCommand;

namespace {

/// Their own phones wait as long for what comes of a transfer.
constexpr std::chrono::seconds kPatience{10};
constexpr std::size_t kMaxKept = 16;
constexpr std::size_t kMaxTextBytes = 512;
constexpr int kSessionClose = 9;

struct Known {
    std::string_view name;
    int command;                 ///< Cmd; 0: by INFO, while the call goes on
    std::string_view json;       ///< its name there
    std::string_view attribute;  ///< of callAttributes, that says that it is allowed; empty: none
    EndReason end;               ///< how the call ends when it works; InternalError: it does not
};
constexpr std::array kKnown{
    Known{"to-voicemail", 11, "", "send-vm", EndReason::SentToVoicemail},
    Known{"reject", 12, "", "reject", EndReason::Declined},
    Known{"forward", 10, "", "", EndReason::Forwarded},
    Known{"reply", 14, "", "", EndReason::Replied},
    Known{"start-recording", 0, "startcallrecord", "", EndReason::InternalError},
    Known{"stop-recording", 0, "stopcallrecord", "", EndReason::InternalError},
    Known{"park", 0, "callpark", "", EndReason::Transferred},
    Known{"flip", 0, "callflip", "", EndReason::Transferred},
};

const Known* known(std::string_view name) {
    const auto found = std::find_if(
        kKnown.begin(), kKnown.end(), [&](const Known& each) { return each.name == name; });
    return found == kKnown.end() ? nullptr : &*found;
}

std::string names_of_all() {
    std::string all;
    for (const Known& each : kKnown) all.append(all.empty() ? "" : ", ").append(each.name);
    return all;
}

bool is_good(int status) {
    return status >= 200 && status < 300;
}

/// The command that is under way; null when none is.
RingCentralCommand* pending(Call& call) {
    auto& all = call.info.ringcentral_commands;
    const bool is_pending = !all.empty() && all.back().state == RingCentralCommand::State::Pending;
    return is_pending ? &all.back() : nullptr;
}

std::string json_request(const Known& command, std::uint64_t number, const std::string& target) {
    base::JsonWriter json;
    json.begin_object().key("request").begin_object();
    json.field("reqid", number).field("command", command.json);
    if (!target.empty()) json.field("target", target);
    json.end().end();
    return std::move(json).text();
}

}  // namespace

base::Result<void> CallRegistry::ringcentral(const CallId& id, model::RingCentralOrder order) {
    Call* call = get(id);
    if (!call) return base::fail(ErrorCode::NotFound, "there is no live call " + id.text);
    const Known* command = known(order.command);
    if (!command) {
        return base::fail(ErrorCode::InvalidArgument,
                          "there is no command \"" + base::escape_untrusted(order.command, 64) +
                              "\"; there are " + names_of_all());
    }
    const auto& facts = call->info.facts.ringcentral;
    if (!facts) {
        return base::fail(ErrorCode::Conflict,
                          "RingCentral did not bring this call to one of its WebPhones");
    }
    if (call->ending || pending(*call)) {
        return base::fail(ErrorCode::Conflict,
                          call->ending ? "the call is already ending"
                                       : "another command is under way: look at the call's "
                                         "ringcentral_commands");
    }
    model::ControlOrder out;
    out.command = command->command;
    if (command->command != 0) {
        const bool is_ringing = call->description.purpose == Call::Description::Purpose::Answer &&
                                !call->description.is_due && !call->is_answered();
        if (!is_ringing || !facts->has_control) {
            return base::fail(ErrorCode::Conflict,
                              is_ringing ? "RingCentral sent no P-rc with this call"
                                         : "this can be asked for while the call rings only: give "
                                           "the account an answer_delay_ms");
        }
        const auto& allowed = facts->call_attributes;
        if (!command->attribute.empty() && !allowed.empty() &&
            std::find(allowed.begin(), allowed.end(), command->attribute) == allowed.end()) {
            return base::fail(
                ErrorCode::Conflict,
                "RingCentral does not allow this for the call: " + std::string(command->attribute) +
                    " is not among its call_attributes");
        }
        if (order.command == "forward") {
            const auto rules = account(call->info.account);
            const auto destination =
                normal_destination(order.to, rules ? rules->domain : std::string());
            const bool is_number = destination && destination->find(':') == std::string::npos;
            if (!is_number) return base::fail(ErrorCode::InvalidArgument, "to must be a number");
            if (!rules || !is_destination_allowed(*destination, rules->outbound.destinations)) {
                return base::fail(ErrorCode::InvalidArgument,
                                  "to matches nothing in outbound_allow of account \"" +
                                      call->info.account + "\"");
            }
            out.attributes = {{"FwdDly", "0"}, {"Phn", *destination}, {"PhnTp", "3"}};
        }
        if (order.command == "reply") {
            const bool has_control_character =
                std::any_of(order.text.begin(), order.text.end(), [](char c) {
                    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
                });
            if (order.text.empty() || order.text.size() > kMaxTextBytes || has_control_character) {
                return base::fail(ErrorCode::InvalidArgument,
                                  "text must be one line of 1 to 512 bytes");
            }
            out.attributes = {{"RepTp", "0"}, {"Bdy", order.text}};
        }
    } else {
        if (!call->is_answered())
            return base::fail(ErrorCode::Conflict, "the call is not answered yet");
        if (order.command == "flip" && (order.target.empty() || order.target.size() > 64))
            return base::fail(ErrorCode::InvalidArgument, "target must be 1 to 64 bytes");
    }
    RingCentralCommand record;
    record.number = ++call->ringcentral_number;
    record.command = command->name;
    record.at_ns = base::realtime_ns();
    if (command->command == 0) {
        out.body = json_request(*command, record.number, order.target);
    } else {
        // What becomes of it decides whether there is an answer. Their CANCEL may come before the
        // answer to our request.
        call->answer_timer.cancel();
        call->superseded =
            model::ended(command->end, "RingCentral did what was asked: " + record.command);
    }
    auto& all = call->info.ringcentral_commands;
    if (all.size() == kMaxKept) all.erase(all.begin());
    all.push_back(record);
    log::write(Level::Info,
               Mark::Call,
               "call.ringcentral",
               id.text,
               "RingCentral is asked to act",
               {{"command", record.command}, {"number", record.number}, {"by", order.who}});
    call->ringcentral_timer.once(parts_.context, kPatience, [this, id] {
        Call* silent = get(id);
        if (silent && pending(*silent)) settle(*silent, false, "nothing came of it within 10 s");
    });
    via(*call).order_control(id, record.number, std::move(out));
    return {};
}

void CallRegistry::on_control_done(const CallId& id, std::uint64_t tag, int status) {
    Call* call = get(id);
    const RingCentralCommand* asked = call ? pending(*call) : nullptr;
    if (!asked || asked->number != tag) return;
    // What comes of one that was taken comes by itself: CANCEL, a message of theirs, INFO.
    if (!is_good(status)) settle(*call, false, "RingCentral answered " + std::to_string(status));
}

void CallRegistry::on_control(const CallId& id, int command) {
    Call* call = get(id);
    if (!call) return;
    log::write(Level::Debug,
               Mark::Call,
               "call.ringcentral_message",
               id.text,
               "RingCentral's call control says something",
               {{"command", command}});
    if (command != kSessionClose || !pending(*call) || !call->superseded || call->is_answered())
        return;
    settle(*call, true, {});
}

// False: it is no answer to a command of ours.
bool CallRegistry::take_ringcentral_answer(Call& call,
                                           const std::string& content_type,
                                           const std::string& body) {
    const RingCentralCommand* asked = pending(call);
    if (!asked || content_type != "application/json") return false;
    const auto json = glib::JsonBody::parse(body);
    const auto response = json ? json->object("response") : std::nullopt;
    const Known* command = known(asked->command);
    if (!response || response->text("command") != std::string(command->json) ||
        response->whole("reqid") != static_cast<std::int64_t>(asked->number)) {
        return false;
    }
    const auto result = response->object("result");
    const std::int64_t code = result ? result->whole("code").value_or(-1) : -1;
    const std::string said = base::escape_untrusted(
        result ? result->text("description").value_or(std::string()) : std::string());
    if (code == 0 && command->end != EndReason::InternalError) {
        call.superseded = model::ended(
            command->end,
            "RingCentral took the call: " + asked->command + (said.empty() ? "" : ", " + said));
    }
    settle(call, code == 0, "code " + std::to_string(code) + (said.empty() ? "" : ": " + said));
    return true;
}

// The end itself is what was asked for, or comes before it.
void CallRegistry::note_ringcentral_end(Call& call) {
    RingCentralCommand* asked = pending(call);
    if (!asked) return;
    asked->state =
        call.superseded ? RingCentralCommand::State::Done : RingCentralCommand::State::Failed;
    if (!call.superseded) asked->detail = "the call ended before";
}

// A command is over. While it rang, the call is answered after all when it did not work.
void CallRegistry::settle(Call& call, bool is_done, const std::string& detail) {
    RingCentralCommand* const open = pending(call);
    if (!open) return;
    RingCentralCommand& asked = *open;
    const Known& command = *known(asked.command);
    call.ringcentral_timer.cancel();
    asked.state = is_done ? RingCentralCommand::State::Done : RingCentralCommand::State::Failed;
    asked.detail = detail;
    log::write(is_done ? Level::Info : Level::Warning,
               is_done ? Mark::Call : Mark::Warning,
               is_done ? "call.ringcentral_done" : "call.ringcentral_failed",
               call.id.text,
               is_done ? "RingCentral did it" : "RingCentral did not do it; the call goes on",
               {{"command", asked.command}, {"number", asked.number}, {"detail", detail}});
    if (is_done) {
        // A parked call is theirs; so is one whose caller was told something.
        const bool is_ours_to_end = command.json == "callpark" || command.command != 0;
        if (is_ours_to_end && call.superseded) end(call, *call.superseded, {});
        return;
    }
    if (command.command == 0) return;
    call.superseded.reset();
    call.description.is_due = true;
    send_description(call);
}

}  // namespace offhook::call
