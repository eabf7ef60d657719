#pragma once

#include <libsoup/soup.h>

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "glib/ref.h"
#include "glib/timer.h"
#include "http/responder.h"

namespace offhook::http {

/// The requests whose answers are still to come. libsoup reads nothing of a connection that waits,
/// so it notices neither a client that left nor one that waits too long: both are looked for here.
/// @thread control
class PendingAnswers {
public:
    /// Puts a response into the message.
    using Finish = std::function<void(Response)>;

    explicit PendingAnswers(GMainContext* context);
    /// Nobody is told; the messages go on without an answer.
    ~PendingAnswers();
    PendingAnswers(const PendingAnswers&) = delete;
    PendingAnswers& operator=(const PendingAnswers&) = delete;

    /// Pauses `message` until it is answered, its client is gone, or `limit` passed.
    /// @param finish   writes the answer into it  @param timed_out  what it gets after `limit`
    /// @param failed   what it gets when its responder is dropped
    [[nodiscard]] Responder add(SoupServerMessage* message,
                                std::chrono::milliseconds limit,
                                Finish finish,
                                Response timed_out,
                                Response failed);

private:
    class Answer;
    void look();

    glib::Ref<GMainContext> context_;
    std::vector<std::shared_ptr<Answer>> waiting_;
    glib::Timer timer_;
};

}  // namespace offhook::http
