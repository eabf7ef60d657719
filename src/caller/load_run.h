#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "caller/arrival_clock.h"
#include "caller/handset.h"
#include "caller/payload_table.h"
#include "caller/recorder.h"
#include "caller/rtp_socket.h"
#include "caller/run_result.h"
#include "caller/sip_transport.h"
#include "rtp/dtmf.h"

namespace offhook::caller {

/// What to do.
struct RunSettings {
    std::string target;  ///< "sip:user@host[:port][;transport=tcp]"
    std::string local;   ///< numeric address to use; empty: what the route says
    std::string from_user = "offhook";
    model::Codec codec = model::Codec::Pcmu;
    int calls = 1;           ///< 1-100000
    double rate_per_s = 50;  ///< new calls per second
    double seconds = 10;     ///< how long each call lasts once answered
    double answer_timeout_s = 32;
    std::vector<model::SrtpSuite> srtp;  ///< SDES-SRTP with one of these, best first; empty: plain
    Sound sound;                         ///< what is said, in a loop
    bool measures_echo = false;          ///< of EchoMeter::markers, which `sound` then is
    std::optional<Handset::Echo> handset;  ///< what is heard comes back into what is said
    std::string record_path;               ///< what the first call hears; empty: not kept
    std::string dtmf;                      ///< digits sent 1 s after the answer
};

/// How a run is doing, once a second.
struct RunProgress {
    double elapsed_s = 0;
    int wanted = 0, started = 0, live = 0, answered = 0, failed = 0;
    std::uint64_t received_packets = 0;
    double max_gap_ms = 0;
};

/// Makes the calls, all on the calling thread. Time is an absolute grid of 1 ms; each call has one
/// of 20 slots on it, in which every 20 ms it sends its packet, reads its RTP socket (the kernel's
/// stamps tell when things arrived) and looks at its SIP timers. Between slots the thread sleeps in
/// epoll on a timer, the SIP socket and the stop descriptor.
///
///     timerfd (next occupied slot, next launch) --.
///     SIP socket ---------------------------------+--> epoll --> SIP in --> slots due --> launches
///     due stop descriptor ----------------------------'
/// @thread one
class LoadRun final : private SipTransport::Listener {
public:
    /// Resolves the target, encodes the sound, opens the SIP socket.
    /// @errors InvalidArgument, Malformed, Unsupported (usage); NotFound, Unavailable (not
    /// answered); Io
    [[nodiscard]] static base::Result<std::unique_ptr<LoadRun>> create(RunSettings settings);
    ~LoadRun() override;

    /// Runs until every call ended.
    /// @param stop_fd  readable: hang up and report (readable again: at once); -1: none. Bytes are
    /// read off it.
    /// @param progress called once a second; may be empty
    [[nodiscard]] base::Result<RunResult> run(
        int stop_fd, const std::function<void(const RunProgress&)>& progress);

    /// "udp:127.0.0.1:5060"
    [[nodiscard]] std::string transport_text() const;

private:
    static constexpr std::size_t kSlots = 20;

    struct Call;

    LoadRun(RunSettings settings,
            DialogSettings dialog,
            PayloadTable speech,
            std::unique_ptr<SipTransport> sip);

    void on_sip(std::string_view text, const Endpoint& from, std::int64_t arrival_ns) override;
    void on_sip_failure(const Endpoint& to, const std::string& why) override;

    void launch_due(std::int64_t now_ns);
    void launch(std::int64_t now_ns);
    void fail_launch(std::string why);
    void run_slots(std::int64_t now_ns);
    void visit(Call& call, std::int64_t due_ns);
    void after_signalling(Call& call);
    void follow_media(Call& call);
    void follow_srtp(Call& call);
    [[nodiscard]] std::span<const std::uint8_t> unprotected(Call& call,
                                                            std::span<std::uint8_t> datagram);
    void talk(Call& call, std::int64_t due_ns, std::int64_t now_ns);
    void listen(Call& call);
    void hang_up(Call& call);
    void close(Call& call);
    void forget_old_dialogs(std::int64_t now_ns);
    void stop();
    void arm_timer(int timer_fd) const;
    [[nodiscard]] bool is_done() const noexcept;
    [[nodiscard]] RunProgress progress_now(std::int64_t now_ns) const;

    const RunSettings settings_;
    const DialogSettings dialog_settings_;
    PayloadTable speech_;
    std::shared_ptr<const Sound> handset_speech_;  ///< at the codec's rate; null without a handset
    std::unique_ptr<SipTransport> sip_;
    ArrivalClock clock_;
    RtpReader reader_;
    std::optional<Recorder> recorder_;

    std::vector<std::unique_ptr<Call>> calls_;  ///< by index; null once forgotten
    std::unordered_map<std::string, std::size_t> by_call_id_;
    std::array<std::vector<Call*>, kSlots>
        slots_;  ///< live calls; a call leaves its slot when it ended
    std::deque<std::pair<std::int64_t, std::size_t>>
        ended_;                   ///< when and which, for late retransmissions
    std::int64_t start_ns_ = 0;   ///< of the grid
    std::int64_t next_tick_ = 0;  ///< first millisecond not run yet
    int live_ = 0, answered_ = 0, failed_ = 0;
    std::uint64_t closed_packets_ = 0;
    std::int64_t closed_max_gap_ns_ = 0;
    bool is_stopping_ = false;
    bool is_aborted_ = false;
    RunResult result_;
};

}  // namespace offhook::caller
