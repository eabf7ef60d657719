#pragma once

#include <string>

namespace offhook::connection {

/// What happens to a place, each in one step of Redis. Beside a place there is the wish of the newest
/// who waits for it, and for all of them the counter of fencing numbers:
///
///     PREFIXplace:CHANNEL:USER  {by, fence}   expires with the lease
///     PREFIXwish:CHANNEL:USER   {by, fence}   expires with the lease
///     PREFIXfence               the newest fencing number
///
/// KEYS: place, wish, fence. ARGV: our daemon's id, what channels' names begin with, lease in ms,
/// the newest fencing number that we know, then as named. Daemons tell each other by messages
/// "WORD FENCE [WISH] KEY"; what a message does not reach is seen at the next `keep` or `claim`.
///
/// Fencing numbers are microseconds of Redis' clock, or one more than the newest: they also rise
/// over a Redis that lost its data, and a place that was given while Redis was away is as new as it
/// is.
struct RedisScripts {
    static const std::string kProbe;  ///< {fence}: Redis takes what is written
    static const std::string
        kAsk;  ///< held fence or 0: {granted, fence} or {wait, wish, by, fence, ms}
    static const std::string kClaim;    ///< held fence or 0, wish: the same, or {conflict}
    static const std::string kKeep;     ///< fence: {kept, wish or 0} or {lost}
    static const std::string kRelease;  ///< fence: {freed} or {}
};

}  // namespace offhook::connection
