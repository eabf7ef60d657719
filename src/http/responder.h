#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "http/message.h"

namespace offhook::http {

/// The right, and the duty, to answer one request later. Dropped without an answer, it says 500.
/// @thread control
class Responder {
public:
    /// The side of the server.
    class Waiting {
    public:
        virtual ~Waiting() = default;
        virtual void send(Response response) = 0;
        virtual void give_up() = 0;
        virtual void on_gone(std::function<void()> told) = 0;
        [[nodiscard]] virtual bool is_waiting() const = 0;
    };

    Responder() = default;
    explicit Responder(std::shared_ptr<Waiting> waiting) : waiting_(std::move(waiting)) {}
    ~Responder() { drop(); }
    Responder(Responder&&) noexcept = default;
    Responder& operator=(Responder&& other) noexcept {
        if (this != &other) {
            drop();
            waiting_ = std::move(other.waiting_);
        }
        return *this;
    }
    Responder(const Responder&) = delete;
    Responder& operator=(const Responder&) = delete;

    /// Answers; afterwards the responder is empty. Does nothing when nobody waits any more.
    void send(Response response) {
        if (const auto waiting = std::exchange(waiting_, nullptr))
            waiting->send(std::move(response));
    }
    /// Whether an answer would still go somewhere.
    [[nodiscard]] bool is_waiting() const { return waiting_ && waiting_->is_waiting(); }
    /// `told` comes at most once, from the loop, and not after `send`: the client went away, or the
    /// route's limit passed and it got a 504.
    void on_gone(std::function<void()> told) {
        if (waiting_) waiting_->on_gone(std::move(told));
    }

private:
    void drop() {
        if (const auto waiting = std::exchange(waiting_, nullptr)) waiting->give_up();
    }
    std::shared_ptr<Waiting> waiting_;
};

/// Answers when it can. Runs on the control thread; an exception becomes a 500.
using LaterHandler = std::function<void(const Request&, Responder)>;

}  // namespace offhook::http
