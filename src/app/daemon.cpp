#include "app/daemon.h"

#include <glib-unix.h>
#include <gst/gst.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <thread>
#include <vector>

#include "ai/ai_runtime.h"
#include "api/api.h"
#include "api/metrics.h"
#include "app/access_settings.h"
#include "app/account_settings.h"
#include "app/ai_settings.h"
#include "app/ai_sockets.h"
#include "app/channel_doors.h"
#include "app/channel_rooms.h"
#include "app/connections.h"
#include "app/first_run.h"
#include "app/outlets.h"
#include "app/process_setup.h"
#include "app/readings.h"
#include "app/ringcentral_accounts.h"
#include "app/web_doors.h"
#include "app/web_settings.h"
#include "base/log.h"
#include "base/monotonic.h"
#include "call/account_book.h"
#include "call/bot_mail.h"
#include "call/call_registry.h"
#include "config/cidr.h"
#include "config/endpoint.h"
#include "glib/fd_executor.h"
#include "glib/timer.h"
#include "http/server.h"
#include "media/launch_library.h"
#include "media/reaper.h"
#include "media/stun_client.h"
#include "media/web_transport.h"
#include "media/worker_pool.h"
#include "offhook_plugin.h"
#include "page/page_resource.h"
#include "signalling/sip/sip_stack.h"
#include "state/state_directory.h"

namespace offhook::app {
namespace {

using base::Result;
using log::Level;
using log::Mark;

constexpr int kExitFailed = 1;
constexpr int kExitBadConfig = 78;  // EX_CONFIG: the service manager must not try again
constexpr std::uint16_t kStunPort = 3478;
/// For the answers to our last BYEs and REGISTERs; over as soon as they are here.
constexpr std::chrono::milliseconds kStopGrace{2'000};
/// More of it for each account: their last REGISTERs are paced like all others.
constexpr std::chrono::milliseconds kStopGracePerAccount{3};

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) {
        if (!text.empty()) text += ' ';
        text += part;
    }
    return text;
}

/// The rooms of the daemon. Members are in the order of construction; they go in reverse.
class Daemon {
public:
    explicit Daemon(config::Loaded loaded)
        : loaded_(std::move(loaded)),
          control_(g_main_context_default()),
          accounts_(config_.account) {}

    ~Daemon() {
        first_run_.reset();
        if (connections_) connections_->registry().close();
        server_.reset();
        if (outlets_) outlets_->close_readers();
        if (channel_doors_) channel_doors_->close();
        if (doors_) doors_->close();
        ringcentral_.reset();
        if (sip_) {
            const auto accounts = static_cast<std::int64_t>(config_.account.size());
            sip_->stop(kStopGrace + accounts * kStopGracePerAccount);
        }
        // What signalling posted before it stopped still tells the ends of calls.
        while (g_main_context_iteration(nullptr, FALSE)) {
        }
        if (calls_) calls_->close();
        bot_mail_.set_registry(nullptr);
        // The reaper first: pipelines that it still takes down post to the registry's bus.
        reaper_.reset();
        channel_doors_.reset();
        doors_.reset();
        calls_.reset();
        if (outlets_) outlets_->close();
        rooms_.reset();
        web_workers_.reset();
        workers_.reset();
        ai_.reset();
    }
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    Result<void> start() {
        for (const auto step : {&Daemon::start_locks,
                                &Daemon::start_outlets,
                                &Daemon::start_first_run,
                                &Daemon::start_launches,
                                &Daemon::start_bots,
                                &Daemon::start_media,
                                &Daemon::start_web,
                                &Daemon::start_connections,
                                &Daemon::start_calls,
                                &Daemon::start_sip,
                                &Daemon::start_http,
                                &Daemon::start_accounts}) {
            if (auto done = (this->*step)(); !done) return done;
        }
        return {};
    }

