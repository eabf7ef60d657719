#include "events/event_log.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace offhook::events {
namespace {

constexpr std::size_t kMaxCalls = 20'000;  // more than can live: what never ends is not kept

std::string random_instance() {
    std::array<unsigned char, 8> bytes{};
    if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        throw std::runtime_error("the kernel has no random bytes");
    std::string text;
    for (const unsigned char byte : bytes) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

}  // namespace

// What writers leave: a list, newest first, that control takes as a whole.
struct EventLog::Inbox {
    struct Node {
        std::unique_ptr<Event> event;
        Node* next = nullptr;
    };
    Inbox(base::Executor& executor, std::size_t max) : control(executor), max_waiting(max) {}
    Inbox(const Inbox&) = delete;
    Inbox& operator=(const Inbox&) = delete;
    ~Inbox() { take(); }

    /// @return true when control has to be woken
    bool put(const log::Record& record) {
        if (waiting.fetch_add(1, std::memory_order_relaxed) >= max_waiting) {
            waiting.fetch_sub(1, std::memory_order_relaxed);
            dropped.fetch_add(1, std::memory_order_relaxed);
            return false;
        }
        auto* node = new Node{event_of(record)};
        // Once it is in, the node is control's: what was before it is remembered here.
        Node* before = newest.load(std::memory_order_relaxed);
        do {
            node->next = before;
        } while (!newest.compare_exchange_weak(
            before, node, std::memory_order_release, std::memory_order_relaxed));
        return before == nullptr;
    }

    /// Oldest first.
    std::vector<std::unique_ptr<Event>> take() {
        std::vector<std::unique_ptr<Event>> all;
        Node* node = newest.exchange(nullptr, std::memory_order_acquire);
        while (node != nullptr) {
            const std::unique_ptr<Node> taken(node);
            all.push_back(std::move(taken->event));
            node = taken->next;
        }
        waiting.fetch_sub(all.size(), std::memory_order_relaxed);
        std::reverse(all.begin(), all.end());
        return all;
    }

    base::Executor& control;
    const std::size_t max_waiting;
    EventLog* log = nullptr;  ///< null: it is gone. Control's
    std::atomic<Node*> newest{nullptr};
    std::atomic<std::size_t> waiting{0};
    std::atomic<std::uint64_t> dropped{0};
};

EventLog::EventLog(Options options, base::Executor& control)
    : options_(options),
      instance_(random_instance()),
      inbox_(std::make_shared<Inbox>(control, options.max_waiting)) {
    inbox_->log = this;
    listening_ = log::set_listener([inbox = inbox_](const log::Record& record) {
        if (!inbox->put(record)) return;
        inbox->control.post([weak = std::weak_ptr(inbox)] {
            const auto still = weak.lock();
            if (still && still->log != nullptr) still->log->flush();
        });
    });
}

EventLog::~EventLog() {
    listening_.stop();
    inbox_->log = nullptr;
}

EventRef EventLog::at(std::uint64_t seq) const {
    if (seq < oldest() || seq > newest_) return nullptr;
    return kept_[static_cast<std::size_t>(seq - oldest())];
}

void EventLog::subscribe(Subscriber& subscriber) {
    subscribers_.push_back(&subscriber);
}

void EventLog::unsubscribe(Subscriber& subscriber) {
    const auto found = std::find(subscribers_.begin(), subscribers_.end(), &subscriber);
    if (found == subscribers_.end()) return;
    if (is_telling_) {
        *found = nullptr;
    } else {
        subscribers_.erase(found);
    }
}

std::uint64_t EventLog::dropped() const {
    return inbox_->dropped.load(std::memory_order_relaxed);
}

void EventLog::flush() {
    if (is_telling_) return;  // a subscriber's wish: the rest comes with the loop that tells it
    for (std::unique_ptr<Event>& event : inbox_->take()) publish(std::move(event));
    const std::uint64_t now = dropped();
    if (now == dropped_told_) return;
    const std::uint64_t lost = now - std::exchange(dropped_told_, now);
    log::write(log::Level::Warning,
               log::Mark::Warning,
               "events.dropped",
               {},
               "more happened at once than events could be numbered",
               {{"sink", "events"}, {"count", lost}});
}

void EventLog::publish(std::unique_ptr<Event> event) {
    event->seq = ++newest_;
    learn_whose(*event);
    render(*event);
    const EventRef kept = std::move(event);
    kept_.push_back(kept);
    if (kept_.size() > options_.keep) kept_.pop_front();
    is_telling_ = true;
    for (std::size_t i = 0; i < subscribers_.size(); ++i) {
        if (subscribers_[i] != nullptr) subscribers_[i]->on_event(kept);
    }
    is_telling_ = false;
    std::erase(subscribers_, nullptr);
}

void EventLog::learn_whose(Event& event) {
    event.account = event.text("account");
    event.channel = event.text("channel");
    if (event.call.empty()) return;
    const auto known = calls_.find(event.call);
    if (known == calls_.end()) {
        const bool says_nothing = event.account.empty() && event.channel.empty();
        if (!says_nothing && calls_.size() < kMaxCalls)
            calls_[event.call] = {event.account, event.channel};
        return;
    }
    Whose& whose = known->second;
    if (!event.account.empty()) whose.account = event.account;
    if (!event.channel.empty()) whose.channel = event.channel;
    event.account = whose.account;
    event.channel = whose.channel;
    if (event.type == "call.ended") calls_.erase(known);
}

}  // namespace offhook::events
