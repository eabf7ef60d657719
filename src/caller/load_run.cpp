#include "caller/load_run.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>

#include "base/escape.h"
#include "base/monotonic.h"
#include "caller/echo_meter.h"
#include "caller/file_descriptor.h"
#include "session/srtp_contexts.h"

namespace offhook::caller {
namespace {

constexpr std::int64_t kTickNs = base::kNsPerMs;
constexpr std::int64_t kTicksPerPacket = model::kPtimeMs;
constexpr std::int64_t kMaxCatchUpNs =
    60 * base::kNsPerMs;  ///< later than this, frames are skipped, as a phone would
constexpr std::int64_t kDialogMemoryNs =
    10 * base::kNsPerS;  ///< how long a finished dialog still answers retransmissions
constexpr std::int64_t kDtmfDelayNs = base::kNsPerS;
constexpr int kMaxLaunchesPerTurn =
    20;                         ///< so that catching up with the rate does not delay the slots
constexpr int kManyCalls = 64;  ///< above this the calls' own histograms are dropped when they end

double thread_cpu_ms() {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    const auto ms = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
    };
    return ms(usage.ru_utime) + ms(usage.ru_stime);
}

template <class Number>
Number random_number() {
    Number value = 0;
    (void)getrandom(&value, sizeof(value), 0);
    return value;
}

base::Result<void> make_room_for_sockets(int calls) {
    constexpr rlim_t kOthers = 64;
    const rlim_t wanted = static_cast<rlim_t>(calls) + kOthers;
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return {};
    limit.rlim_cur = std::min(wanted, limit.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted) {
        return base::fail(base::ErrorCode::LimitReached,
                          "the limit of open files (" + std::to_string(limit.rlim_max) +
                              ") is too low for " + std::to_string(calls) +
                              " calls at once; raise it: ulimit -n " + std::to_string(wanted));
    }
    return {};
}

/// Most calls that can be live at one time.
int most_at_once(const RunSettings& settings) {
    const double overlap =
        settings.rate_per_s * (settings.seconds + settings.answer_timeout_s + 10);
    return overlap < settings.calls ? static_cast<int>(overlap) + 1 : settings.calls;
}

void drain_descriptor(int fd) {
    std::array<std::uint8_t, 1024> bytes;
    (void)!::read(fd, bytes.data(), bytes.size());
}

}  // namespace

struct LoadRun::Call {
    Call(int number, RtpSocket&& rtp_socket, const DialogSettings& settings, SipOut& out)
        : index(number),
          socket(std::move(rtp_socket)),
          dialog(settings, socket.local(), out),
          meter(settings.codec) {
        header.ssrc = random_number<std::uint32_t>();
        // The lower half, for receivers under SRTP that miss the first packets (RFC 3711 §3.3.1).
        header.sequence = random_number<std::uint16_t>() & 0x7FFF;
        header.timestamp_rtp = random_number<std::uint32_t>();
    }

    int index;
    RtpSocket socket;
    SipDialog dialog;
    StreamMeter meter;
    rtp::Header header;
    session::SrtpContexts srtp_contexts;
    session::SrtpPair srtp;   ///< null: plain RTP
    bool is_talking = false;  ///< answered, and neither side hung up
    bool is_muted = false;    ///< the peer asked for nothing (hold)
    bool was_answered = false;
    bool is_closed = false;
    int media_revision = 0;
    Endpoint remote;
    std::uint32_t ticks_per_packet = 160;
    std::uint64_t frame = 0;  ///< next one of the speech
    std::uint64_t sent_packets = 0;
    std::int64_t hang_up_ns = 0;
    std::int64_t dtmf_ns = -1;
    std::optional<std::uint8_t> event_type;
    std::optional<rtp::DtmfSender> dtmf;
    std::optional<EchoMeter> echo;
    std::optional<Handset> handset;
};

