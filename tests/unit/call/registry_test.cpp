#include "registry_test.h"

#include <algorithm>

#include "media/port_range.h"

namespace offhook::call::testing {

void RegistryTest::SetUp() {
    config.ai = {{.name = "tone", .protocol = config::AiProtocol::Tone},
                 {.name = "mute", .protocol = config::AiProtocol::Mute}};
    config.route = {{.name = "first", .to = "x*", .ai = "tone"},
                    {.name = "second", .to = "y*", .ai = "mute", .accept_transfer = true},
                    {.name = "into", .to = "z*", .channel = "sales"}};
    config.channel = {{.name = "sales", .ai = {}, .max_members = 2},
                      {.name = "desk", .ai = "tone"}};
    config.rtp.address = "127.0.0.1";
    config.media.realtime = false;
    accounts["office"] = {.uri = "sip:200@pbx.example.com",
                          .domain = "pbx.example.com",
                          .route = "second",
                          .codecs = {},
                          .outbound = {.is_allowed = true,
                                       .destinations = {"1??", "sip:*@127.0.0.1"},
                                       .per_minute = 4},
                          .local_address = "127.0.0.1"};
    accounts["shut"] = accounts["office"];
    accounts["shut"].outbound.is_allowed = false;
    accounts["browser"] = accounts["office"];
    accounts["browser"].media = model::LegKind::Web;

    launches =
        std::make_unique<media::LaunchLibrary>(OFFHOOK_SOURCE_PIPELINES, media::LaunchRules{});
    ASSERT_TRUE(launches->reload());
    workers =
        std::move(*media::WorkerPool::create({.workers = 1, .realtime = false, .after_tap = {}}));
    web_workers = std::move(*media::WorkerPool::create(
        {.workers = 1, .realtime = false, .name = "web", .first_index = 1, .after_tap = {}}));
    reaper = std::make_unique<media::Reaper>();
    ai = std::move(*ai::AiRuntime::start({}));
    auto ports = media::PortRange(40000, 49999, config.rtp.dscp).open("127.0.0.1");
    ASSERT_TRUE(ports);
    peer_ = std::move(*ports);
    channels = std::make_unique<channel::Channels>(channel::Channels::Parts{
        .context = g_main_context_default(),
        .control = &control,
        .workers = {.pick =
                        [this](const worker::MediaWorker* preferred) {
                            auto own = preferred ? workers->join(*preferred) : nullptr;
                            return own ? own : workers->pick();
                        },
                    .give_back = [this](const auto& worker) { workers->give_back(worker); }},
        .hooks = {
            .end_leg = [this](const auto& id, const auto& why) { calls->end_member(id, why); },
            .on_place = [this](const auto& id,
                               const auto& channel,
                               const auto& member) { calls->note_place(id, channel, member); },
            .attach_ai = [this](const auto& wanted) { return calls->attach_channel_ai(wanted); },
            .dismiss_ai = [this](const auto& id) { calls->dismiss_channel_ai(id); },
            .has_ai = [](const std::string& name) { return name == "tone"; }},
        .return_after = std::chrono::milliseconds(20)});
    channels->add(config.channel);
    calls = std::make_unique<CallRegistry>(CallRegistry::Parts{
        .config = &config,
        .context = g_main_context_default(),
        .control = &control,
        .launches = launches.get(),
        .workers = workers.get(),
        .reaper = reaper.get(),
        .ai = ai.get(),
        .bot =
            [this](const BotChoice& choice) {
                bots.push_back(choice.ai + " " + std::to_string(choice.fallbacks_used));
                auto settings = std::make_shared<ai::BotSettings>();
                for (const config::Ai& each : config.ai) {
                    if (each.name == choice.ai) settings->ai = each;
                }
                settings->fallback.assign(
                    fallback.begin() + static_cast<std::ptrdiff_t>(choice.fallbacks_used),
                    fallback.end());
                return settings;
            },
        .learned_address = {},
        .web_workers = web_workers.get(),
        .web_settings = &web_settings,
        .make_transport =
            [this](media::WebTransport::Parts parts) {
                ways.push_back(std::make_shared<media::testing::FakeTransport>(
                    std::move(parts), static_cast<int>(ways.size())));
                return std::static_pointer_cast<media::WebTransport>(ways.back());
            },
        .account =
            [this](const std::string& name) {
                const auto it = accounts.find(name);
                return it == accounts.end() ? std::nullopt : std::optional(it->second);
            },
        .channels = channels.get(),
        .hooks = {.on_answered = {},
                  .on_ended = [this](const model::CallInfo& call) { over.push_back(call); },
                  .on_bot_verb =
                      [this](auto verb, auto result) {
                          bot_news.push_back(std::string(verb) + " " + std::string(result));
                      },
                  .on_bot_lost =
                      [this](auto protocol, auto why) {
                          bot_news.push_back("lost " + std::string(protocol) + " " +
                                             std::string(why));
                      },
                  .on_bot_back = [this](double) { bot_news.push_back("back"); },
                  .on_ai_left =
                      [this](const model::CallInfo& call) {
                          bot_news.push_back("left " + call.ai);
                      },
                  .on_drained = [this] { is_drained = true; }}});
    calls->set_signalling(sip);
}

void RegistryTest::TearDown() {
    calls->close();
    reaper.reset();
    calls.reset();
    channels.reset();
    web_workers.reset();
    workers.reset();
    ai.reset();
}

bool RegistryTest::wait_until(const std::function<bool()>& is_so) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!is_so()) {
        if (std::chrono::steady_clock::now() >= deadline) return false;
        glib::Timer look_again;
        look_again.once(g_main_context_default(), std::chrono::milliseconds(5), [] {});
        g_main_context_iteration(g_main_context_default(), TRUE);
    }
    return true;
}

