#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "recogniser.h"

namespace offhook::local_ai {

/// Threads that recognise, each with a recogniser of its own, shared by all calls. What is waiting
/// is bounded. The destructor ends the work under way and forgets the rest.
class Workers {
public:
    static constexpr std::size_t kMostWaiting = 256;
    using Task = std::function<void(Recogniser&)>;

    /// @errors those of Recogniser::create
    [[nodiscard]] static base::Result<std::unique_ptr<Workers>> start(int count,
                                                                      const std::string& model,
                                                                      const std::string& grammar);
    ~Workers();
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    /// @return false: too many are waiting. @thread any
    bool post(Task task);

private:
    Workers() = default;
    void run(Recogniser& recogniser);

    std::mutex mutex_;  // guards the two below
    std::deque<Task> tasks_;
    bool is_stopping_ = false;
    std::condition_variable changed_;
    std::vector<Recogniser> recognisers_;
    std::vector<std::thread> threads_;
};

}  // namespace offhook::local_ai
