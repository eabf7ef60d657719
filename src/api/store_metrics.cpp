#include "api/store_metrics.h"

namespace offhook::api {
namespace {

void raise(prometheus::Counter& counter, std::uint64_t total) {
    const auto now = static_cast<double>(total);
    if (now > counter.Value()) counter.Increment(now - counter.Value());
}

}  // namespace

StoreMetrics::StoreMetrics(prometheus::Registry& registry)
    : waiting_(prometheus::BuildGauge()
                   .Name("offhook_store_queue_records")
                   .Help("Call records that wait for the disk")
                   .Register(registry)
                   .Add({})),
      commit_seconds_(prometheus::BuildGauge()
                          .Name("offhook_store_commit_seconds")
                          .Help("How long the last transaction of call records took")
                          .Register(registry)
                          .Add({})),
      records_(prometheus::BuildCounter()
                   .Name("offhook_store_records_total")
                   .Help("States of call records by what became of them")
                   .Register(registry)),
      failures_(prometheus::BuildCounter()
                    .Name("offhook_store_failures_total")
                    .Help("Transactions of call records that the disk refused")
                    .Register(registry)
                    .Add({})),
      recordings_active_(prometheus::BuildGauge()
                             .Name("offhook_recordings_active")
                             .Help("Calls that are recorded now")
                             .Register(registry)
                             .Add({})),
      recordings_(prometheus::BuildCounter()
                      .Name("offhook_recordings_total")
                      .Help("Recordings that began")
                      .Register(registry)
                      .Add({})),
      recordings_failed_(prometheus::BuildCounter()
                             .Name("offhook_recordings_failed_total")
                             .Help("Recordings that ended since the disk refused them")
                             .Register(registry)
                             .Add({})),
      recording_lost_frames_(prometheus::BuildCounter()
                                 .Name("offhook_recording_lost_frames_total")
                                 .Help("Frames of 20 ms that are silence in a recording since its "
                                       "thread was late")
                                 .Register(registry)
                                 .Add({})) {
    take({}, {});
}

void StoreMetrics::take(const store::RecordStore::Counters& now,
                        const store::Recordings::Counters& recordings) {
    recordings_active_.Set(static_cast<double>(recordings.active));
    raise(recordings_, recordings.begun);
    raise(recordings_failed_, recordings.failed);
    raise(recording_lost_frames_, recordings.dropped_frames);
    waiting_.Set(static_cast<double>(now.waiting));
    commit_seconds_.Set(now.last_commit_ms / 1e3);
    raise(records_.Add({{"result", "written"}}), now.written);
    raise(records_.Add({{"result", "dropped"}}), now.dropped);
    raise(failures_, now.failed_commits);
}

}  // namespace offhook::api