model::RemoteSdp RegistryTest::peer_sdp(model::Direction direction, bool with_events) {
    model::RemoteSdp sdp;
    sdp.audio.address = "127.0.0.1";
    sdp.audio.rtp_port = peer_.port();
    sdp.audio.rtcp_port = static_cast<std::uint16_t>(peer_.port() + 1);
    sdp.audio.direction = direction;
    sdp.audio.formats = {{0, "PCMU", 8000, 1, ""}};
    if (with_events) sdp.audio.formats.push_back({101, "telephone-event", 8000, 1, "0-16"});
    sdp.audio_lines = {sdp.audio};
    sdp.lines = {{"audio", "RTP/AVP", "0 101", true}};
    return sdp;
}

model::CallId RegistryTest::comes_in(const std::string& to, const std::string& account) {
    model::IncomingCall incoming;
    incoming.id = model::CallId::make();
    incoming.account = account;
    incoming.to_user = to;
    incoming.to_uri = "sip:" + to + "@127.0.0.1";
    incoming.from_uri = "sip:anna@127.0.0.1";
    incoming.peer = "udp:127.0.0.1:5070";
    incoming.local_address = "127.0.0.1";
    incoming.offer = peer_sdp();
    const model::CallId id = incoming.id;
    calls->on_incoming(std::move(incoming));
    return id;
}

model::CallId RegistryTest::answered(const std::string& to, const std::string& account) {
    const model::CallId id = comes_in(to, account);
    calls->on_answer_sent(id);
    calls->on_confirmed(id, std::nullopt);
    return id;
}

model::RemoteSdp RegistryTest::web_sdp(const Browser& browser) {
    std::string fingerprint = "11";
    for (int i = 1; i < 32; ++i) fingerprint += ":AB";
    model::RemoteSdp sdp;
    sdp.web_text =
        "v=0\r\no=- 5834348823345458730 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
        "a=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF " +
        browser.formats + "\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:" + browser.ufrag +
        "\r\na=ice-pwd:vzbxQYR0LiI60eXeqK0QfIqr\r\na=fingerprint:sha-256 " + fingerprint +
        "\r\na=setup:" + browser.setup + "\r\na=mid:0\r\na=" + browser.direction +
        "\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:0 PCMU/8000\r\n"
        "a=rtpmap:110 telephone-event/48000\r\na=rtpmap:9 G722/8000\r\n"
        "a=candidate:1 1 udp 2113937151 127.0.0.1 50000 typ host\r\na=end-of-candidates\r\n";
    return sdp;
}

model::CallId RegistryTest::web_comes_in(const Browser& browser, const std::string& account) {
    model::IncomingCall incoming;
    incoming.id = model::CallId::make();
    incoming.account = account;
    incoming.to_user = "x";
    incoming.to_uri = "sip:x@127.0.0.1";
    incoming.from_uri = "sip:anna@127.0.0.1";
    incoming.peer = "wss:127.0.0.1:443";
    incoming.offer = web_sdp(browser);
    const model::CallId id = incoming.id;
    calls->on_incoming(std::move(incoming));
    return id;
}

void RegistryTest::gathers(sdp::Setup setup) {
    const std::size_t asked = sip.asked.size();
    ways.back()->gathers(setup);
    EXPECT_TRUE(wait_until([&] { return sip.asked.size() > asked; })) << "nothing was said";
}

void RegistryTest::verifies(const model::CallId& id) {
    const std::uint64_t restarts = info(id).web.restarts;
    const bool was_connected = info(id).web.is_connected;
    ways.back()->verifies();
    EXPECT_TRUE(wait_until([&] {
        return was_connected ? info(id).web.restarts > restarts : info(id).web.is_connected;
    }));
}

model::CallId RegistryTest::web_answered() {
    const model::CallId id = web_comes_in();
    gathers();
    calls->on_answer_sent(id);
    calls->on_confirmed(id, std::nullopt);
    return id;
}

model::CallId RegistryTest::web_connected() {
    const model::CallId id = web_answered();
    verifies(id);
    return id;
}

model::PlaceOrder RegistryTest::order(const std::string& to) {
    model::PlaceOrder o;
    o.account = "office";
    o.to = to;
    o.who = "test";
    return o;
}

model::CallId RegistryTest::placed_and_answered() {
    const auto placed = calls->place(order());
    EXPECT_TRUE(placed) << (placed ? "" : placed.error().detail);
    if (!placed) return {};
    calls->on_accepted(placed->id, peer_sdp());
    return placed->id;
}

model::CallInfo RegistryTest::info(const model::CallId& id) const {
    return calls->find(id).value_or(model::CallInfo{});
}

void RegistryTest::ends(const model::CallId& id, model::CallEnd end) {
    calls->on_ended(id, std::move(end));
}

}  // namespace offhook::call::testing
