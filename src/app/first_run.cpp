#include "app/first_run.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "app/account_settings.h"
#include "session/inbound_loss.h"

namespace offhook::app {
namespace {

constexpr const char* kBotName = "kitchen";

std::string own_program() {
    std::error_code failed;
    return std::filesystem::read_symlink("/proc/self/exe", failed).string();
}

// The routes of somebody's own come first: ours takes what is left.
void add_bot(config::Config& config, const std::string& address) {
    config::Ai bot{.name = kBotName, .protocol = config::AiProtocol::Plain};
    bot.url = "ws://" + address + "/plain";
    bot.allow_private = true;
    config.ai.push_back(std::move(bot));
    const bool is_built_in = config.route.size() == 1 && config.route.front().name == "default" &&
                             config.route.front().ai == "echo";
    if (is_built_in) config.route.clear();
    config.route.push_back({.name = "demo", .ai = kBotName, .fill = "", .verbs = {"hang-up"}});
}

}  // namespace

FirstRun::FirstRun(const config::Config& config, GMainContext* context)
    : demo_({.settings = config.demo,
             .context = context,
             .program = own_program(),
             .set_loss = [](double share) { session::InboundLoss::set(share); }}),
      setup_({.settings = config.demo,
              .context = context,
              .set_account = [this](const config::Account& account,
                                    const base::Secret& password) -> base::Result<void> {
                  auto settings = account_settings(account, nullptr);
                  if (!settings) return tl::unexpected(settings.error());
                  settings->password = password;
                  sip_->set_account(*std::move(settings));
                  return {};
              },
              .remove_account = [this](const std::string& name) { sip_->remove_account(name); }}) {}

base::Result<std::unique_ptr<FirstRun>> FirstRun::create(config::Config& config,
                                                         GMainContext* context) {
    std::unique_ptr<FirstRun> run(new FirstRun(config, context));
    auto address = run->demo_.start_bot();
    if (!address) return tl::unexpected(address.error());
    if (!address->empty()) add_bot(config, *address);
    return run;
}

void FirstRun::start() {
    for (const std::string& listener : sip_->listeners()) {
        if (!listener.starts_with("udp:")) continue;
        return demo_.start_caller("sip:demo@" + listener.substr(4));
    }
}

void FirstRun::stop() {
    setup_.cancel();
    demo_.stop();
}

std::string page_url(const std::string& http_address, access::Keyring& keyring, bool is_first_run) {
    const auto once = keyring.offer_session();
    return "http://" + http_address + (is_first_run ? "/#/start" : "/#/calls") +
           (once ? "?token=" + once->reveal() : "");
}

}  // namespace offhook::app
