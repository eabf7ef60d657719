#pragma once

#include <gtest/gtest.h>

#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "harness/browser.h"
#include "harness/daemon.h"

namespace offhook::harness {

inline constexpr double kMicrophone_hz = 440;

/// Pages with our own client (pages/client.js) in voice channels of one daemon.
class ClientTest : public testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;

    /// Without a sound of its own the microphone has a tone of `kMicrophone_hz`.
    void start_browser(Browser::Options options = {});
    /// @param more  more tables of the configuration, instead of a channel "lobby"
    void start_daemon(const std::string& more = {});

    /// A page with a client that has not joined. @param how  more members of an object, as
    /// `"breaks":{"tone":700}`
    Browser::Page open(const std::string& how = {},
                       Browser::Manner manner = Browser::Manner::Usual);
    /// The argument of "join".
    static std::string who(const std::string& user,
                           const std::string& more = {},
                           const std::string& channel = "lobby");
    /// Opens a page, joins, and waits for the sound.
    Browser::Page join(const std::string& user, const std::string& how = {});

    /// The tone is heard, at fifty packets a second and with next to nothing made up. Chromium plays
    /// late on a machine under load, which says nothing of us: three tries.
    static void expect_heard(const Browser::Page& page, double frequency_hz);
    static Json listen(const Browser::Page& page, double frequency_hz, milliseconds length);
    /// The diagnosis of a page finds `code`.
    static Json expect_found(const Browser::Page& page,
                             const std::string& code,
                             milliseconds limit = seconds(15));

    /// Members of the channel, as the API says.
    std::size_t members(const std::string& channel = "lobby");
    bool wait_members(std::size_t count, const std::string& channel = "lobby");

    TempDir folder_;
    std::unique_ptr<Browser> browser_;
    std::unique_ptr<Daemon> daemon_;
};

}  // namespace offhook::harness
