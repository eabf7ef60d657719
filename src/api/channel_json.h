#pragma once

#include "base/json_writer.h"
#include "model/channel.h"

namespace offhook::api {

void write_member(base::JsonWriter& json, const model::MemberInfo& member);
void write_channel(base::JsonWriter& json, const model::ChannelInfo& channel);

}  // namespace offhook::api
