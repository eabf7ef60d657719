#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "access/keyring.h"
#include "base/error.h"
#include "config/config.h"
#include "demo/demo.h"
#include "demo/pbx_setup.h"
#include "signalling/sip/sip_stack.h"

namespace offhook::app {

/// What `[demo]` adds to the daemon: a bot that is there before the rooms that speak to it, a caller
/// once somebody listens, and the form that connects a PBX.
/// @thread control
class FirstRun {
public:
    /// Starts the bot, and makes it the AI `kitchen` of the built-in route, or of a route `demo`
    /// where there is none.
    /// @param config  changed
    /// @errors those of Demo::start_bot
    [[nodiscard]] static base::Result<std::unique_ptr<FirstRun>> create(config::Config& config,
                                                                        GMainContext* context);

    /// Before a report of an account goes to the book: whether it was none of the book's.
    [[nodiscard]] bool seen(const model::AccountInfo& account) { return setup_.seen(account); }
    void set_sip(signalling::sip::SipStack* sip) { sip_ = sip; }
    /// Everything listens: the caller may call.
    void start();
    void stop();

    [[nodiscard]] demo::Demo& demo() { return demo_; }
    [[nodiscard]] demo::PbxSetup& setup() { return setup_; }

private:
    FirstRun(const config::Config& config, GMainContext* context);

    signalling::sip::SipStack* sip_ = nullptr;
    demo::Demo demo_;
    demo::PbxSetup setup_;
};

/// Where the page is, with a one-time secret that lets its reader in.
[[nodiscard]] std::string page_url(const std::string& http_address,
                                   access::Keyring& keyring,
                                   bool is_first_run);

}  // namespace offhook::app
