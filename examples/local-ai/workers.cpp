#include "workers.h"

namespace offhook::local_ai {

base::Result<std::unique_ptr<Workers>> Workers::start(int count,
                                                      const std::string& model,
                                                      const std::string& grammar) {
    std::unique_ptr<Workers> workers(new Workers);
    for (int i = 0; i < count; ++i) {
        auto recogniser = Recogniser::create(model, grammar);
        if (!recogniser) return tl::unexpected(recogniser.error());
        workers->recognisers_.push_back(std::move(*recogniser));
    }
    for (Recogniser& recogniser : workers->recognisers_)
        workers->threads_.emplace_back([w = workers.get(), &recogniser] { w->run(recogniser); });
    return workers;
}

Workers::~Workers() {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

bool Workers::post(Task task) {
    {
        const std::lock_guard lock(mutex_);
        if (tasks_.size() >= kMostWaiting) return false;
        tasks_.push_back(std::move(task));
    }
    changed_.notify_one();
    return true;
}

void Workers::run(Recogniser& recogniser) {
    for (;;) {
        Task task;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return is_stopping_ || !tasks_.empty(); });
            if (is_stopping_) return;
            task = std::move(tasks_.front());
            tasks_.pop_front();
        }
        task(recogniser);
    }
}

}  // namespace offhook::local_ai