    void run() {
        for (const int signal : {SIGTERM, SIGINT}) {
            g_unix_signal_add(
                signal,
                [](gpointer self) -> gboolean {
                    static_cast<Daemon*>(self)->on_stop();
                    return G_SOURCE_CONTINUE;
                },
                this);
        }
        g_unix_signal_add(
            SIGHUP,
            [](gpointer self) -> gboolean {
                static_cast<Daemon*>(self)->on_reload();
                return G_SOURCE_CONTINUE;
            },
            this);
        warn_without_realtime();
        if (first_run_) first_run_->start();
        log::write(Level::Info,
                   Mark::Ok,
                   "system.ready",
                   {},
                   "offhook " OFFHOOK_VERSION " is ready",
                   {{"http", server_->address()},
                    {"sip", joined(sip_->listeners())},
                    {"workers", workers_->stats().size()}});
        g_main_loop_run(loop_.get());
        log::write(Level::Info, Mark::System, "system.stopping", {}, "no call is left; stopping");
    }

    /// "http://127.0.0.1:5000", "udp:127.0.0.1:5060", with the real ports.
    [[nodiscard]] std::vector<std::string> listeners() const {
        std::vector<std::string> all{"http://" + server_->address()};
        for (const std::string& sip : sip_->listeners()) all.push_back(sip);
        if (ai_->listen_port() != 0) {
            const config::HostPort at{.host = config_.ai_listen.address,
                                      .port = ai_->listen_port()};
            all.push_back("ai:" + at.text());
        }
        return all;
    }

    /// What `--ready-fd` is told: the listeners, and in demo mode the page with its secret.
    [[nodiscard]] std::string ready_text() {
        std::string text = joined(listeners());
        if (first_run_) text += " page:" + page_url(server_->address(), *locks_.keyring, true);
        return text;
    }

private:
    // First: a secret that is missing stops the start before anything lasts.
    Result<void> start_locks() {
        auto locks = make_locks(config_);
        if (!locks) return tl::unexpected(locks.error());
        locks_ = *std::move(locks);
        return {};
    }

    // Before what it watches.
    Result<void> start_outlets() {
        auto outlets = Outlets::create(
            {.config = config_, .control = control_, .context = g_main_context_default()});
        if (!outlets) return tl::unexpected(outlets.error());
        outlets_ = std::move(*outlets);
        return {};
    }

    // Before the rooms that its bot is configured for.
    Result<void> start_first_run() {
        if (!config_.demo.enabled) return {};
        auto first_run = FirstRun::create(loaded_.config, g_main_context_default());
        if (!first_run) return tl::unexpected(first_run.error());
        first_run_ = *std::move(first_run);
        return {};
    }

    Result<void> start_launches() {
        const std::string folder = config_.media.pipelines.empty() ? media::shipped_launch_folder()
                                                                   : config_.media.pipelines;
        launches_.emplace(folder,
                          media::LaunchRules{.extra_elements = config_.media.allow_elements});
        auto loaded = launches_->reload();
        if (!loaded) return tl::unexpected(loaded.error());
        for (const base::Error& refused : loaded->refused) {
            log::write(Level::Error, Mark::Error, "pipeline.refused", {}, refused.text());
        }
        for (const config::Route& route : config_.route) {
            if (!launches_->find(route.pipeline)) {
                return base::fail(base::ErrorCode::InvalidArgument,
                                  "route \"" + route.name + "\" wants pipeline \"" +
                                      route.pipeline + "\", and " + folder + "/" + route.pipeline +
                                      ".launch is missing or was refused");
            }
        }
        return {};
    }

    // Before anything that lasts: a secret or a prompt that is missing stops the start.
    Result<void> start_bots() {
        auto settings = AiSettings::load(config_);
        if (!settings) return tl::unexpected(settings.error());
        bots_ = std::move(*settings);
        return {};
    }

