#pragma once

#include <functional>

#include "base/executor.h"
#include "glib/ref.h"

namespace offhook::glib {

/// Posts tasks onto a GMainContext, in order.
/// @thread any
class MainExecutor final : public base::Executor {
public:
    explicit MainExecutor(GMainContext* context);
    void post(std::function<void()> task) override;

private:
    Ref<GMainContext> context_;
};

}  // namespace offhook::glib
