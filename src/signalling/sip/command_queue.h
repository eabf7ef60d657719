#pragma once

#include <mutex>
#include <vector>

#include "base/executor.h"
#include "glib/fd_watch.h"
#include "signalling/sip/flow.h"

namespace offhook::signalling::sip {

/// The way into the sip thread: tasks run there in order, many for one wake-up.
class CommandQueue final : public base::Executor {
public:
    /// @param context  of the thread that runs the tasks; construct and destroy while it does not
    /// run
    explicit CommandQueue(GMainContext* context);
    /// @thread any
    void post(std::function<void()> task) override;
    /// Drops what is queued and everything posted from now on.
    void close();

private:
    void run();

    Fd wake_;  ///< eventfd
    glib::FdWatch watch_;
    std::mutex mutex_;
    std::vector<std::function<void()>> tasks_;  ///< guarded by mutex_
    bool is_closed_ = false;                    ///< guarded by mutex_
};

}  // namespace offhook::signalling::sip