base::Result<std::unique_ptr<LoadRun>> LoadRun::create(RunSettings settings) {
    auto target = parse_sip_uri(settings.target);
    if (!target) return tl::unexpected(target.error());
    const std::string_view transport = target->param("transport").value_or("udp");
    const bool is_tcp = equals_no_case(transport, "tcp");
    if (!is_tcp && !equals_no_case(transport, "udp")) {
        return base::fail(base::ErrorCode::Unsupported,
                          "transport=" + base::escape_untrusted(transport, 20) +
                              " is not understood; there are udp and tcp");
    }
    Endpoint local;
    if (!settings.local.empty()) {
        auto parsed = Endpoint::numeric(settings.local, 0);
        if (!parsed) {
            return base::fail(base::ErrorCode::InvalidArgument,
                              "--local wants a numeric address, not " +
                                  base::escape_untrusted(settings.local, 60));
        }
        local = *parsed;
    }
    auto peer =
        Endpoint::resolve(target->host, target->port != 0 ? target->port : std::uint16_t{5060});
    if (!peer) return tl::unexpected(peer.error());
    auto speech = PayloadTable::create(settings.codec, settings.sound);
    if (!speech) return tl::unexpected(speech.error());
    std::optional<Recorder> recorder;
    if (!settings.record_path.empty()) {
        auto created = Recorder::create(settings.record_path, settings.codec);
        if (!created) return tl::unexpected(created.error());
        recorder = std::move(*created);
    }
    if (auto ok = make_room_for_sockets(most_at_once(settings)); !ok)
        return tl::unexpected(ok.error());
    auto sip = SipTransport::create(*peer, is_tcp, local);
    if (!sip) return tl::unexpected(sip.error());

    DialogSettings dialog;
    dialog.target = std::move(*target);
    dialog.next_hop = *peer;
    dialog.local = (*sip)->local();
    dialog.is_tcp = is_tcp;
    dialog.from_user = settings.from_user;
    dialog.codec = settings.codec;
    dialog.srtp = settings.srtp;
    dialog.answer_timeout_ns = static_cast<std::int64_t>(settings.answer_timeout_s * 1e9);
    std::unique_ptr<LoadRun> run(
        new LoadRun(std::move(settings), std::move(dialog), std::move(*speech), std::move(*sip)));
    run->recorder_ = std::move(recorder);
    return run;
}

LoadRun::LoadRun(RunSettings settings,
                 DialogSettings dialog,
                 PayloadTable speech,
                 std::unique_ptr<SipTransport> sip)
    : settings_(std::move(settings)),
      dialog_settings_(std::move(dialog)),
      speech_(std::move(speech)),
      sip_(std::move(sip)) {
    if (settings_.handset) {
        handset_speech_ = std::make_shared<const Sound>(
            resample(settings_.sound, model::facts_of(settings_.codec).sample_rate_hz));
    }
    result_.target = base::escape_untrusted(settings_.target);
    result_.transport = transport_text();
    result_.codec = settings_.codec;
    result_.wanted_calls = settings_.calls;
}

LoadRun::~LoadRun() = default;

std::string LoadRun::transport_text() const {
    return (dialog_settings_.is_tcp ? "tcp:" : "udp:") + dialog_settings_.next_hop.text();
}

bool LoadRun::is_done() const noexcept {
    return is_aborted_ ||
           (live_ == 0 &&
            (is_stopping_ || calls_.size() == static_cast<std::size_t>(settings_.calls)));
}

