// The registry's promise over two daemons: of those who come for one place, one is live, and whoever was
// told to go is gone before.
#include <deque>
#include <random>

#include "connection/registry.h"
#include "two_daemons.h"

namespace offhook::connection {
namespace {

using harness::RedisServer;

/// How many are live for a place, over all daemons.
struct Count {
    int live = 0, most = 0;
};

class Daemon;

/// A WebSocket: it asks, is let in, and goes when told; as they do, a turn of the loop later.
class Client final : public Socket {
public:
    Client(Daemon& daemon, Count& count) : daemon_(daemon), count_(count) {}
    void come(const Place& place);
    void leave(EndReason why);
    [[nodiscard]] Traffic traffic() const override {
        return {.last_heard_ns = base::monotonic_ns(), .last_pong_ns = base::monotonic_ns()};
    }
    void end(EndReason why, const std::string& detail, bool must_cut) override;

    bool is_live = false, is_over = false;

private:
    Daemon& daemon_;
    Count& count_;
    ConnectionId id_;
};

class Daemon {
public:
    Daemon(const RedisServer& server, Loop& loop)
        : leases_(settings(server), loop.get()),
          registry({.max_connections = 100'000,
                    .max_of_user = 100'000,
                    .max_claims = 1'000'000,
                    .claim_window = seconds(1)},
                   loop.get(),
                   leases_),
          later(loop.get()) {}
    [[nodiscard]] bool is_ok() const {
        return leases_.health().status == model::HealthCheck::Status::Ok;
    }

private:
    static RedisLeases::Settings settings(const RedisServer& server) {
        RedisLeases::Settings settings;
        settings.link.url = *config::parse_redis_url(server.unix_url());
        return settings;
    }
    RedisLeases leases_;

public:
    Registry registry;
    glib::MainExecutor later;
};

void Client::come(const Place& place) {
    auto id = daemon_.registry.open(
        {.kind = Kind::Channel, .user = place.user, .channel = place.channel}, *this);
    ASSERT_TRUE(id) << id.error().text();
    id_ = *id;
    daemon_.registry.claim(id_, place, [this](base::Result<void> granted) {
        if (!granted) return leave(EndReason::Replaced);
        daemon_.registry.live(id_);
        is_live = true;
        count_.most = std::max(count_.most, ++count_.live);
    });
}

void Client::leave(EndReason why) {
    if (is_over) return;
    is_over = true;
    if (std::exchange(is_live, false)) --count_.live;
    daemon_.registry.ended(id_, why, {});
}

void Client::end(EndReason why, const std::string& /*detail*/, bool /*must_cut*/) {
    daemon_.later.post([this, why] { leave(why); });
}

TEST(Registries, AThousandRacesOnTwoDaemonsEachLeaveOne) {
    if (!RedisServer::is_unpacked()) GTEST_SKIP() << "no redis-server: run scripts/peers";
    RedisServer server;
    Loop loop;
    Daemon a(server, loop), b(server, loop);
    ASSERT_TRUE(loop.until(seconds(10), [&] { return a.is_ok() && b.is_ok(); }));
    std::minstd_rand random(7);
    for (int race = 0; race < 1'000; ++race) {
        const Place place{.user = "anna", .channel = "race-" + std::to_string(race)};
        Count count;
        std::deque<Client> clients;
        for (int attempt = 0; attempt < 50; ++attempt) {
            clients.emplace_back(random() % 2 == 0 ? a : b, count).come(place);
            if (random() % 3 == 0) g_main_context_iteration(loop.get(), FALSE);
        }
        const auto is_settled = [&] {
            return count.live == 1 &&
                   std::count_if(clients.begin(), clients.end(), [](const Client& client) {
                       return client.is_over;
                   }) == 49;
        };
        ASSERT_TRUE(loop.until(seconds(10), is_settled))
            << "race " << race << ": " << count.live << " live";
        ASSERT_EQ(count.most, 1) << "race " << race << ": two at the same time";
        for (Client& client : clients) client.leave(EndReason::Client);
        loop.turn();
    }
    EXPECT_TRUE(a.registry.connections().empty());
    EXPECT_TRUE(b.registry.connections().empty());
    EXPECT_EQ(a.registry.counters().opened + b.registry.counters().opened, 50'000U);
}

}  // namespace
}  // namespace offhook::connection
