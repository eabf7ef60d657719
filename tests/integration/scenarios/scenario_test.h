#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "harness/call_test.h"

namespace offhook::harness {

/// A daemon whose peers are SIPp scenarios of `tests/integration/scenarios/<behaviour>/*.xml`.
class ScenarioTest : public CallTest {
protected:
    /// Starts a peer: "hold-by-us/caller".
    [[nodiscard]] Sipp play(const std::string& scenario, std::vector<std::string> arguments = {});
    /// Plays a peer to its end.
    testing::AssertionResult plays(const std::string& scenario);
    /// The id of the next call that is answered; empty when none comes.
    std::string answered_call();
    HttpAnswer post(const std::string& id, const std::string& action, const std::string& body = {});
    /// Waits until `"member":value` stands in the call's JSON.
    bool becomes(const std::string& id, const std::string& member, const std::string& value);
    /// The Replaces value of the dialog of a SIPp whose call was answered, from its messages.
    static std::string dialog_of(Sipp& sipp);
};

}  // namespace offhook::harness
