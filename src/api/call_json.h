#pragma once

#include "base/json_writer.h"
#include "model/call_directory.h"

namespace offhook::api {

/// One call as docs/http-api.md shows it. Names are those of model::CallInfo; what is not known yet
/// is null.
void write_call(base::JsonWriter& json, const model::CallInfo& call);

/// The object under "quality". Names are those of model::Quality; what is not known is null.
void write_quality(base::JsonWriter& json, const model::Quality& quality);

/// The object under "stats". Names are those of model::LegStats.
void write_stats(base::JsonWriter& json, const model::LegStats& stats);

}  // namespace offhook::api
