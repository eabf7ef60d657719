#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/process.h"

namespace offhook::harness {

/// Browsers of one user that come for the same place at the same time, and stay away when they are
/// told to.
struct RaceResult {
    int joined = 0;    ///< were let in, at some time
    int live = 0;      ///< are there in the end
    int replaced = 0;  ///< were closed with 4000
    int refused = 0;   ///< were closed otherwise, before they were let in
    int broken = 0;    ///< ended in any other way
    [[nodiscard]] int over() const { return replaced + refused + broken; }
};

/// Opens `attempts` WebSockets spread over `addresses` ("127.0.0.1:5000"), all at once, and lets them
/// join. Returns once all but one are over (or `limit` passed); the one that is left leaves then.
/// Minimal on purpose: sockets and frames by hand, so that no client of ours has a part in it.
RaceResult race(const std::vector<std::string>& addresses,
                const std::string& channel,
                const std::string& user,
                int attempts,
                milliseconds limit = seconds(10));

/// Somebody who is let in and stays while the handle lives; null when it was not let in.
[[nodiscard]] std::shared_ptr<void> come(const std::string& address,
                                         const std::string& channel,
                                         const std::string& user,
                                         milliseconds limit = seconds(10));

}  // namespace offhook::harness