    Result<void> start_media() {
        if (config_.media.realtime) keep_memory_resident();
        auto ai = ai::AiRuntime::start({.events = &bot_mail_, .listen = config_.ai_listen});
        if (!ai) return tl::unexpected(ai.error());
        ai_ = std::move(*ai);
        auto workers = media::WorkerPool::create({.workers = config_.media.workers,
                                                  .realtime = config_.media.realtime,
                                                  .after_tap = [ai = ai_.get()] { ai->wake(); }});
        if (!workers) return tl::unexpected(workers.error());
        workers_ = std::move(*workers);
        reaper_ = std::make_unique<media::Reaper>();
        if (config_.rtp.stun.empty()) return {};
        const auto server = config::parse_server(config_.rtp.stun, kStunPort);
        if (!server) return tl::unexpected(server.error());
        stun_ = std::make_unique<media::StunClient>(
            media::StunClient::Options{
                .host = server->host, .port = server->port, .local = config_.rtp.address},
            g_main_context_default());
        return {};
    }

    // Web legs are the guests: without what they need phone calls are taken all the same.
    Result<void> start_web() {
        if (config_.web.max_legs == 0) return {};
        auto settings = web_settings(config_.web);
        if (!settings) return tl::unexpected(settings.error());
        web_settings_ = std::move(*settings);
        if (const std::string lack = what_web_lacks(); !lack.empty()) {
            log::write(Level::Warning,
                       Mark::Warning,
                       "web.off",
                       {},
                       lack + "; offers of ICE and DTLS-SRTP get 488 until then");
            return {};
        }
        auto workers =
            media::WorkerPool::create({.workers = web_workers(config_.web),
                                       .realtime = config_.media.realtime,
                                       .name = "web",
                                       .priority = media::WorkerPool::kWebPriority,
                                       .first_index = static_cast<int>(workers_->stats().size()),
                                       .after_tap = [ai = ai_.get()] { ai->wake(); }});
        if (!workers) return tl::unexpected(workers.error());
        web_workers_ = std::move(*workers);
        warming_up_ = media::WebTransport::warm_up();
        return {};
    }

    std::string what_web_lacks() const {
        constexpr std::pair<const char*, const char*> kNeeded[] = {
            {"webrtcbin", "gstreamer1.0-plugins-bad"},
            {"dtlsdec", "gstreamer1.0-plugins-bad"},
            {"srtpdec", "gstreamer1.0-plugins-bad"},
            {"nicesrc", "gstreamer1.0-nice"},
            {"rtpbin", "gstreamer1.0-plugins-good"}};
        for (const auto& [element, package] : kNeeded) {
            const auto factory =
                glib::Ref<GstElementFactory>::adopt(gst_element_factory_find(element));
            if (!factory)
                return std::string("web legs need the GStreamer element ") + element +
                       " (package " + package + ")";
        }
        for (const config::Route& route : config_.route) {
            if (launches_->find(route.web_pipeline)) continue;
            return "web legs of route \"" + route.name + "\" need pipeline \"" +
                   route.web_pipeline + "\", which is missing or was refused";
        }
        return {};
    }

