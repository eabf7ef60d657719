#pragma once

namespace offhook::media::testing {

/// Registers "sometimespads", an element whose src pads appear while running. After gst_init, once.
void register_sometimes_pads();

}  // namespace offhook::media::testing
