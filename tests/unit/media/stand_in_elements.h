#pragma once

namespace offhook::media::testing {

/// Registers elements named like ours (rtpcallsrc, aitap, linekeeper, rtpcallsink, callstats) with
/// their pads and the properties that files set, and nothing inside: the loader is tested without
/// sockets and workers. Also "sometimespads", whose src pads appear while running. Once per
/// process, after gst_init.
void register_stand_in_elements();

}  // namespace offhook::media::testing