base::Result<RunResult> LoadRun::run(int stop_fd,
                                     const std::function<void(const RunProgress&)>& progress) {
    const FileDescriptor poll(::epoll_create1(EPOLL_CLOEXEC));
    const FileDescriptor timer(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    if (!poll || !timer) return base::fail_errno("no descriptor for the caller's loop", errno);
    const auto watch = [&](int fd, std::uint32_t events, int how) {
        epoll_event event{};
        event.events = events;
        event.data.fd = fd;
        (void)::epoll_ctl(poll.get(), how, fd, &event);
    };
    watch(timer.get(), EPOLLIN, EPOLL_CTL_ADD);
    watch(sip_->fd(), EPOLLIN, EPOLL_CTL_ADD);
    if (stop_fd >= 0) watch(stop_fd, EPOLLIN, EPOLL_CTL_ADD);
    // The grid is kept by this thread's wake-ups; the default slack of 50 us would add to every
    // one.
    const int slack_ns = prctl(PR_GET_TIMERSLACK);
    prctl(PR_SET_TIMERSLACK, 1);

    const double cpu_before_ms = thread_cpu_ms();
    start_ns_ = base::monotonic_ns();
    std::int64_t next_progress_ns = start_ns_ + base::kNsPerS;
    bool is_watching_output = false;
    bool is_watching_sip = true;
    for (std::int64_t now_ns = start_ns_; !is_done();) {
        launch_due(now_ns);
        if (is_done()) break;
        arm_timer(timer.get());
        std::array<epoll_event, 4> events{};
        const int count =
            ::epoll_wait(poll.get(), events.data(), static_cast<int>(events.size()), -1);
        clock_.refresh();
        for (int i = 0; i < count; ++i) {
            const int fd = events[static_cast<std::size_t>(i)].data.fd;
            if (fd == timer.get()) drain_descriptor(fd);
            if (fd == stop_fd) {
                drain_descriptor(fd);
                stop();
            }
        }
        // Before the slots, and whatever epoll said: an answer must be known before the RTP that
        // follows it.
        sip_->receive(clock_, *this);
        sip_->flush();
        now_ns = base::monotonic_ns();
        run_slots(now_ns);
        if (is_watching_sip && !sip_->is_open()) {
            watch(sip_->fd(), 0, EPOLL_CTL_DEL);
            is_watching_sip = false;
        } else if (is_watching_sip && is_watching_output != sip_->has_backlog()) {
            is_watching_output = sip_->has_backlog();
            watch(sip_->fd(), is_watching_output ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
        }
        if (now_ns >= next_progress_ns) {
            next_progress_ns += base::kNsPerS;
            forget_old_dialogs(now_ns);
            if (progress) progress(progress_now(now_ns));
        }
    }
    for (auto& slot : slots_) {
        for (Call* call : slot) close(*call);
    }
    if (recorder_) {
        if (auto ok = recorder_->close(); !ok) result_.recording_error = ok.error().text();
    }
    result_.wall_ns = base::monotonic_ns() - start_ns_;
    result_.cpu_ms = thread_cpu_ms() - cpu_before_ms;
    result_.was_interrupted = is_stopping_;
    if (is_stopping_) result_.wanted_calls = static_cast<int>(calls_.size());
    std::sort(result_.calls.begin(),
              result_.calls.end(),
              [](const CallResult& a, const CallResult& b) { return a.index < b.index; });
    prctl(PR_SET_TIMERSLACK, slack_ns);
    return std::move(result_);
}

void LoadRun::arm_timer(int timer_fd) const {
    constexpr std::int64_t kIdleTicks = 1000;
    std::int64_t tick = next_tick_ + kIdleTicks;
    // With few calls most slots are empty, and waking for them would only cost.
    for (std::int64_t i = 0; i < kTicksPerPacket; ++i) {
        if (slots_[static_cast<std::size_t>((next_tick_ + i) % kTicksPerPacket)].empty()) continue;
        tick = next_tick_ + i;
        break;
    }
    std::int64_t wake_ns = start_ns_ + tick * kTickNs;
    if (!is_stopping_ && calls_.size() < static_cast<std::size_t>(settings_.calls)) {
        const double due_s = static_cast<double>(calls_.size()) / settings_.rate_per_s;
        wake_ns = std::min(wake_ns, start_ns_ + static_cast<std::int64_t>(due_s * 1e9));
    }
    // A time in the past fires at once, but zero would switch the timer off.
    wake_ns = std::max<std::int64_t>(wake_ns, 1);
    itimerspec when{};
    when.it_value.tv_sec = wake_ns / base::kNsPerS;
    when.it_value.tv_nsec = wake_ns % base::kNsPerS;
    (void)::timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &when, nullptr);
}

void LoadRun::launch_due(std::int64_t now_ns) {
    for (int i = 0; i < kMaxLaunchesPerTurn && !is_stopping_; ++i) {
        if (calls_.size() == static_cast<std::size_t>(settings_.calls)) return;
        const double due_s = static_cast<double>(calls_.size()) / settings_.rate_per_s;
        if (now_ns < start_ns_ + static_cast<std::int64_t>(due_s * 1e9)) return;
        launch(base::monotonic_ns());
    }
}

void LoadRun::launch(std::int64_t now_ns) {
    auto socket = RtpSocket::create(dialog_settings_.local);
    if (!socket) {
        fail_launch(socket.error().text());
        return;
    }
    auto owned = std::make_unique<Call>(
        static_cast<int>(calls_.size()), std::move(*socket), dialog_settings_, *sip_);
    Call& call = *owned;
    if (settings_.measures_echo) {
        call.echo.emplace(settings_.codec);
        call.frame = speech_.size() / 2;  // the first marker when the far end has settled
    }
    if (settings_.handset)
        call.handset.emplace(settings_.codec, *settings_.handset, handset_speech_);
    by_call_id_.emplace(call.dialog.call_id(), calls_.size());
    calls_.push_back(std::move(owned));
    // The emptiest slot, and of several the one that comes next.
    const std::int64_t now_tick = std::max(next_tick_, (now_ns - start_ns_) / kTickNs + 1);
    std::size_t best = static_cast<std::size_t>(now_tick % kTicksPerPacket);
    for (std::int64_t i = 1; i < kTicksPerPacket; ++i) {
        const auto slot = static_cast<std::size_t>((now_tick + i) % kTicksPerPacket);
        if (slots_[slot].size() < slots_[best].size()) best = slot;
    }
    slots_[best].push_back(&call);
    ++live_;
    call.dialog.invite(now_ns);
}

void LoadRun::fail_launch(std::string why) {
    CallResult failed;
    failed.index = static_cast<int>(calls_.size());
    failed.ending = Ending::Unreachable;
    failed.ending_text = std::move(why);
    result_.calls.push_back(std::move(failed));
    calls_.push_back(nullptr);
    ++failed_;
}

void LoadRun::run_slots(std::int64_t now_ns) {
    const std::int64_t last_tick = (now_ns - start_ns_) / kTickNs;
    while (next_tick_ <= last_tick) {
        std::int64_t due_ns = start_ns_ + next_tick_ * kTickNs;
        if (base::monotonic_ns() - due_ns > kMaxCatchUpNs) {
            // Whole packet times are given up, so that every call keeps its slot.
            const std::int64_t behind = last_tick - next_tick_;
            const std::int64_t packets = behind / kTicksPerPacket;
            next_tick_ += packets * kTicksPerPacket;
            due_ns += packets * kTicksPerPacket * kTickNs;
            for (const auto& slot : slots_) {
                for (Call* call : slot) {
                    if (!call->is_talking) continue;
                    call->header.timestamp_rtp +=
                        static_cast<std::uint32_t>(packets) * call->ticks_per_packet;
                    result_.skipped_frames += static_cast<std::uint64_t>(packets);
                }
            }
        }
        auto& slot = slots_[static_cast<std::size_t>(next_tick_ % kTicksPerPacket)];
        for (std::size_t i = 0; i < slot.size();) {
            visit(*slot[i], due_ns);
            if (!slot[i]->is_closed) {
                ++i;
                continue;
            }
            slot[i] = slot.back();
            slot.pop_back();
        }
        ++next_tick_;
    }
}

void LoadRun::visit(Call& call, std::int64_t due_ns) {
    const std::int64_t now_ns = base::monotonic_ns();
    if (call.is_talking && now_ns >= call.hang_up_ns) hang_up(call);
    if (call.is_talking) talk(call, due_ns, now_ns);
    listen(call);
    call.dialog.tick(now_ns);
    after_signalling(call);
    if (call.dialog.is_over()) close(call);
}

void LoadRun::after_signalling(Call& call) {
    using State = SipDialog::State;
    const State state = call.dialog.state();
    if (state == State::Answered && !call.was_answered) {
        call.was_answered = call.is_talking = true;
        ++answered_;
        const auto& chosen = call.dialog.chosen();
        const model::RemoteAudio& remote = call.dialog.remote_audio();
        call.remote = Endpoint::numeric(remote.address, remote.rtp_port).value_or(Endpoint());
        call.header.payload_type = chosen->payload_type;
        call.event_type = chosen->telephone_event_type;
        const std::uint32_t clock_hz = model::facts_of(settings_.codec).rtp_clock_hz;
        call.ticks_per_packet = clock_hz / 1000 * model::kPtimeMs;
        call.header.marker = true;
        call.hang_up_ns =
            call.dialog.answered_ns() + static_cast<std::int64_t>(settings_.seconds * 1e9);
        if (!settings_.dtmf.empty() && call.event_type) {
            call.dtmf.emplace(rtp::DtmfClocks{clock_hz, chosen->telephone_event_clock_hz});
            call.dtmf_ns = call.dialog.answered_ns() + kDtmfDelayNs;
        }
        call.meter.answered(
            call.dialog.answered_ns(), call.remote, chosen->payload_type, call.event_type);
        call.media_revision = call.dialog.media_revision();
        call.is_muted = !model::receives(remote.direction);
        follow_srtp(call);
    } else if (call.is_talking && call.media_revision != call.dialog.media_revision()) {
        follow_media(call);
    }
    if (call.is_talking && state == State::Ended) {
        listen(call);
        call.meter.finish(call.dialog.peer_bye_ns() >= 0 ? call.dialog.peer_bye_ns()
                                                         : base::monotonic_ns());
        call.is_talking = false;
    }
}

void LoadRun::follow_media(Call& call) {
    call.media_revision = call.dialog.media_revision();
    const model::RemoteAudio& remote = call.dialog.remote_audio();
    call.remote = Endpoint::numeric(remote.address, remote.rtp_port).value_or(Endpoint());
    call.is_muted = !model::receives(remote.direction);
    call.meter.moved(call.remote);
    follow_srtp(call);
    if (call.dialog.chosen()) call.header.payload_type = call.dialog.chosen()->payload_type;
}

void LoadRun::follow_srtp(Call& call) {
    auto pair = call.srtp_contexts.update(call.dialog.srtp());
    if (pair) call.srtp = std::move(*pair);
    if (const auto& agreed = call.dialog.srtp()) result_.srtp = agreed->suite;
}

std::span<const std::uint8_t> LoadRun::unprotected(Call& call, std::span<std::uint8_t> datagram) {
    if (!call.srtp.inbound) return datagram;
    const auto opened = rtp::looks_like_rtcp(datagram) ? call.srtp.inbound->open_rtcp(datagram)
                                                       : call.srtp.inbound->open_rtp(datagram);
    if (opened.verdict == srtp::SrtpInbound::Verdict::Ok) return datagram.first(opened.bytes);
    // What opens the peer's NAT (STUN, empty datagrams) was never meant to be protected.
    if (datagram.empty() || datagram[0] >> 6 != 2) return datagram;
    ++result_.srtp_refused;
    return {};
}

void LoadRun::talk(Call& call, std::int64_t due_ns, std::int64_t now_ns) {
    const bool is_marker = call.frame % speech_.size() == 0;
    std::span<std::uint8_t> packet =
        call.handset ? call.handset->packet() : speech_.packet(call.frame);
    ++call.frame;
    rtp::Header header = call.header;
    std::array<std::uint8_t, rtp::kHeaderBytes + 4> event_packet;
    if (call.dtmf) {
        if (call.dtmf_ns >= 0 && due_ns >= call.dtmf_ns) {
            call.dtmf_ns = -1;
            (void)call.dtmf->queue(settings_.dtmf);
        }
        if (const auto event = call.dtmf->take(header.timestamp_rtp)) {
            header.payload_type = *call.event_type;
            header.timestamp_rtp = event->timestamp_rtp;
            header.marker = event->marker;
            std::copy(event->payload.begin(),
                      event->payload.end(),
                      event_packet.begin() + rtp::kHeaderBytes);
            packet = event_packet;
        }
    }
    call.header.timestamp_rtp += call.ticks_per_packet;
    // 0.0.0.0 is the hold of old (RFC 2543); nothing can be sent there.
    if (call.is_muted || !call.remote.is_set()) return;
    rtp::write_header(header, packet.first<rtp::kHeaderBytes>());
    result_.send_lateness.record(now_ns - due_ns);
    // The speech is everybody's: what is encrypted goes elsewhere.
    std::array<std::uint8_t, rtp::kMaxPacketBytes + srtp::kMaxOverheadBytes> sealed;
    std::span<const std::uint8_t> sent = packet;
    if (call.srtp.outbound)
        sent = std::span(sealed).first(call.srtp.outbound->protect_rtp(packet, sealed));
    if (!sent.empty() && call.socket.send(sent, call.remote)) {
        ++call.sent_packets;
        if (is_marker && call.echo) call.echo->sent(now_ns);
    } else {
        ++result_.send_errors;
    }
    ++call.header.sequence;
    call.header.marker = false;
}

void LoadRun::listen(Call& call) {
    if (call.socket.fd() < 0) return;
    for (;;) {
        const auto datagrams = reader_.read(call.socket.fd(), clock_);
        for (const RtpReader::Datagram& datagram : datagrams) {
            const auto plain = unprotected(call, datagram.bytes);
            if (plain.empty() && !datagram.bytes.empty()) continue;
            const StreamMeter::Judged judged =
                call.meter.packet(plain, datagram.from, datagram.arrival_ns);
            if (recorder_ && call.index == 0) recorder_->heard(judged);
            if (call.echo && judged.verdict == StreamMeter::Verdict::Audio) {
                call.echo->heard(judged.packet.payload, datagram.arrival_ns);
            }
            if (call.handset && judged.verdict == StreamMeter::Verdict::Audio) {
                call.handset->heard(judged.packet.payload);
            }
        }
        if (datagrams.size() < RtpReader::kBatch) return;
    }
}

void LoadRun::hang_up(Call& call) {
    if (call.is_talking) {
        // What has arrived by now belongs to the measurement; nothing later does.
        listen(call);
        call.meter.finish(base::monotonic_ns());
        call.is_talking = false;
    }
    call.dialog.hang_up(base::monotonic_ns());
}

void LoadRun::close(Call& call) {
    if (call.is_closed) return;
    call.is_closed = true;
    const std::int64_t now_ns = base::monotonic_ns();
    call.meter.finish(now_ns);
    call.socket.close();
    --live_;
    ended_.emplace_back(now_ns, static_cast<std::size_t>(call.index));

    CallResult done;
    done.index = call.index;
    done.sip_call_id = call.dialog.call_id();
    done.ending = call.dialog.ending();
    done.status = call.dialog.status();
    done.ending_text = call.dialog.ending_text();
    done.was_answered = call.was_answered;
    if (call.was_answered) done.answer_ns = call.dialog.answered_ns() - call.dialog.invited_ns();
    done.invite_retransmissions = call.dialog.invite_retransmissions();
    done.sent_packets = call.sent_packets;
    done.stream = call.meter.figures();
    const SpreadHistogram& gaps = done.stream.gaps;
    done.gap_p50_ns = gaps.quantile_ns(0.5);
    done.gap_p99_ns = gaps.quantile_ns(0.99);
    done.deviation_p50_ns = gaps.deviation_quantile_ns(0.5);
    done.deviation_p99_ns = gaps.deviation_quantile_ns(0.99);
    done.deviation_max_ns = gaps.max_deviation_ns();
    result_.gaps.merge(gaps);
    if (call.echo) {
        result_.round_trips.merge(call.echo->round_trips());
        result_.lost_markers += call.echo->lost();
    }
    if (settings_.calls > kManyCalls) done.stream.gaps = SpreadHistogram(kPacketNs);
    result_.sent_packets += done.sent_packets;
    closed_packets_ += done.stream.received_packets;
    if (call.was_answered) {
        result_.call_seconds += static_cast<double>(done.stream.listened_ns) / 1e9;
        closed_max_gap_ns_ = std::max(closed_max_gap_ns_, done.stream.max_gap_ns);
    } else {
        ++failed_;
    }
    result_.calls.push_back(std::move(done));
}

void LoadRun::forget_old_dialogs(std::int64_t now_ns) {
    while (!ended_.empty() && now_ns - ended_.front().first > kDialogMemoryNs) {
        auto& call = calls_[ended_.front().second];
        by_call_id_.erase(call->dialog.call_id());
        call.reset();
        ended_.pop_front();
    }
}

void LoadRun::stop() {
    if (is_stopping_) is_aborted_ = true;
    is_stopping_ = true;
    for (auto& slot : slots_) {
        for (Call* call : slot) hang_up(*call);
    }
}

void LoadRun::on_sip(std::string_view text, const Endpoint& from, std::int64_t arrival_ns) {
    // Keep-alives are line ends or nothing at all.
    if (text.find_first_not_of("\r\n") == std::string_view::npos) return;
    const auto message = parse_sip(text);
    if (!message) {
        ++result_.malformed_sip;
        return;
    }
    const auto found = by_call_id_.find(message->call_id);
    if (found == by_call_id_.end()) {
        if (message->is_response || message->method == "ACK") return;
        const bool is_ping = message->method == "OPTIONS";
        sip_->send(write_response(*message,
                                  is_ping ? 200 : 481,
                                  is_ping ? "OK" : "Call/Transaction Does Not Exist",
                                  {},
                                  {}),
                   from);
        return;
    }
    Call& call = *calls_[found->second];
    call.dialog.receive(*message, from, arrival_ns, base::monotonic_ns());
    if (!call.is_closed) after_signalling(call);
}

void LoadRun::on_sip_failure(const Endpoint& to, const std::string& why) {
    for (auto& slot : slots_) {
        for (Call* call : slot) call->dialog.transport_failed(to, why);
    }
}

RunProgress LoadRun::progress_now(std::int64_t now_ns) const {
    RunProgress p;
    p.elapsed_s = static_cast<double>(now_ns - start_ns_) / 1e9;
    p.wanted = settings_.calls;
    p.started = static_cast<int>(calls_.size());
    p.live = live_;
    p.answered = answered_;
    p.failed = failed_;
    p.received_packets = closed_packets_;
    std::int64_t max_gap_ns = closed_max_gap_ns_;
    for (const auto& slot : slots_) {
        for (const Call* call : slot) {
            p.received_packets += call->meter.figures().received_packets;
            max_gap_ns = std::max(max_gap_ns, call->meter.figures().max_gap_ns);
        }
    }
    p.max_gap_ms = static_cast<double>(max_gap_ns) / 1e6;
    return p;
}

}  // namespace offhook::caller
