#include "stand_in.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>
#include <vector>

#include "harness/call_test.h"

namespace offhook::harness {
namespace {

std::string needed(const char* variable) {
    const char* value = std::getenv(variable);
    if (value == nullptr) throw std::runtime_error(std::string(variable) + " is not set");
    return value;
}

}  // namespace

StandIn::StandIn(const std::filesystem::path& folder) {
    std::filesystem::create_directory(folder);
    Process::Options options;
    options.has_ready_fd = true;
    process_ = std::make_unique<Process>(std::vector<std::string>{needed("OFFHOOK_PYTHON"),
                                                                  needed("OFFHOOK_RINGCENTRAL"),
                                                                  "--folder",
                                                                  folder.string(),
                                                                  "--ready-fd",
                                                                  "3"},
                                         options);
    const Json where(process_->ready_line(seconds(30)));
    if (!where.is_valid()) throw std::runtime_error("no stand-in:\n" + process_->output());
    control_ = where.text("control");
    rest_ = where.text("rest");
    ca_ = where.text("ca");
    certificate_ = (folder / "server.pem").string();
}

Json StandIn::steer(const std::string& command) {
    const HttpAnswer answer = http("POST", control_, "/do", command);
    EXPECT_EQ(answer.status, 200) << command;
    return Json(answer.body);
}

int StandIn::call(const std::string& plan) {
    const Json placed = steer("{\"do\":\"call\"," + plan + "}");
    if (!(placed.number("id") >= 0)) throw std::runtime_error(placed.text("why"));
    return static_cast<int>(placed.number("id"));
}

bool StandIn::call_shows(int id,
                         const std::function<bool(const Json&, const std::string&)>& good,
                         Process* alive,
                         milliseconds limit) {
    const std::string path = "calls." + std::to_string(id) + ".";
    return eventually(limit, alive, [&] { return good(state(), path); });
}

void StandIn::expect_no_violations() {
    const Json end = state();
    for (std::size_t i = 0; i < end.size("violations"); ++i)
        ADD_FAILURE() << "the stand-in noticed: " << end.text("violations." + std::to_string(i));
}

void expect_web_call(StandIn& stand_in, int id, Process* alive) {
    EXPECT_TRUE(stand_in.call_shows(
        id,
        [](const Json& s, const std::string& c) {
            return s.number(c + "media.tone_share") > 0.8 && s.number(c + "media.received") > 150;
        },
        alive))
        << "the tone does not come back";
    const Json state = stand_in.state();
    const std::string call = "calls." + std::to_string(id) + ".";
    const std::vector<std::string> order{"100", "180", "MESSAGE 17", "200"};
    ASSERT_EQ(state.size(call + "from_phone"), order.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        EXPECT_EQ(state.text(call + "from_phone." + std::to_string(i)), order[i]) << i;
    EXPECT_EQ(state.number(call + "confirmations"), 1);
    EXPECT_EQ(state.number(call + "already_processed"), 1);
    EXPECT_EQ(state.text(call + "media.ice"), "completed");
    EXPECT_EQ(state.text(call + "media.dtls"), "connected");
    EXPECT_EQ(state.number(call + "media.ssrcs"), 1);
    EXPECT_EQ(state.number(call + "media.undecodable"), 0);
}

}  // namespace offhook::harness
