// What is recorded of calls: by their route, or as the API asks.

#include <algorithm>
#include <chrono>

#include "base/log.h"
#include "call/call_registry.h"

namespace offhook::call {

using log::Level;
using log::Mark;
using model::CallId;
using model::RecordingState;
using model::RecordingVerb;

// The call has just begun to play.
void CallRegistry::record_by_route(Call& call) {
    if (parts_.recordings == nullptr || call.route == nullptr || call.route->record == "off")
        return;
    if (call.info.recording != RecordingState::Off) return;
    std::chrono::milliseconds notice{0};
    if (call.route->record == "consent") {
        const auto& bot = call.bot.settings;
        if (!bot || !bot->prompts) return;
        const auto prompt = bot->prompts->find(parts_.config->recording.consent_prompt);
        if (prompt == bot->prompts->end()) return;
        constexpr std::size_t kSamplesPerMs = 8;
        notice = std::chrono::milliseconds(prompt->second->pcm_8k.size() / kSamplesPerMs);
    }
    if (notice.count() == 0) return begin_recording(call, "route " + call.route->name);
    call.info.recording = RecordingState::Announced;
    call.recording_timer.once(parts_.context, notice, [this, id = call.id] {
        Call* announced = get(id);
        if (announced != nullptr && announced->info.recording == RecordingState::Announced)
            begin_recording(*announced, "route " + announced->route->name);
    });
}

void CallRegistry::begin_recording(Call& call, const std::string& who) {
    auto recorder = parts_.recordings->begin(call.id);
    if (!recorder) return on_recording(call.id, RecordingState::Failed, recorder.error().text());
    call.recorder = *std::move(recorder);
    call.leg->audio_port()->record(call.recorder);
    call.info.recording = RecordingState::Recording;
    log::write(Level::Info,
               Mark::Voice,
               "recording.started",
               call.id.text,
               "the call is recorded",
               {{"by", who}});
}

base::Result<void> CallRegistry::record(const CallId& id, RecordingVerb verb) {
    const auto found = answered_call(id);
    if (!found) return tl::unexpected(found.error());
    Call& call = **found;
    if (parts_.recordings == nullptr || parts_.recordings->is_off())
        return base::fail(base::ErrorCode::Unavailable,
                          "there is no folder for recordings: set [recording] directory");
    const auto refused = [&](const char* what) {
        return base::fail(base::ErrorCode::Conflict,
                          "the recording of call " + id.text + " is " +
                              std::string(name_of(call.info.recording)) + ": " + what);
    };
    const RecordingState state = call.info.recording;
    const bool is_live = state == RecordingState::Recording || state == RecordingState::Paused;
    switch (verb) {
        case RecordingVerb::Start:
            if (state != RecordingState::Off && state != RecordingState::Announced)
                return refused("a call has one recording");
            if (call.media_started_ns == 0) return refused("its sound does not flow yet");
            begin_recording(call, "api");
            break;
        case RecordingVerb::Pause:
        case RecordingVerb::Resume: {
            if (!is_live) return refused("there is nothing to pause");
            const bool is_pause = verb == RecordingVerb::Pause;
            call.recorder->set_paused(is_pause);
            call.info.recording = is_pause ? RecordingState::Paused : RecordingState::Recording;
            log::write(Level::Info,
                       Mark::Voice,
                       is_pause ? "recording.paused" : "recording.resumed",
                       id.text,
                       is_pause ? "silence is recorded" : "the call is recorded again");
            break;
        }
        case RecordingVerb::Stop:
            if (!is_live) return refused("there is nothing to stop");
            end_recording(call);
            break;
    }
    return {};
}

void CallRegistry::end_recording(Call& call) {
    call.recording_timer.cancel();
    if (call.info.recording == RecordingState::Announced) call.info.recording = RecordingState::Off;
    if (!call.recorder) return;
    call.recorder.reset();
    const bool is_live = call.info.recording == RecordingState::Recording ||
                         call.info.recording == RecordingState::Paused;
    if (!is_live) return;
    parts_.recordings->end(call.id);
    call.info.recording = RecordingState::Kept;
    log::write(Level::Info, Mark::Voice, "recording.ended", call.id.text, "the recording is kept");
}

void CallRegistry::on_recording(const CallId& id, RecordingState state, const std::string& why) {
    const bool has_failed = state == RecordingState::Failed;
    log::write(has_failed ? Level::Error : Level::Warning,
               has_failed ? Mark::Error : Mark::Warning,
               has_failed ? "recording.failed" : "recording.ended",
               id.text,
               (has_failed ? "the call goes on without being recorded: "
                           : "the recording ended before the call: ") +
                   why);
    Call* call = get(id);
    if (call == nullptr) return;
    call->info.recording = state;
    call->info.recording_detail = why;
    call->recorder.reset();
}

}  // namespace offhook::call
