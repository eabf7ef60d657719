#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "glib/fd_watch.h"
#include "glib/ref.h"

namespace offhook::glib {
namespace {

/// A descriptor that is readable until it is drained.
class Bell {
public:
    Bell() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
    ~Bell() { close(fd_); }
    Bell(const Bell&) = delete;
    Bell& operator=(const Bell&) = delete;
    void ring() const {
        const std::uint64_t one = 1;
        ASSERT_EQ(write(fd_, &one, sizeof one), static_cast<ssize_t>(sizeof one));
    }
    void drain() const {
        std::uint64_t count = 0;
        [[maybe_unused]] const auto n = read(fd_, &count, sizeof count);
    }
    [[nodiscard]] int fd() const { return fd_; }

private:
    int fd_;
};

class FdWatchTest : public testing::Test {
protected:
    void turn() { g_main_context_iteration(context_.get(), FALSE); }
    Ref<GMainContext> context_ = Ref<GMainContext>::adopt(g_main_context_new());
    int heard_ = 0;
};

TEST_F(FdWatchTest, CallsWhileItIsReady) {
    Bell bell;
    FdWatch watch;
    watch.start(context_.get(), bell.fd(), G_IO_IN, [this](GIOCondition condition) {
        EXPECT_EQ(condition, G_IO_IN);
        ++heard_;
    });
    turn();
    EXPECT_EQ(heard_, 0);
    bell.ring();
    turn();
    turn();
    EXPECT_EQ(heard_, 2) << "what is not drained is told again";
    bell.drain();
    turn();
    EXPECT_EQ(heard_, 2);
}

TEST_F(FdWatchTest, MayStopItselfAndOthersInItsCallback) {
    Bell a;
    Bell b;
    auto first = std::make_unique<FdWatch>();
    auto second = std::make_unique<FdWatch>();
    const auto end_both = [&](GIOCondition) {
        ++heard_;
        first.reset();
        second.reset();
    };
    first->start(context_.get(), a.fd(), G_IO_IN, end_both);
    second->start(context_.get(), b.fd(), G_IO_IN, end_both);
    a.ring();
    b.ring();
    turn();
    turn();
    EXPECT_EQ(heard_, 1);
}

TEST_F(FdWatchTest, StartsAgainOnAnotherDescriptor) {
    Bell a;
    Bell b;
    FdWatch watch;
    watch.start(context_.get(), a.fd(), G_IO_IN, [this](GIOCondition) { heard_ += 1; });
    watch.start(context_.get(), b.fd(), G_IO_IN, [this](GIOCondition) { heard_ += 100; });
    a.ring();
    b.ring();
    turn();
    EXPECT_EQ(heard_, 100);
}

TEST_F(FdWatchTest, AnExceptionEndsOnlyItsCallback) {
    Bell a;
    Bell b;
    FdWatch bad;
    FdWatch good;
    bad.start(context_.get(), a.fd(), G_IO_IN, [](GIOCondition) {
        throw std::runtime_error("of the test");
    });
    good.start(context_.get(), b.fd(), G_IO_IN, [this](GIOCondition) { ++heard_; });
    a.ring();
    b.ring();
    turn();
    EXPECT_EQ(heard_, 1);
}

TEST_F(FdWatchTest, FiveHundredCostTheContextOneDescriptor) {
    std::vector<std::unique_ptr<Bell>> bells;
    std::vector<std::unique_ptr<FdWatch>> watches;
    for (int i = 0; i < 500; ++i) {
        bells.push_back(std::make_unique<Bell>());
        watches.push_back(std::make_unique<FdWatch>());
        watches.back()->start(
            context_.get(), bells.back()->fd(), G_IO_IN, [this](GIOCondition) { ++heard_; });
    }
    ASSERT_TRUE(g_main_context_acquire(context_.get()));
    gint priority = 0;
    gint timeout_ms = 0;
    g_main_context_prepare(context_.get(), &priority);
    std::vector<GPollFD> fds(2000);
    EXPECT_LE(g_main_context_query(
                  context_.get(), G_MAXINT, &timeout_ms, fds.data(), static_cast<gint>(fds.size())),
              2);
    g_main_context_release(context_.get());
    for (const auto& bell : bells) bell->ring();
    for (int i = 0; i < 100 && heard_ < 500; ++i) turn();
    EXPECT_GE(heard_, 500) << "more are ready than one look takes";
}

}  // namespace
}  // namespace offhook::glib