    Result<void> start_calls() {
        call::CallRegistry::Hooks hooks;
        hooks.on_begun = [this](const model::CallInfo& info) { outlets_->on_begun(info); };
        hooks.on_refused = [this](const model::CallInfo& info) { outlets_->on_refused(info); };
        hooks.on_answered = [this](const model::CallInfo& info) {
            outlets_->on_answered(info);
            metrics_.on_call_answered(info);
        };
        hooks.on_ended = [this](const model::CallInfo& info) {
            ai_sockets_->on_left(info.id);
            outlets_->on_ended(info);
            metrics_.on_call_ended(info);
        };
        hooks.on_account = [this](model::AccountInfo info) { on_account(std::move(info)); };
        hooks.on_bot_verb = [this](auto verb, auto result) { metrics_.on_bot_verb(verb, result); };
        hooks.on_bot_lost = [this](auto protocol, auto why) {
            metrics_.on_bot_lost(protocol, why);
        };
        hooks.on_bot_back = [this](double gap_s) { metrics_.on_bot_back(gap_s); };
        hooks.on_bot_state = [this](const model::CallInfo& info, const auto& stats) {
            ai_sockets_->on_state(info, stats);
        };
        hooks.on_ai_left = [this](const model::CallInfo& info) {
            ai_sockets_->on_left(info.id);
            metrics_.on_ai_left(info);
        };
        hooks.on_drained = [this] { g_main_loop_quit(loop_.get()); };
        rooms_ =
            std::make_unique<ChannelRooms>(ChannelRooms::Parts{.config = config_,
                                                               .control = control_,
                                                               .context = g_main_context_default(),
                                                               .workers = *workers_});
        calls_ = std::make_unique<call::CallRegistry>(call::CallRegistry::Parts{
            .config = &config_,
            .context = g_main_context_default(),
            .control = &control_,
            .launches = &*launches_,
            .workers = workers_.get(),
            .reaper = reaper_.get(),
            .ai = ai_.get(),
            .bot = [this](const call::BotChoice& choice) { return bots_.find(choice); },
            .learned_address = [this] { return stun_ ? stun_->address() : std::string(); },
            .web_workers = web_workers_.get(),
            .web_settings = &web_settings_,
            .make_transport = {},
            .account = [this](const std::string& name) { return rules_of(name); },
            .channels = &rooms_->channels(),
            .recordings = &outlets_->records().recordings(),
            .hooks = std::move(hooks)});
        outlets_->records().on_recording([this](const auto& call, auto state, const auto& why) {
            if (calls_) calls_->on_recording(call, state, why);
        });
        rooms_->set_calls(calls_.get());
        bot_mail_.set_registry(calls_.get());
        return {};
    }

    std::optional<call::AccountRules> rules_of(const std::string& name) const {
        for (const config::Account& account : config_.account) {
            if (account.name == name) return account_rules(account, accounts_.find(name));
        }
        return std::nullopt;
    }

    // Last: a call may come as soon as one of them is registered.
    Result<void> start_accounts() {
        if (config_.account.empty()) return {};
        auto state = open_state(config_.state);
        if (state) {
            state_.emplace(std::move(*state));
        } else if (state.error().code != base::ErrorCode::NotFound) {
            return tl::unexpected(state.error());
        } else {
            log::write(Level::Warning,
                       Mark::Warning,
                       "account.no_state",
                       {},
                       state.error().text() +
                           "; registrars see a new phone after each restart until then");
        }
        std::vector<signalling::sip::AccountSettings> all;
        for (const config::Account& account : config_.account) {
            if (account.kind == "ringcentral") continue;
            auto settings = account_settings(account, state_ ? &*state_ : nullptr);
            if (!settings) return tl::unexpected(settings.error());
            all.push_back(std::move(*settings));
        }
        sip_->set_accounts(std::move(all));
        return start_ringcentral();
    }

    Result<void> start_ringcentral() {
        for (const config::Account& account : config_.account) {
            if (account.kind != "ringcentral") continue;
            if (!state_) {
                return base::fail(base::ErrorCode::InvalidArgument,
                                  "account \"" + account.name +
                                      "\" of kind ringcentral needs a state directory: set "
                                      "state.directory");
            }
            if (!ringcentral_) {
                ringcentral_.emplace(
                    *state_,
                    RingCentralAccounts::Hooks{
                        .set_account = [this](auto given) { sip_->set_account(std::move(given)); },
                        .remove_account = [this](auto name) { sip_->remove_account(name); },
                        .tell = [this](auto info) { accounts_.update(std::move(info)); }});
            }
            if (auto added = ringcentral_->add(account); !added) return added;
        }
        return {};
    }

