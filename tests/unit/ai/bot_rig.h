#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "ai/bot_door.h"
#include "ai/bot_session.h"
#include "ai/farewells.h"
#include "ai/latency.h"
#include "base/monotonic.h"
#include "hand_line.h"
#include "model/codec.h"

namespace offhook::ai::testing {

using Samples = std::vector<std::int16_t>;

/// Sample `i` of the caller's, so that one that is lost, doubled or swapped shows.
inline std::int16_t said(std::uint64_t i) {
    return static_cast<std::int16_t>(i * 7 % 30'011);
}

/// A link in the test's hand: what was sent on it, and who hears of it.
struct FakeWire {
    socket::LinkEvents* events = nullptr;
    socket::DialSettings dial;
    std::int64_t dialled_ns = 0;
    std::vector<std::string> texts;
    std::uint64_t binaries = 0;
    bool is_open = false;
    bool is_gone = false;  ///< destroyed
    std::optional<int> close_code;
    bool takes_nothing = false;

    void open() {
        is_open = true;
        events->on_open();
    }
    void end(socket::LinkEnd::Why why, int code = 0) {
        is_open = false;
        events->on_closed({.why = why, .code = code, .detail = "as the test wants"});
    }
};

class FakeLink final : public socket::Link {
public:
    explicit FakeLink(std::shared_ptr<FakeWire> wire) : wire_(std::move(wire)) {}
    ~FakeLink() override {
        wire_->is_open = false;
        wire_->is_gone = true;
    }
    bool send_text(std::string_view text) override {
        if (!wire_->is_open || wire_->takes_nothing) return false;
        wire_->texts.emplace_back(text);
        return true;
    }
    bool send_binary(std::span<const std::byte> /*bytes*/) override {
        if (!wire_->is_open || wire_->takes_nothing) return false;
        ++wire_->binaries;
        return true;
    }
    void close(std::uint16_t code, std::string_view /*reason*/) override {
        wire_->close_code = code;
    }
    bool is_open() const noexcept override { return wire_->is_open; }
    const Counters& counters() const noexcept override { return counters_; }

private:
    std::shared_ptr<FakeWire> wire_;
    Counters counters_;
};

/// A protocol that writes down what it is told.
class Scripted final : public BotProtocol {
public:
    struct Frame {
        Samples pcm;
        FrameAt at;
        std::int64_t when_ns;
        int connection;
    };
    struct Mark {
        std::string name;
        MarkEnd how;
        std::uint64_t position;
        bool operator==(const Mark&) const = default;
    };
    struct Notes {
        std::function<std::int64_t()> clock;
        std::uint32_t rate_hz = 8000;
        bool is_ready_at_once = true;
        OnClose on_close = OnClose::HangUp;
        bool throws = false;
        BotHost* host = nullptr;
        std::string subprotocol;

        std::vector<Continuation> opened;
        std::vector<Frame> frames;
        std::vector<std::string> texts;
        std::vector<Mark> marks;
        std::vector<std::pair<std::uint64_t, std::uint64_t>> dropped;
        std::vector<std::string> verbs;
        std::string digits;
        std::vector<bool> held;
        std::vector<std::uint64_t> barge_ins;
        std::vector<std::pair<bool, std::uint64_t>> speech;
        int lost = 0, ended = 0, drained = 0;
    };
    Scripted(BotHost& host, Notes& notes) : host_(host), notes_(notes) { notes.host = &host; }

    std::uint32_t sample_rate_hz() const noexcept override { return notes_.rate_hz; }
    Opening opening() const override {
        Opening opening;
        opening.url = host_.settings().ai.url;
        opening.subprotocol = notes_.subprotocol;
        return opening;
    }
    OnClose on_close() const noexcept override { return notes_.on_close; }
    void on_open(const Continuation& before) override {
        notes_.opened.push_back(before);
        if (notes_.is_ready_at_once) host_.ready();
    }
    void on_text(std::string_view text) override {
        if (notes_.throws) throw std::runtime_error("thrown by the protocol");
        notes_.texts.emplace_back(text);
    }
    void on_binary(std::span<const std::byte> bytes) override {
        Samples pcm(bytes.size() / 2);
        std::memcpy(pcm.data(), bytes.data(), pcm.size() * 2);
        host_.play(pcm);
    }
    void on_frame(std::span<const std::int16_t> pcm, FrameAt at) override {
        notes_.frames.push_back({Samples(pcm.begin(), pcm.end()),
                                 at,
                                 notes_.clock(),
                                 static_cast<int>(notes_.opened.size())});
        host_.send_binary(std::as_bytes(pcm));
    }
    void on_lost() override { ++notes_.lost; }
    void on_digit(char digit, unsigned /*duration_ms*/) override { notes_.digits += digit; }
    void on_mark(const std::string& name, MarkEnd how, std::uint64_t position) override {
        notes_.marks.push_back({name, how, position});
    }
    void on_drained() override { ++notes_.drained; }
    void on_dropped(std::uint64_t from, std::uint64_t to) override {
        notes_.dropped.emplace_back(from, to);
    }
    void on_barge_in(std::uint64_t played) override { notes_.barge_ins.push_back(played); }
    void on_caller_speech(bool is_speaking, std::uint64_t position) override {
        notes_.speech.emplace_back(is_speaking, position);
    }
    void on_hold(bool is_held) override { notes_.held.push_back(is_held); }
    void on_verb(const BotRequest& request,
                 std::string_view how,
                 std::string_view /*detail*/) override {
        notes_.verbs.push_back(std::string(name_of(request.verb)) + ' ' + request.correlation +
                               ' ' + std::string(how));
    }
    void on_end(model::EndReason /*reason*/) override {
        ++notes_.ended;
        host_.send_text("stop");
    }

private:
    BotHost& host_;
    Notes& notes_;
};

/// What the rest of the daemon was told, in words.
class EventBook final : public AiEvents {
public:
    std::vector<std::string> lines;
    std::vector<BotRequest> requests;

    void on_request(const model::CallId&, const BotRequest& request) override {
        requests.push_back(request);
        lines.push_back("request " + std::string(name_of(request.verb)) + ' ' + request.argument);
    }
    void on_refused(const model::CallId&, const BotRequest& request) override {
        lines.push_back("refused " + std::string(name_of(request.verb)));
    }
    void on_state(const model::CallId&, model::AiState state, const std::string&) override {
        lines.push_back("state " + std::string(model::name_of(state)));
    }
    void on_fallback(const model::CallId&, const Fallback& next) override {
        static constexpr const char* kKinds[] = {"ai", "prompt", "transfer", "hang-up"};
        lines.push_back("fallback " + std::string(kKinds[static_cast<int>(next.kind)]) + ' ' +
                        next.argument);
    }
    void on_finished(const model::CallId&, const std::string&) override {
        lines.emplace_back("finished");
    }
    void on_waiting(const model::CallId&, const std::string& path) override {
        lines.push_back("waiting " + path);
    }
    [[nodiscard]] bool has(const std::string& line) const {
        return std::find(lines.begin(), lines.end(), line) != lines.end();
    }
};

/// One call with a bot: the clock, the caller, the media worker and the links in the test's hand.
class BotRig : public ::testing::Test {
protected:
    std::int64_t now_ns_ = 1'000 * base::kNsPerS;
    std::shared_ptr<model::AudioPort> port_ = std::make_shared<model::AudioPort>(8000U);
    std::shared_ptr<BotSettings> settings_ = std::make_shared<BotSettings>();
    std::shared_ptr<model::AiStats> stats_ = std::make_shared<model::AiStats>();
    Scripted::Notes notes_;
    EventBook events_;
    std::unique_ptr<socket::EventLoop> loop_;
    std::unique_ptr<BotDoor> door_;
    Farewells farewells_;
    Latencies latencies_;
    std::vector<std::shared_ptr<FakeWire>> wires_;
    bool is_refusing_ = false;
    std::unique_ptr<BotSession> session_;
    std::function<std::int16_t(std::uint64_t)> voice_ = said;  ///< of the caller, by the sample
    std::uint64_t spoken_ = 0;
    HandLine line_{port_};
    Samples& heard_ = line_.heard;  ///< by the caller, the AI's only

    void SetUp() override {
        auto loop = socket::EventLoop::create();
        ASSERT_TRUE(loop) << loop.error().text();
        loop_ = std::move(*loop);
        settings_->ai.name = "bot";
        settings_->ai.protocol = config::AiProtocol::Plain;
        settings_->ai.url = "ws://127.0.0.1:1/";
        notes_.clock = [this] { return now_ns_; };
    }
    void begin(LastWords before = {}) {
        BotSession::Parts parts;
        parts.before = std::move(before);
        parts.farewells = &farewells_;
        parts.events = &events_;
        parts.latencies = &latencies_;
        parts.settings = settings_;
        parts.call.id = model::CallId{"c-1"};
        parts.port = port_;
        parts.stats = stats_;
        parts.now_ns = now_ns_;
        parts.seed = 1;
        parts.clock = [this] { return now_ns_; };
        parts.dial =
            [this](socket::EventLoop&,
                   const socket::DialSettings& dial,
                   socket::LinkEvents& events) -> base::Result<std::unique_ptr<socket::Link>> {
            wires_.push_back(std::make_shared<FakeWire>());
            wires_.back()->events = &events;
            wires_.back()->dial = dial;
            wires_.back()->dialled_ns = now_ns_;
            return std::make_unique<FakeLink>(wires_.back());
        };
        parts.loop = loop_.get();
        parts.door = door_.get();
        parts.protocol = [this](BotHost& host) { return std::make_unique<Scripted>(host, notes_); };
        session_ = std::make_unique<BotSession>(std::move(parts));
    }
    FakeWire& wire() { return *wires_.back(); }
    BotHost& host() { return *notes_.host; }

    /// 10 ms: a packet of the caller's and a frame of the line each second time.
    void step() {
        now_ns_ += 10 * base::kNsPerMs;
        if (now_ns_ / base::kNsPerMs % 20 == 0) {
            Samples pcm(port_->sample_rate_hz / 50);
            for (std::int16_t& sample : pcm) sample = voice_(spoken_++);
            port_->tapped_ns.store(now_ns_);
            session_->on_caller_audio(pcm);
            line_.frame(now_ns_);
        }
        session_->on_tick(now_ns_);
    }
    void step_for(int ms) {
        for (int done = 0; done < ms; done += 10) step();
    }
    /// @return false: it did not come true within 100 s
    bool step_until(const std::function<bool()>& is_so) {
        for (int i = 0; i < 10'000 && !is_so(); ++i) step();
        return is_so();
    }
    void go_live() {
        begin();
        wire().open();
    }
    Samples bot_speaks(int ms, std::int16_t value) {
        Samples pcm(notes_.rate_hz / 1000 * static_cast<std::size_t>(ms), value);
        host().play(pcm);
        return pcm;
    }
    std::shared_ptr<PromptBook> book(const std::string& name, int ms, std::int16_t value) {
        auto prompts = std::make_shared<PromptBook>();
        auto sound = std::make_shared<PromptSound>();
        sound->name = name;
        sound->pcm_8k.assign(8 * static_cast<std::size_t>(ms), value);
        sound->pcm_16k.assign(16 * static_cast<std::size_t>(ms), value);
        prompts->emplace(name, sound);
        return prompts;
    }
    [[nodiscard]] std::size_t count(std::int16_t value) const {
        return static_cast<std::size_t>(std::count(heard_.begin(), heard_.end(), value));
    }
};

}  // namespace offhook::ai::testing
