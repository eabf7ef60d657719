#pragma once

#include <functional>

namespace offhook::base {

/// A thread that runs what others hand it, in the order given. The only way to cross threads
/// besides bounded rings. Post plain values (ids), never pointers to calls.
class Executor {
public:
    virtual ~Executor() = default;

    /// Queues `task`; returns at once. Tasks posted after the thread ended are dropped.
    /// @thread any
    virtual void post(std::function<void()> task) = 0;
};

}  // namespace offhook::base
