#pragma once

#include <atomic>
#include <functional>
#include <utility>

namespace offhook::base {

/// Many threads put commands in, one thread runs them in order. Lock-free on both
/// sides; what a command captured is freed by the next `push`, not by the thread that runs (a media
/// worker must not pay for it).
class CommandQueue {
public:
    CommandQueue() = default;
    CommandQueue(const CommandQueue&) = delete;
    CommandQueue& operator=(const CommandQueue&) = delete;
    ~CommandQueue() {
        free_list(incoming_.exchange(nullptr));
        free_list(done_.exchange(nullptr));
    }

    /// @thread any
    void push(std::function<void()> command) {
        free_list(done_.exchange(nullptr, std::memory_order_acquire));
        auto* node = new Node{std::move(command), nullptr};
        push_node(incoming_, node);
    }

    /// Runs what is there, oldest first. @thread the one that runs commands
    void run() {
        Node* newest = incoming_.exchange(nullptr, std::memory_order_acquire);
        Node* oldest = nullptr;
        while (newest) {
            Node* next = newest->next;
            newest->next = oldest;
            oldest = newest;
            newest = next;
        }
        while (oldest) {
            Node* next = oldest->next;
            oldest->command();
            push_node(done_, oldest);
            oldest = next;
        }
    }

    [[nodiscard]] bool empty() const noexcept {
        return incoming_.load(std::memory_order_acquire) == nullptr;
    }

private:
    struct Node {
        std::function<void()> command;
        Node* next;
    };
    static void push_node(std::atomic<Node*>& head, Node* node) noexcept {
        node->next = head.load(std::memory_order_relaxed);
        while (!head.compare_exchange_weak(
            node->next, node, std::memory_order_release, std::memory_order_relaxed)) {
        }
    }
    static void free_list(Node* node) noexcept {
        while (node) delete std::exchange(node, node->next);
    }

    std::atomic<Node*> incoming_{nullptr};
    std::atomic<Node*> done_{nullptr};
};

}  // namespace offhook::base
