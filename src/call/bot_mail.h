#pragma once

#include <memory>
#include <string>

#include "ai/ai_events.h"
#include "base/executor.h"

namespace offhook::call {

class CallRegistry;

/// Brings what the AI side says of calls from its thread to control.
class BotMail final : public ai::AiEvents {
public:
    /// @param control outlives this
    explicit BotMail(base::Executor& control);

    /// To whom it goes from here on; null: what still arrives is dropped. @thread control
    void set_registry(CallRegistry* registry) { reader_->registry = registry; }

    void on_request(const model::CallId& id, const ai::BotRequest& request) override;
    void on_refused(const model::CallId& id, const ai::BotRequest& request) override;
    void on_state(const model::CallId& id,
                  model::AiState state,
                  const std::string& detail) override;
    void on_fallback(const model::CallId& id, const ai::Fallback& next) override;
    void on_finished(const model::CallId& id, const std::string& detail) override;
    void on_waiting(const model::CallId& id, const std::string& path) override;

private:
    struct Reader {
        CallRegistry* registry = nullptr;  ///< control's
    };
    template <class Told>
    void post(Told told);

    base::Executor& control_;
    std::shared_ptr<Reader> reader_ = std::make_shared<Reader>();
};

}  // namespace offhook::call