    void on_account(model::AccountInfo info) {
        if (first_run_ && first_run_->seen(info)) return;
        if (!ringcentral_) return accounts_.update(std::move(info));
        if (auto completed = ringcentral_->seen(std::move(info))) {
            accounts_.update(*std::move(completed));
        }
    }

    Result<void> start_sip() {
        std::vector<config::Cidr> allowed;
        for (const std::string& text : config_.sip.allow) {
            auto block = config::Cidr::parse(text);
            if (!block) return tl::unexpected(block.error());
            allowed.push_back(std::move(*block));
        }
        signalling::sip::SipSettings settings;
        settings.listen = config_.sip.listen;
        settings.advertise = config_.sip.advertise;
        settings.dscp = config_.sip.dscp;
        settings.session_expires = std::chrono::seconds(config_.sip.session_expires_s);
        settings.min_session_expires = std::chrono::seconds(config_.sip.min_se_s);
        settings.allow = [allowed = std::move(allowed)](const sockaddr* address) {
            return config::contains_any(allowed, address);
        };
        auto sip = signalling::sip::SipStack::start(std::move(settings), control_, *calls_);
        if (!sip) return tl::unexpected(sip.error());
        sip_ = std::move(*sip);
        calls_->set_signalling(*sip_);
        if (first_run_) first_run_->set_sip(sip_.get());
        return {};
    }

    // Before the doors: every WebSocket is known from its first moment.
    Result<void> start_connections() {
        auto connections = Connections::create(config_, g_main_context_default());
        if (!connections) return tl::unexpected(connections.error());
        connections_ = std::move(*connections);
        ai_sockets_.emplace(connections_->registry(),
                            [this](const model::CallId& call, std::uint64_t connection) {
                                ai_->tell(call,
                                          ai::DropNews{.connection = connection,
                                                       .why = "its socket was removed by the API"});
                            });
        return {};
    }

