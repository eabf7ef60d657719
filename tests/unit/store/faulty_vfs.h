#pragma once

#include <atomic>
#include <string>

namespace offhook::store::testing {

/// The system's SQLite VFS with a disk that can be told to fail. Lives as long as the process.
class FaultyVfs {
public:
    enum class Fault { None, Full, ReadOnly, Io };
    /// Registered at the first use.
    static FaultyVfs& instance();

    [[nodiscard]] std::string name() const { return "faulty"; }
    /// What every write answers from now on.
    void set_fault(Fault fault) { fault_ = fault; }
    /// While true, every sync waits.
    void hold_syncs(bool is_held);
    [[nodiscard]] int syncs() const { return syncs_; }
    [[nodiscard]] int waiting_syncs() const { return waiting_syncs_; }

    // what its files ask
    [[nodiscard]] int write_code() const;
    void before_sync();

private:
    FaultyVfs();
    std::atomic<Fault> fault_{Fault::None};
    std::atomic<bool> is_held_{false};
    std::atomic<int> syncs_{0}, waiting_syncs_{0};
};

}  // namespace offhook::store::testing
