#include "scenarios/scenario_test.h"

namespace offhook::harness {
namespace {

std::string between(const std::string& text, const std::string& before, const std::string& after) {
    const auto at = text.find(before);
    if (at == std::string::npos) return {};
    const auto begin = at + before.size();
    return text.substr(begin, text.find_first_of(after, begin) - begin);
}

}  // namespace

Sipp ScenarioTest::play(const std::string& scenario, std::vector<std::string> arguments) {
    Sipp::Options options;
    options.arguments = std::move(arguments);
    return Sipp::from_file(
        folder_, daemon_->sip_port(), OFFHOOK_SCENARIOS "/" + scenario + ".xml", options);
}

testing::AssertionResult ScenarioTest::plays(const std::string& scenario) {
    Sipp sipp = play(scenario);
    if (sipp.succeeds()) return testing::AssertionSuccess();
    return testing::AssertionFailure() << scenario << ": " << sipp.problem();
}

std::string ScenarioTest::answered_call() {
    const auto answered = daemon_->wait_event("call.answered");
    return answered ? answered->text("call_id") : std::string();
}

HttpAnswer ScenarioTest::post(const std::string& id,
                              const std::string& action,
                              const std::string& body) {
    return daemon_->post("/api/v1/calls/" + id + "/" + action, body);
}

bool ScenarioTest::becomes(const std::string& id,
                           const std::string& member,
                           const std::string& value) {
    const std::string wanted = "\"" + member + "\":" + value;
    return eventually(seconds(10), &daemon_->process(), [&] {
        return daemon_->get("/api/v1/calls/" + id).body.find(wanted) != std::string::npos;
    });
}

std::string ScenarioTest::dialog_of(Sipp& sipp) {
    const std::string messages = sipp.messages();
    const auto ok = messages.find("SIP/2.0 200");
    if (ok == std::string::npos) return {};
    const std::string answer = messages.substr(ok);
    const std::string to = between(answer, "To: ", "\r\n");
    const std::string from = between(answer, "From: ", "\r\n");
    const std::string call_id = between(answer, "Call-ID: ", "\r\n");
    return call_id + ";to-tag=" + between(to, "tag=", ";\r\n") +
           ";from-tag=" + between(from, "tag=", ";\r\n");
}

}  // namespace offhook::harness