    Result<void> start_http() {
        const auto at = config::parse_host_port(config_.http.listen);
        if (!at) return tl::unexpected(at.error());
        http::ServerOptions options;
        options.host = at->host;
        options.port = at->port;
        options.allow_remote = config_.http.allow_remote;
        options.hosts = config_.http.hosts;
        options.origins = config_.http.origins;
        options.max_connections = static_cast<std::size_t>(config_.http.max_connections);
        options.max_websockets = static_cast<std::size_t>(config_.http.max_websockets);
        options.request_timeout = std::chrono::seconds(config_.http.handshake_s);
        options.idle_timeout = std::chrono::seconds(config_.http.idle_s);
        std::vector<config::Cidr> proxies;
        for (const std::string& text : config_.http.proxies) {
            if (auto block = config::Cidr::parse(text)) proxies.push_back(*std::move(block));
        }
        options.is_proxy = [proxies](std::string_view address) {
            return config::contains_any(proxies, address);
        };
        auto server = http::Server::listen(options);
        if (!server) return tl::unexpected(server.error());
        api_.emplace(api::ApiParts{
            .calls = *calls_,
            .metrics = metrics_,
            .accounts = &accounts_,
            .control = calls_.get(),
            .legs = calls_.get(),
            .connections = &connections_->registry(),
            .channels = &rooms_->channels(),
            .records = &outlets_->records().store(),
            .recordings = &outlets_->records().recordings(),
            .demo = first_run_ ? &first_run_->demo() : nullptr,
            .setup = first_run_ ? &first_run_->setup() : nullptr,
            .mint_join =
                [this](const access::JoinGrant& grant) { return locks_.join_tokens->mint(grant); },
            .workers = [this] { return workers_->stats(); },
            .web_workers = [this] { return media_rooms().web_worker_stats(); },
            .draining = [this] { return calls_->is_draining(); },
            .drain = [this](auto timeout_s) { on_drain(timeout_s); },
            .listeners = [this] { return listeners(); },
            .calls_health = [this] { return calls_->health(); },
            .media_health = [this] { return media_health(media_rooms()); },
            .ai_health = [this] { return calls_->ai_health(); },
            .accounts_health = [this] { return accounts_.health(); },
            .websockets_health = [this] { return connections_->registry().health(); },
            .storage_health =
                [this] { return outlets_->records().health(connections_->storage_health()); },
            .liveness = [this] { return liveness(media_rooms()); },
            .config = [this] { return config::effective(loaded_); },
            .signalling = [this] { return signalling_stats(*sip_); },
            .failed_ai_sessions =
                [this] { return ai_->counters().failed_sessions.load(std::memory_order_relaxed); },
            .ai_latencies = [this] { return ai_latencies(*ai_); },
            .late_mix_frames = [this] { return rooms_->channels().late_frames_total(); },
            .event_counts = [this] { return outlets_->event_counts(); },
            .keyring = locks_.keyring.get(),
            .context = g_main_context_default(),
            .max_calls = config_.admission.max_calls,
            .tick_p99_limit_ms = config_.admission.tick_p99_ms,
            .page = offhook_page_get_resource(),
            .gap_limit_ms = static_cast<double>(config_.alarm.rtp_gap_ms)});
        (*server)->set_gate([this](http::Request& request, std::string_view scope) {
            return locks_.keyring->gate(request, scope);
        });
        if (web_workers_) {
            // Its path is a name of a channel as well, so it comes before those.
            channel_doors_.emplace(ChannelDoors::Parts{.web = config_.web,
                                                       .keyring = *locks_.keyring,
                                                       .registry = connections_->registry(),
                                                       .channels = rooms_->channels(),
                                                       .calls = *calls_,
                                                       .events = *calls_,
                                                       .control = control_,
                                                       .context = g_main_context_default()});
            channel_doors_->install(**server);
        }
        api_->install(**server);
        outlets_->install(**server, connections_->registry());
        if (config_.web.max_legs > 0) {
            doors_ = std::make_unique<WebDoors>(config_.web,
                                                *locks_.keyring,
                                                control_,
                                                *calls_,
                                                connections_->registry(),
                                                g_main_context_default());
            doors_->install(**server);
        }
        server_ = std::move(*server);
        return {};
    }

    // The one setting with the largest effect on pacing under load: 13 ms against 0.2 ms at p99.
    void warn_without_realtime() const {
        const auto all = workers_->stats();
        const bool is_missing = std::any_of(
            all.begin(), all.end(), [](const auto& worker) { return !worker.is_realtime; });
        if (!config_.media.realtime || !is_missing) return;
        log::write(Level::Warning,
                   Mark::Warning,
                   "system.realtime_refused",
                   {},
                   "media workers run without SCHED_FIFO, so a busy machine will make packets "
                   "late: give the "
                   "process CAP_SYS_NICE or LimitRTPRIO=10, or set media.realtime = false");
    }

    MediaRooms media_rooms() const {
        return {.config = config_,
                .calls = *calls_,
                .workers = *workers_,
                .web_workers = web_workers_.get(),
                .stun = stun_.get()};
    }

    void on_stop() {
        if (first_run_) first_run_->stop();
        calls_->drain(config_.drain.timeout_s);
    }

    // Asked for again it is the same drain. Without calls the process ends with it: the answer goes first.
    void on_drain(std::optional<int> timeout_s) {
        if (calls_->is_draining() && timeout_s != 0) return;
        const int wait_s = timeout_s.value_or(config_.drain.timeout_s);
        if (calls_->totals().active > 0) return calls_->drain(wait_s);
        drain_timer_.once(g_main_context_default(), std::chrono::milliseconds(100), [this, wait_s] {
            calls_->drain(wait_s);
        });
    }

