#include "http/pending_answers.h"

#include <utility>

#include "base/monotonic.h"
#include "http/message_socket.h"

namespace offhook::http {
namespace {

/// How soon a client that left is noticed.
constexpr std::chrono::milliseconds kLookPeriod{100};

}  // namespace

class PendingAnswers::Answer final : public Responder::Waiting {
public:
    Answer(SoupServerMessage* message,
           std::chrono::milliseconds limit,
           Finish finish,
           Response timed_out,
           Response failed)
        : message_(glib::Ref<SoupServerMessage>::share(message)),
          deadline_ns_(base::monotonic_ns() + limit.count() * base::kNsPerMs),
          finish_(std::move(finish)),
          timed_out_(std::move(timed_out)),
          failed_(std::move(failed)) {
        soup_server_message_pause(message);
        ended_ = g_signal_connect(message, "finished", G_CALLBACK(&Answer::on_finished), this);
    }
    ~Answer() override { abandon(); }
    Answer(const Answer&) = delete;
    Answer& operator=(const Answer&) = delete;

    void send(Response response) override {
        if (!message_) return;
        gone_ = nullptr;
        finish_(std::move(response));
        let_go();
    }
    void give_up() override { send(std::move(failed_)); }
    void on_gone(std::function<void()> told) override { gone_ = std::move(told); }
    [[nodiscard]] bool is_waiting() const override { return static_cast<bool>(message_); }

    /// Whether nothing more is to be looked for.
    bool look(std::int64_t now_ns) {
        if (!message_) return true;
        if (now_ns >= deadline_ns_) {
            const auto told = std::exchange(gone_, nullptr);
            send(std::move(timed_out_));
            if (told) told();
            return true;
        }
        if (!has_left(socket_of(message_.get()))) return false;
        const auto told = std::exchange(gone_, nullptr);
        abandon();
        if (told) told();
        return true;
    }

    /// Lets the message go on without an answer: its connection is or will be cut.
    void abandon() {
        if (!message_) return;
        soup_server_message_set_status(message_.get(), SOUP_STATUS_SERVICE_UNAVAILABLE, nullptr);
        let_go();
    }

private:
    static void on_finished(SoupServerMessage*, gpointer self) {
        auto* answer = static_cast<Answer*>(self);
        g_signal_handler_disconnect(answer->message_.get(), answer->ended_);
        answer->message_.reset();
        if (const auto told = std::exchange(answer->gone_, nullptr)) told();
    }

    void let_go() {
        const auto message = std::move(message_);
        g_signal_handler_disconnect(message.get(), ended_);
        finish_ = nullptr;
        soup_server_message_unpause(message.get());
    }

    glib::Ref<SoupServerMessage> message_;  ///< empty once it is answered or over
    gulong ended_ = 0;
    std::int64_t deadline_ns_;
    Finish finish_;
    Response timed_out_, failed_;
    std::function<void()> gone_;
};

PendingAnswers::PendingAnswers(GMainContext* context)
    : context_(glib::Ref<GMainContext>::adopt(g_main_context_ref(context))) {}

PendingAnswers::~PendingAnswers() {
    for (const auto& answer : std::exchange(waiting_, {})) answer->abandon();
}

Responder PendingAnswers::add(SoupServerMessage* message,
                              std::chrono::milliseconds limit,
                              Finish finish,
                              Response timed_out,
                              Response failed) {
    auto answer = std::make_shared<Answer>(
        message, limit, std::move(finish), std::move(timed_out), std::move(failed));
    waiting_.push_back(answer);
    if (!timer_.is_armed()) timer_.every(context_.get(), kLookPeriod, [this] { look(); });
    return Responder(std::move(answer));
}

void PendingAnswers::look() {
    const std::int64_t now_ns = base::monotonic_ns();
    // What is told may add and answer: only what was there is looked at, by its own hold.
    const auto all = waiting_;
    for (const auto& answer : all) answer->look(now_ns);
    std::erase_if(waiting_, [](const auto& answer) { return !answer->is_waiting(); });
    if (waiting_.empty()) timer_.cancel();
}

}  // namespace offhook::http
