#define GST_USE_UNSTABLE_API  // GStreamer 1.22 calls its WebRTC library so

#include "media/web_transport.h"

#include <gst/sdp/sdp.h>
#include <gst/webrtc/webrtc.h>

#include <algorithm>
#include <array>
#include <future>
#include <optional>
#include <thread>
#include <utility>

#include "base/escape.h"
#include "base/log.h"
#include "base/monotonic.h"
#include "glib/timer.h"
#include "media/detail/web_guard.h"
#include "media/detail/web_ice.h"
#include "media/detail/web_life.h"
#include "media/detail/web_names.h"
#include "media/detail/web_out.h"
#include "media/detail/web_signal.h"
#include "media/web_certificate.h"

namespace offhook::media {
namespace {

using detail::WebGuard;
using detail::WebIce;
using detail::WebLife;
using detail::WebNames;
using detail::WebOut;
using model::EndReason;
using std::chrono::milliseconds;

/// libnice said that it is done, webrtcbin may have candidates in its queue still (and 1.22 may
/// never say `complete` then).
constexpr milliseconds kLastCandidates{20};
/// The first candidate is waited for this often that long: on a busy machine webrtcbin's thread that
/// passes them on may be later than libnice's word that it is done.
constexpr int kLooksForFirst = 25;
/// From the end of DTLS to that of the call: the time that a BYE or a DELETE may take.
constexpr milliseconds kGoodbye{2'000};
/// How long the reaper waits for a worker to let go before it takes the pipeline from under it.
constexpr milliseconds kLetGo{200};
constexpr milliseconds kGone{1'000};
/// For a TURN server to take its address back.
constexpr milliseconds kGiveBack{500};

struct NeededElement {
    const char *name, *package;
};
constexpr std::array kNeeded{
    NeededElement{"webrtcbin", "gstreamer1.0-plugins-bad"},
    NeededElement{"nicesrc", "gstreamer1.0-nice"},
    NeededElement{"dtlssrtpenc", "gstreamer1.0-plugins-bad"},
    NeededElement{"srtpenc", "gstreamer1.0-plugins-bad"},
    NeededElement{"rtpbin", "gstreamer1.0-plugins-good"},
};

base::Result<void> check_elements() {
    for (const NeededElement& needed : kNeeded) {
        const auto factory =
            glib::Ref<GstElementFactory>::adopt(gst_element_factory_find(needed.name));
        if (!factory) {
            return base::fail(base::ErrorCode::Internal,
                              std::string("web legs need the element ") + needed.name +
                                  ": apt install " + needed.package);
        }
    }
    return {};
}

/// What a first call would load, and the certificate that 1.22's dtlsdec makes for all that get no
/// other.
constexpr std::array kMadeLater{"dtlssrtpdec",
                                "dtlssrtpenc",
                                "srtpdec",
                                "srtpenc",
                                "rtpsession",
                                "rtpfunnel",
                                "nicesrc",
                                "nicesink",
                                "clocksync",
                                "funnel",
                                "webrtcbin"};

/// W3C RTCIceTransportState.
const char* ice_state_name(int state) {
    switch (state) {
        case GST_WEBRTC_ICE_CONNECTION_STATE_CHECKING:
            return "checking";
        case GST_WEBRTC_ICE_CONNECTION_STATE_CONNECTED:
            return "connected";
        case GST_WEBRTC_ICE_CONNECTION_STATE_COMPLETED:
            return "completed";
        case GST_WEBRTC_ICE_CONNECTION_STATE_FAILED:
            return "failed";
        case GST_WEBRTC_ICE_CONNECTION_STATE_DISCONNECTED:
            return "disconnected";
        case GST_WEBRTC_ICE_CONNECTION_STATE_CLOSED:
            return "closed";
        default:
            return "new";
    }
}

glib::Ref<GstCaps> caps_of(const model::ChosenAudio& chosen) {
    const model::CodecFacts& codec = model::facts_of(chosen.codec);
    const glib::UniqueString encoding(
        g_ascii_strup(codec.rtp_encoding.data(), static_cast<gssize>(codec.rtp_encoding.size())));
    return glib::Ref<GstCaps>::adopt(gst_caps_new_simple("application/x-rtp",
                                                         "media",
                                                         G_TYPE_STRING,
                                                         "audio",
                                                         "payload",
                                                         G_TYPE_INT,
                                                         static_cast<int>(chosen.payload_type),
                                                         "clock-rate",
                                                         G_TYPE_INT,
                                                         static_cast<int>(codec.rtp_clock_hz),
                                                         "encoding-name",
                                                         G_TYPE_STRING,
                                                         encoding.get(),
                                                         nullptr));
}

/// What webrtcbin said to one of our requests, told on control.
struct Answer {
    std::string error;  ///< empty: it did it
    std::string sdp;    ///< of create-offer and create-answer
};

/// `field` of the reply is "offer", "answer" or empty.
Answer read_answer(GstPromise* promise, const char* field) {
    if (gst_promise_wait(promise) != GST_PROMISE_RESULT_REPLIED) return {"it was interrupted", {}};
    const GstStructure* reply = gst_promise_get_reply(promise);
    Answer answer;
    if (reply != nullptr && gst_structure_has_field_typed(reply, "error", G_TYPE_ERROR)) {
        GError* error = nullptr;
        gst_structure_get(reply, "error", G_TYPE_ERROR, &error, nullptr);
        answer.error = error != nullptr ? error->message : "unknown";
        g_clear_error(&error);
    } else if (*field != '\0') {
        GstWebRTCSessionDescription* made = nullptr;
        if (reply != nullptr)
            gst_structure_get(reply, field, GST_TYPE_WEBRTC_SESSION_DESCRIPTION, &made, nullptr);
        if (made == nullptr) return {"it made none", {}};
        const glib::UniqueString text(gst_sdp_message_as_text(made->sdp));
        answer.sdp = text.get();
        gst_webrtc_session_description_free(made);
    }
    return answer;
}

class Transport final : public WebTransport {
public:
    Transport(Parts parts, WebCertificate certificate)
        : parts_(std::move(parts)),
          certificate_(std::move(certificate)),
          names_(parts_.context, [this](std::string found) { add_found(found); }),
          life_(parts_.settings->vanish_after, parts_.settings->vanish_end) {}
    ~Transport() override {
        if (guard_) guard_->close();
        if (pipeline_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
    }
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;

    base::Result<void> build();

    void accept(const sdp::WebRemote& offer, const model::ChosenAudio& chosen) override;
    void offer(const model::ChosenAudio& chosen) override;
    void take_answer(const sdp::WebRemote& answer, const model::ChosenAudio& chosen) override;
    void add_candidates(const std::vector<std::string>& candidates) override;
    void attach(worker::MediaWorker& worker) override;
    model::LegPath path() override;
    void retire(worker::MediaWorker& worker, Reaper& reaper, std::function<void()> after) override;

private:
    using Step = std::function<void(Transport&)>;
    /// Hands `step` from any thread to control, where it runs if we still are.
    using Post = std::function<void(Step)>;
    [[nodiscard]] Post post() {
        std::weak_ptr<Transport> weak = std::static_pointer_cast<Transport>(shared_from_this());
        return [weak, control = parts_.control](Step step) {
            control->post([weak, step = std::move(step)] {
                if (const auto self = weak.lock(); self && !self->is_over_) step(*self);
            });
        };
    }

    void listen();
    bool begin(const model::ChosenAudio& chosen, const std::vector<std::string>& remote);
    void expect(const sdp::WebRemote& remote);
    /// What webrtcbin is to read of the remote: without names, which are looked up beside it.
    std::string reduced(sdp::WebRemote remote, const model::ChosenAudio& chosen, bool is_offer);
    void add_found(const std::string& candidate);
    void request(const char* action,
                 const char* field,
                 std::function<void(Transport&, Answer)> then);
    void describe(const char* action,
                  GstWebRTCSDPType type,
                  const std::string& text,
                  std::function<void(Transport&)> then);
    void make_local(const char* action, const char* field, GstWebRTCSDPType type);
    void on_gathered();
    void tell_local();
    void await_connection();
    void on_ice_state(int state);
    void on_guard(WebGuard::Event event);
    void on_error(const std::string& element, const std::string& text);
    void watch_life();
    void fail(EndReason reason, std::string detail);

    Parts parts_;
    WebCertificate certificate_;
    glib::Ref<GstElement> pipeline_;
    GstElement* bin_ = nullptr;  ///< webrtcbin, borrowed from pipeline_
    std::shared_ptr<WebGuard> guard_;
    std::shared_ptr<WebOut> out_;
    std::optional<WebIce> ice_;

    std::uint8_t payload_type_ = 0;
    std::string local_text_;  ///< as webrtcbin wrote it
    std::vector<std::string> candidates_;
    int looks_ = 0;  ///< for a first candidate, in vain
    std::string local_ufrag_, remote_ufrag_, remote_pwd_;
    bool has_remote_ = false;
    bool has_told_local_ = false;
    bool is_verified_ = false;
    bool is_over_ = false;  ///< failed or retired

    glib::Timer gathering_, connecting_, living_, leaving_;
    WebNames names_;
    WebLife life_;
};

base::Result<void> Transport::build() {
    if (auto present = check_elements(); !present) return present;
    GstElement* made = gst_element_factory_make("webrtcbin", "web");
    if (made == nullptr)
        return base::fail(base::ErrorCode::Internal, "GStreamer makes no webrtcbin");
    pipeline_ = glib::Ref<GstElement>::sink(gst_pipeline_new(parts_.name.c_str()));
    gst_bin_add(GST_BIN(pipeline_.get()), made);
    bin_ = made;
    gst_util_set_object_arg(G_OBJECT(bin_), "bundle-policy", "max-bundle");
    auto ice = WebIce::of(bin_);
    if (!ice) return tl::unexpected(ice.error());
    ice_ = std::move(*ice);
    guard_ = std::make_shared<WebGuard>(
        parts_.port, certificate_.pem(), [post = post()](WebGuard::Event event) {
            post([event](Transport& self) { self.on_guard(event); });
        });
    guard_->watch(bin_);
    listen();
    return {};
}

// A bus without descriptors: nobody reads it, errors are taken where they are posted.
void Transport::listen() {
    const auto bus = glib::Ref<GstBus>::adopt(
        static_cast<GstBus*>(g_object_new(GST_TYPE_BUS, "enable-async", FALSE, nullptr)));
    gst_bus_set_sync_handler(
        bus.get(),
        [](GstBus*, GstMessage* message, gpointer data) {
            detail::walled([&] {
                if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_ERROR) return;
                GError* error = nullptr;
                gst_message_parse_error(message, &error, nullptr);
                const std::string text = error != nullptr ? error->message : "unknown";
                g_clear_error(&error);
                (*static_cast<Post*>(data))(
                    [element = std::string(GST_OBJECT_NAME(GST_MESSAGE_SRC(message))),
                     text](Transport& self) { self.on_error(element, text); });
            });
            gst_message_unref(message);
            return GST_BUS_DROP;
        },
        new Post(post()),
        [](gpointer data) { delete static_cast<Post*>(data); });
    gst_element_set_bus(pipeline_.get(), bus.get());

    detail::connect(
        bin_,
        "on-ice-candidate",
        G_CALLBACK(+[](GstElement*, guint, const gchar* candidate, gpointer data) {
            detail::walled([&] {
                (*static_cast<Post*>(data))([text = std::string(candidate)](Transport& self) {
                    self.candidates_.push_back(text);
                });
            });
        }),
        post());
    detail::connect(
        bin_,
        "notify::ice-gathering-state",
        G_CALLBACK(+[](GstElement* bin, GParamSpec*, gpointer data) {
            detail::walled([&] {
                int state = 0;
                g_object_get(bin, "ice-gathering-state", &state, nullptr);
                if (state == GST_WEBRTC_ICE_GATHERING_STATE_COMPLETE)
                    (*static_cast<Post*>(data))([](Transport& self) { self.tell_local(); });
            });
        }),
        post());
    detail::connect(
        ice_->agent(),
        "candidate-gathering-done",
        G_CALLBACK(+[](GObject*, guint, gpointer data) {
            detail::walled(
                [&] { (*static_cast<Post*>(data))([](Transport& self) { self.on_gathered(); }); });
        }),
        post());
    detail::connect(
        bin_,
        "notify::ice-connection-state",
        G_CALLBACK(+[](GstElement* bin, GParamSpec*, gpointer data) {
            detail::walled([&] {
                int state = 0;
                g_object_get(bin, "ice-connection-state", &state, nullptr);
                (*static_cast<Post*>(data))([state](Transport& self) { self.on_ice_state(state); });
            });
        }),
        post());
}

void Transport::accept(const sdp::WebRemote& offer, const model::ChosenAudio& chosen) {
    expect(offer);
    if (!begin(chosen, offer.candidates)) return;
    describe("set-remote-description",
             GST_WEBRTC_SDP_TYPE_OFFER,
             reduced(offer, chosen, true),
             [](Transport& self) {
                 self.make_local("create-answer", "answer", GST_WEBRTC_SDP_TYPE_ANSWER);
             });
}

void Transport::offer(const model::ChosenAudio& chosen) {
    if (begin(chosen, {})) make_local("create-offer", "offer", GST_WEBRTC_SDP_TYPE_OFFER);
}

void Transport::take_answer(const sdp::WebRemote& answer, const model::ChosenAudio& chosen) {
    if (is_over_) return;
    expect(answer);
    describe("set-remote-description",
             GST_WEBRTC_SDP_TYPE_ANSWER,
             reduced(answer, chosen, false),
             [](Transport&) {});
    await_connection();
}

void Transport::add_candidates(const std::vector<std::string>& candidates) {
    if (is_over_) return;
    for (const std::string& candidate : candidates) {
        if (WebNames::is_hidden(candidate)) {
            names_.look_up(candidate);
        } else {
            g_signal_emit_by_name(bin_, "add-ice-candidate", 0U, candidate.c_str());
        }
    }
}

// The rules were asked about the name; they have a say in the address as well.
void Transport::add_found(const std::string& candidate) {
    if (const auto kept = sdp::read_candidate(candidate, parts_.settings->candidates, 0))
        add_candidates({*kept});
}

std::string Transport::reduced(sdp::WebRemote remote,
                               const model::ChosenAudio& chosen,
                               bool is_offer) {
    const auto hidden = std::stable_partition(
        remote.candidates.begin(), remote.candidates.end(), [](const std::string& candidate) {
            return !WebNames::is_hidden(candidate);
        });
    for (auto each = hidden; each != remote.candidates.end(); ++each) names_.look_up(*each);
    remote.candidates.erase(hidden, remote.candidates.end());
    return sdp::reduced_for_webrtcbin(remote, chosen, is_offer);
}

void Transport::expect(const sdp::WebRemote& remote) {
    remote_ufrag_ = remote.ice_ufrag;
    remote_pwd_ = remote.ice_pwd;
    guard_->expect(remote.fingerprints);
    has_remote_ = true;
}

bool Transport::begin(const model::ChosenAudio& chosen, const std::vector<std::string>& remote) {
    const auto refuse = [this](const base::Error& error) {
        // Told from control's loop, as everything is.
        post()(
            [text = error.text()](Transport& self) { self.fail(EndReason::PipelineError, text); });
        return false;
    };
    payload_type_ = chosen.payload_type;
    if (const auto ready = ice_->configure(bin_, *parts_.settings, remote); !ready)
        return refuse(ready.error());

    auto caps = caps_of(chosen);
    const auto sent = glib::Ref<GstCaps>::adopt(gst_caps_copy(caps.get()));
    gst_caps_set_simple(sent.get(), "ssrc", G_TYPE_UINT, parts_.ssrc, nullptr);
    auto out = WebOut::create(bin_, sent, guard_);
    if (!out) return refuse(out.error());
    out_ = std::move(*out);

    GstWebRTCRTPTransceiver* transceiver = nullptr;
    g_signal_emit_by_name(bin_, "get-transceiver", 0, &transceiver);
    if (transceiver == nullptr)
        return refuse({base::ErrorCode::Internal, "webrtcbin has no transceiver", {}});
    g_object_set(transceiver,
                 "direction",
                 GST_WEBRTC_RTP_TRANSCEIVER_DIRECTION_SENDRECV,
                 "codec-preferences",
                 caps.get(),
                 nullptr);
    gst_object_unref(transceiver);

    if (gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE)
        return refuse({base::ErrorCode::Internal, "webrtcbin does not start", {}});
    if (!out_->start(pipeline_.get()))
        return refuse({base::ErrorCode::Internal, "webrtcbin's pipeline has no clock", {}});
    gathering_.once(parts_.context, parts_.settings->gather_limit, [this] { tell_local(); });
    connecting_.once(parts_.context,
                     parts_.settings->gather_limit + parts_.settings->connect_limit,
                     [this] { fail(EndReason::WebTimeout, "no description of ours came about"); });
    return true;
}

void Transport::request(const char* action,
                        const char* field,
                        std::function<void(Transport&, Answer)> then) {
    struct Request {
        Post post;
        const char* field;
        std::function<void(Transport&, Answer)> then;
    };
    GstPromise* promise = gst_promise_new_with_change_func(
        [](GstPromise* replied, gpointer data) {
            detail::walled([&] {
                const auto& mine = *static_cast<Request*>(data);
                mine.post([answer = read_answer(replied, mine.field),
                           then = mine.then](Transport& self) { then(self, answer); });
            });
        },
        new Request{post(), field, std::move(then)},
        [](gpointer data) { delete static_cast<Request*>(data); });
    g_signal_emit_by_name(bin_, action, nullptr, promise);
    gst_promise_unref(promise);
}

void Transport::describe(const char* action,
                         GstWebRTCSDPType type,
                         const std::string& text,
                         std::function<void(Transport&)> then) {
    GstSDPMessage* message = nullptr;
    if (gst_sdp_message_new_from_text(text.c_str(), &message) != GST_SDP_OK)
        return fail(EndReason::PipelineError, "GStreamer cannot read a description of ours");
    GstWebRTCSessionDescription* description = gst_webrtc_session_description_new(type, message);
    struct Request {
        Post post;
        std::string action;
        std::function<void(Transport&)> then;
    };
    GstPromise* promise = gst_promise_new_with_change_func(
        [](GstPromise* replied, gpointer data) {
            detail::walled([&] {
                const auto& mine = *static_cast<Request*>(data);
                mine.post([answer = read_answer(replied, ""),
                           action = mine.action,
                           then = mine.then](Transport& self) {
                    if (answer.error.empty()) return then(self);
                    self.fail(EndReason::PipelineError,
                              "webrtcbin refused " + action + ": " +
                                  base::escape_untrusted(answer.error));
                });
            });
        },
        new Request{post(), action, std::move(then)},
        [](gpointer data) { delete static_cast<Request*>(data); });
    g_signal_emit_by_name(bin_, action, description, promise);
    gst_promise_unref(promise);
    gst_webrtc_session_description_free(description);
}

void Transport::make_local(const char* action, const char* field, GstWebRTCSDPType type) {
    request(action, field, [action = std::string(action), type](Transport& self, Answer made) {
        if (!made.error.empty()) {
            return self.fail(
                EndReason::PipelineError,
                "webrtcbin refused " + action + ": " + base::escape_untrusted(made.error));
        }
        self.local_text_ = made.sdp;
        // The limit passed before there was anything to tell.
        if (!self.gathering_.is_armed()) self.on_gathered();
        self.describe("set-local-description", type, made.sdp, [](Transport&) {});
    });
}

void Transport::on_gathered() {
    if (!has_told_local_)
        gathering_.once(parts_.context, kLastCandidates, [this] { tell_local(); });
}

void Transport::tell_local() {
    if (is_over_ || has_told_local_) return;
    if (local_text_.empty()) return;  // comes with it
    gathering_.cancel();
    if (candidates_.empty() && ++looks_ < kLooksForFirst) return on_gathered();
    auto local = sdp::read_local(local_text_, payload_type_, candidates_);
    if (!local) return fail(EndReason::PipelineError, local.error().text());
    local->fingerprint = certificate_.fingerprint();
    local_ufrag_ = local->ice_ufrag;
    if (local->candidates.empty()) {
        return fail(EndReason::IceFailed,
                    "there is no address to be reached at; check [web] addresses, ports and "
                    "ice_server");
    }
    has_told_local_ = true;
    if (has_remote_) {
        await_connection();
    } else {
        connecting_.cancel();  // it may ring for as long as it wants
    }
    parts_.events.on_local(std::move(*local));
}

void Transport::await_connection() {
    if (is_verified_) return;
    connecting_.once(parts_.context, parts_.settings->connect_limit, [this] {
        fail(EndReason::WebTimeout,
             "not connected within " + std::to_string(parts_.settings->connect_limit.count()) +
                 " ms");
    });
}

void Transport::on_ice_state(int state) {
    if (state != GST_WEBRTC_ICE_CONNECTION_STATE_FAILED) return;
    if (is_verified_) {
        fail(EndReason::PeerVanished, "the peer's ICE agent answers no more");
    } else {
        fail(EndReason::IceFailed, "no pair of candidates worked");
    }
}

void Transport::on_guard(WebGuard::Event event) {
    switch (event) {
        case WebGuard::Event::Verified:
            is_verified_ = true;
            connecting_.cancel();
            watch_life();
            return parts_.events.on_verified();
        case WebGuard::Event::Mismatch:
            return fail(EndReason::FingerprintMismatch,
                        "the certificate in DTLS is not the one of the description");
        case WebGuard::Event::Failed:
            return fail(EndReason::DtlsFailed, "the DTLS handshake failed");
        case WebGuard::Event::Closed:
            // Phones close their media before they send the BYE, which tells more.
            leaving_.once(parts_.context, kGoodbye, [this] {
                fail(EndReason::PeerVanished, "the peer closed DTLS and did not hang up");
            });
            return;
        case WebGuard::Event::Untapped:
            return fail(EndReason::PipelineError,
                        "this GStreamer's webrtcbin is not built as Offhook knows it: its "
                        "packets cannot be taken");
    }
}

void Transport::on_error(const std::string& element, const std::string& text) {
    const bool is_dtls = element.starts_with("dtls");
    fail(is_dtls ? EndReason::DtlsFailed : EndReason::PipelineError,
         element + ": " + base::escape_untrusted(text));
}

void Transport::watch_life() {
    (void)ice_->heard_ns();  // from here on the kernel notes when datagrams came
    living_.every(parts_.context, WebLife::kTick, [this] {
        const std::int64_t heard_ns = std::max(guard_->heard_ns(), ice_->heard_ns());
        switch (life_.tick(heard_ns, base::monotonic_ns())) {
            case WebLife::Verdict::Well:
                break;
            case WebLife::Verdict::Ask:
                ice_->ask(remote_ufrag_, remote_pwd_, local_ufrag_);
                break;
            case WebLife::Verdict::Lost:
                return parts_.events.on_lost(true);
            case WebLife::Verdict::Back:
                return parts_.events.on_lost(false);
            case WebLife::Verdict::Gone:
                return fail(
                    EndReason::PeerVanished,
                    "nothing was heard of the peer for " +
                        std::to_string(
                            (parts_.settings->vanish_after + parts_.settings->vanish_end).count()) +
                        " ms");
        }
    });
}

void Transport::fail(EndReason reason, std::string detail) {
    if (is_over_) return;
    is_over_ = true;
    guard_->close();
    gathering_.cancel();
    connecting_.cancel();
    living_.cancel();
    leaving_.cancel();
    parts_.events.on_failed(model::ended(reason, std::move(detail)));
}

void Transport::attach(worker::MediaWorker& worker) {
    if (is_over_) return;
    worker.post([port = parts_.port, out = out_, guard = guard_] {
        port->set_out(out);
        guard->let_in(true);
    });
}

// Of webrtcbin's own figures (get-stats) nothing is asked: 1.22 swaps the types of candidates, lacks
// most of their members, and counts what never passed.
model::LegPath Transport::path() {
    model::LegPath path;
    if (!ice_ || is_over_) return path;
    ice_->describe(path);
    int state = 0;
    g_object_get(bin_, "ice-connection-state", &state, nullptr);
    path.ice_state = ice_state_name(state);
    path.local_username_fragment = local_ufrag_;
    path.local_fingerprint = certificate_.fingerprint();
    path.dtls_state = is_verified_ ? "connected" : has_remote_ ? "connecting" : "new";
    path.srtp_cipher = guard_->srtp_profile();
    return path;
}

void Transport::retire(worker::MediaWorker& worker, Reaper& reaper, std::function<void()> after) {
    is_over_ = true;
    guard_->close();
    gathering_.cancel();
    connecting_.cancel();
    living_.cancel();
    leaving_.cancel();
    const auto gone = std::make_shared<std::promise<void>>();
    worker.post([gone, port = parts_.port, out = out_] {
        if (out && port->out() == out.get()) port->set_out(nullptr);
        gone->set_value();
    });
    // A worker that webrtcbin holds back is released by the change of state; no worker waits for
    // webrtcbin otherwise.
    reaper.run([gone,
                after = std::move(after),
                out = std::exchange(out_, nullptr),
                ice = std::exchange(ice_, std::nullopt),
                pipeline = std::exchange(pipeline_, {})]() mutable {
        const auto let_go = gone->get_future();
        let_go.wait_for(kLetGo);
        if (pipeline) gst_element_set_state(pipeline.get(), GST_STATE_NULL);
        let_go.wait_for(kGone);
        if (ice) ice->give_back(kGiveBack);
        ice.reset();
        out.reset();
        pipeline.reset();
        if (after) after();
    });
}

}  // namespace

base::Result<std::shared_ptr<WebTransport>> WebTransport::create(Parts parts) {
    auto certificate = WebCertificate::create();
    if (!certificate) return tl::unexpected(certificate.error());
    const auto made = std::make_shared<Transport>(std::move(parts), std::move(*certificate));
    if (auto built = made->build(); !built) return tl::unexpected(built.error());
    return std::static_pointer_cast<WebTransport>(made);
}

std::jthread WebTransport::warm_up() {
    return std::jthread([] {
        pthread_setname_np(pthread_self(), "oh-web-warm");
        for (const char* name : kMadeLater) {
            if (GstElement* element = gst_element_factory_make(name, nullptr)) {
                gst_object_ref_sink(element);
                gst_object_unref(element);
            }
        }
    });
}

}  // namespace offhook::media