    void on_reload() {
        log::reopen();
        outlets_->reopen();
        auto reloaded = launches_->reload();
        if (!reloaded) {
            log::write(
                Level::Error, Mark::Error, "pipeline.reload_failed", {}, reloaded.error().text());
            return;
        }
        for (const base::Error& refused : reloaded->refused) {
            log::write(Level::Error,
                       Mark::Error,
                       "pipeline.refused",
                       {},
                       refused.text() + "; the previous version stays");
        }
        log::write(Level::Info,
                   Mark::System,
                   "pipeline.reloaded",
                   {},
                   "launch files read again; running calls keep theirs",
                   {{"loaded", joined(reloaded->loaded)}, {"refused", reloaded->refused.size()}});
    }

    config::Loaded loaded_;  ///< `[demo]` adds its bot before anybody reads it
    const config::Config& config_ = loaded_.config;
    glib::FdExecutor control_;
    call::AccountBook accounts_;
    Locks locks_;
    AiSettings bots_;
    call::BotMail bot_mail_{control_};
    std::unique_ptr<FirstRun> first_run_;  ///< null without `[demo]`
    std::optional<state::StateDirectory> state_;
    std::optional<RingCentralAccounts> ringcentral_;
    glib::Ref<GMainLoop> loop_ = glib::Ref<GMainLoop>::adopt(g_main_loop_new(nullptr, FALSE));
    api::Metrics metrics_{OFFHOOK_VERSION};
    std::optional<media::LaunchLibrary> launches_;
    std::unique_ptr<ai::AiRuntime> ai_;
    std::unique_ptr<media::WorkerPool> workers_;
    media::WebSettings web_settings_;
    std::unique_ptr<media::WorkerPool> web_workers_;  ///< null: no web legs
    std::jthread warming_up_;                         ///< makes DTLS certificates ready
    std::unique_ptr<media::Reaper> reaper_;
    std::unique_ptr<media::StunClient> stun_;  ///< null without `[rtp] stun`
    std::unique_ptr<Connections> connections_;
    std::optional<AiSockets> ai_sockets_;
    std::unique_ptr<Outlets> outlets_;
    std::unique_ptr<ChannelRooms> rooms_;
    std::unique_ptr<call::CallRegistry> calls_;
    std::unique_ptr<signalling::sip::SipStack> sip_;
    std::optional<api::Api> api_;
    std::optional<ChannelDoors> channel_doors_;  ///< empty: no web legs
    std::unique_ptr<WebDoors> doors_;            ///< null: no web legs
    std::unique_ptr<http::Server> server_;
    glib::Timer drain_timer_;
};

}  // namespace

int run_daemon(const DaemonOptions& options) {
    auto loaded = config::load(options.load);
    if (!loaded) {
        std::fprintf(stderr, "%s\n", loaded.error().text().c_str());
        return kExitBadConfig;
    }
    if (auto ready = log::setup(log_options(loaded->config.log)); !ready) {
        std::fprintf(stderr, "%s\n", ready.error().text().c_str());
        return kExitBadConfig;
    }
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of its writer
    raise_descriptor_limit();
    gst_init(nullptr, nullptr);
    if (!register_elements()) {
        log::write(Level::Error,
                   Mark::Error,
                   "system.start_failed",
                   {},
                   "GStreamer does not take our elements");
        return kExitFailed;
    }
    int exit_code = 0;
    {
        Daemon daemon(*std::move(loaded));
        if (auto started = daemon.start(); !started) {
            log::write(
                Level::Error, Mark::Error, "system.start_failed", {}, started.error().text());
            const bool is_config = started.error().code == base::ErrorCode::InvalidArgument;
            exit_code = is_config ? kExitBadConfig : kExitFailed;
        } else {
            tell_ready(options.ready_fd, daemon.ready_text());
            daemon.run();
        }
    }
    log::write(
        Level::Info, Mark::System, "system.stopped", {}, "stopped", {{"exit_code", exit_code}});
    log::shutdown();
    gst_deinit();
    return exit_code;
}

}  // namespace offhook::app
