// How an account gets registered and stays so: the state machine alone, in a world whose clock,
// network and registrar are a few lines.
#include "signalling/sip/registration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "base/monotonic.h"

namespace offhook::signalling::sip {
namespace {

using base::kNsPerMs;
using base::kNsPerS;
using model::AccountState;
using std::chrono::seconds;

/// What happens on the way to one registrar.
struct Registrar {
    std::int64_t connect_ns = 2 * kNsPerMs;
    std::int64_t answer_ns = 3 * kNsPerMs;
    bool is_reachable = true;    ///< false: connections are refused at once
    bool is_black_hole = false;  ///< nothing comes back: a connect ends after 5 s
    std::function<RegisterAnswer(seconds expires)> answer = [](seconds expires) {
        return RegisterAnswer{.status = 200, .phrase = "OK", .granted = expires};
    };
};

/// One account between two registrars.
class World : public RegistrationActions {
public:
    explicit World(Registration::Plan plan, RegisterPacer& pacer, std::uint64_t seed = 1)
        : registration(std::move(plan), *this, pacer, seed) {}
    explicit World(Registration::Plan plan, std::uint64_t seed = 1)
        : World(std::move(plan), own_pacer, seed) {}

    void open_flow(FlowId id, Proxy proxy) override {
        opens.push_back(now_ns);
        const Registrar& registrar = at(proxy);
        flows[id] = proxy;
        if (registrar.is_black_hole) {
            later(5 * kNsPerS, [this, id] { close(id, "time-out"); });
        } else if (!registrar.is_reachable) {
            later(kNsPerMs, [this, id] { close(id, "refused"); });
        } else {
            later(registrar.connect_ns, [this, id, proxy] {
                if (!flows.contains(id)) return;
                if (!at(proxy).is_reachable) return close(id, "refused");
                registration.on_flow_open(now_ns, id);
            });
        }
    }
    void close_flow(FlowId id) override {
        closed.push_back(id);
        flows.erase(id);
    }
    void send_register(FlowId id, seconds expires) override {
        ASSERT_TRUE(flows.contains(id)) << "REGISTER on a flow that is gone";
        sent.push_back({now_ns, id, expires});
        const std::uint64_t serial = ++under_way;
        const Proxy proxy = flows.at(id);
        if (at(proxy).is_black_hole || !at(proxy).is_reachable) return;
        later(at(proxy).answer_ns, [this, id, expires, proxy, serial] {
            if (serial != under_way || at(proxy).is_black_hole || !at(proxy).is_reachable) return;
            registration.on_answer(now_ns, id, at(proxy).answer(expires));
        });
    }
    void forget_register() override { ++under_way; }
    void on_change() override {
        const AccountState state = registration.state();
        if (states.empty() || states.back() != state) states.push_back(state);
    }

    void close(FlowId id, const std::string& why) {
        if (flows.erase(id) > 0) registration.on_flow_closed(now_ns, id, why);
    }
    /// The connections of `proxy` end, as when its process dies.
    void cut(Proxy proxy) {
        at(proxy).is_reachable = false;
        const auto open = flows;
        for (const auto& [id, of] : open) {
            if (of == proxy) close(id, "closed by the peer");
        }
    }
    void start() { registration.start(now_ns); }
    /// Lets the world go on until `until` says so, for at most `limit_ns`. False: it never did.
    bool run(
        std::int64_t limit_ns, const std::function<bool()>& until = [] { return false; }) {
        const std::int64_t end_ns = now_ns + limit_ns;
        while (!until()) {
            const auto next = next_ns();
            if (!next || *next > end_ns) {
                now_ns = end_ns;
                return until();
            }
            step(*next);
        }
        return true;
    }
    [[nodiscard]] std::optional<std::int64_t> next_ns() const {
        const auto next = registration.next_ns();
        if (events.empty()) return next;
        return next ? std::min(*next, events.begin()->first) : events.begin()->first;
    }
    void step(std::int64_t at_ns) {
        now_ns = std::max(now_ns, at_ns);
        if (!events.empty() && events.begin()->first <= now_ns) {
            const auto action = std::move(events.begin()->second);
            events.erase(events.begin());
            action();
        } else {
            registration.tick(now_ns);
        }
    }
    bool run_until(AccountState state, std::int64_t limit_ns = 600 * kNsPerS) {
        return run(limit_ns, [&] { return registration.state() == state; });
    }
    Registrar& at(Proxy proxy) { return proxy == Proxy::Primary ? primary : backup; }
    void later(std::int64_t delay_ns, std::function<void()> action) {
        events.emplace(now_ns + delay_ns, std::move(action));
    }

    struct Sent {
        std::int64_t at_ns;
        FlowId flow;
        seconds expires;
    };
    RegisterPacer own_pacer;
    std::int64_t now_ns = 1'000 * kNsPerS;
    Registrar primary, backup;
    std::multimap<std::int64_t, std::function<void()>> events;
    std::map<FlowId, Proxy> flows;
    std::vector<Sent> sent;
    std::vector<std::int64_t> opens;
    std::vector<FlowId> closed;
    std::vector<AccountState> states;
    std::uint64_t under_way = 0;
    Registration registration;
};

Registration::Plan plan(bool has_backup = false, bool is_connection = true) {
    return {.user = "200",
            .domain = "pbx.example.com",
            .expires = seconds(300),
            .switch_back = seconds(120),
            .has_backup = has_backup,
            .is_connection = is_connection};
}

RegisterAnswer status(int code, std::string phrase = {}) {
    return {.status = code, .phrase = std::move(phrase)};
}

TEST(Registration, registers_and_refreshes_in_time) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        World world(plan(), seed);
        world.start();
        ASSERT_TRUE(world.run_until(AccountState::Registered, kNsPerS));
        EXPECT_EQ(
            world.states,
            (std::vector{
                AccountState::Connecting, AccountState::Registering, AccountState::Registered}));
        EXPECT_EQ(world.registration.last_status(), 200);
        std::int64_t last_ns = world.sent.back().at_ns;
        for (int i = 0; i < 5; ++i) {
            const std::size_t before = world.sent.size();
            ASSERT_TRUE(world.run(300 * kNsPerS, [&] { return world.sent.size() > before; }));
            const std::int64_t gap_ns = world.sent.back().at_ns - last_ns;
            EXPECT_GE(gap_ns, 150 * kNsPerS);
            EXPECT_LE(gap_ns, 256 * kNsPerS);
            last_ns = world.sent.back().at_ns;
            world.run(kNsPerS);
            EXPECT_TRUE(world.registration.is_registered());
        }
        EXPECT_EQ(world.opens.size(), 1U);
        EXPECT_EQ(world.registration.registrations(), 6U);
        EXPECT_EQ(world.registration.failures(), 0U);
        // Never shown as anything but registered while it refreshes.
        EXPECT_EQ(world.states.size(), 3U);
    }
}

TEST(Registration, what_is_granted_counts_not_what_was_asked) {
    World world(plan());
    world.primary.answer = [](seconds) {
        return RegisterAnswer{.status = 200, .phrase = "OK", .granted = seconds(47)};
    };
    world.start();
    ASSERT_TRUE(world.run_until(AccountState::Registered, kNsPerS));
    EXPECT_EQ(world.registration.expires_ns() - world.now_ns, 47 * kNsPerS);
    const std::size_t before = world.sent.size();
    EXPECT_TRUE(world.run(40 * kNsPerS, [&] { return world.sent.size() > before; }));
    EXPECT_EQ(world.sent.back().expires, seconds(300));
}

TEST(Registration, a_lost_connection_is_back_within_three_seconds_of_the_path) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        World world(plan(), seed);
        // A registrar that needs 50 ms for each step.
        world.primary.connect_ns = world.primary.answer_ns = 50 * kNsPerMs;
        world.start();
        ASSERT_TRUE(world.run_until(AccountState::Registered, kNsPerS));
        world.run(20 * kNsPerS);
        world.cut(Proxy::Primary);
        EXPECT_FALSE(world.registration.is_registered());
        const std::size_t before = world.opens.size();
        const auto outage_ns = static_cast<std::int64_t>(seed * 2971 % 590'000) * kNsPerMs;
        world.run(outage_ns);
        std::int64_t last_ns = world.opens.size() > before ? world.opens[before] : world.now_ns;
        for (std::size_t i = before; i < world.opens.size(); ++i) {
            EXPECT_LE(world.opens[i] - last_ns, 2 * kNsPerS);
            last_ns = world.opens[i];
        }
        world.primary.is_reachable = true;
        const std::int64_t back_ns = world.now_ns;
        ASSERT_TRUE(world.run_until(AccountState::Registered, 3 * kNsPerS))
            << "outage of " << outage_ns / kNsPerMs << " ms, seed " << seed;
        EXPECT_LE(world.now_ns - back_ns, 3 * kNsPerS);
        EXPECT_EQ(world.registration.flow_losses(), 1U);
    }
}

TEST(Registration, the_first_try_after_a_loss_comes_at_once_and_later_ones_get_rarer) {
    World world(plan());
    world.start();
    ASSERT_TRUE(world.run_until(AccountState::Registered, kNsPerS));
    world.run(60 * kNsPerS);
    world.cut(Proxy::Primary);
    const std::int64_t lost_ns = world.now_ns;
    const std::size_t before = world.opens.size();
    world.run(3600 * kNsPerS);
    EXPECT_GE(world.opens[before] - lost_ns, 150 * kNsPerMs);
    EXPECT_LE(world.opens[before] - lost_ns, 260 * kNsPerMs);
    std::int64_t longest_early = 0;
    std::int64_t longest_late = 0;
    for (std::size_t i = before + 1; i < world.opens.size(); ++i) {
        const std::int64_t gap = world.opens[i] - world.opens[i - 1];
        EXPECT_GE(gap, 150 * kNsPerMs);
        auto& longest = world.opens[i] - lost_ns < 590 * kNsPerS ? longest_early : longest_late;
        longest = std::max(longest, gap);
    }
    EXPECT_LE(longest_early, 2 * kNsPerS);
    EXPECT_GT(longest_late, 22 * kNsPerS);
    EXPECT_LE(longest_late, 30 * kNsPerS + 10 * kNsPerMs);
}

TEST(Registration, a_registrar_that_swallows_everything) {
    // The connect ends after 5 s; the next one begins at once, because the tries count from their
    // beginning.
    World world(plan());
    world.primary.is_black_hole = true;
    world.start();
    world.run(120 * kNsPerS);
    ASSERT_GE(world.opens.size(), 20U);
    for (std::size_t i = 1; i < world.opens.size(); ++i)
        EXPECT_LE(world.opens[i] - world.opens[i - 1], 5'300 * kNsPerMs);
    EXPECT_EQ(world.registration.last_status(), 408);
}

TEST(Registration, an_unanswered_register_ends_the_connection_but_not_the_udp_socket) {
    for (const bool is_connection : {true, false}) {
        World world(plan(false, is_connection));
        world.start();
        ASSERT_TRUE(world.run_until(AccountState::Registered, kNsPerS));
        world.run(20 * kNsPerS);
        const FlowId flow = world.registration.flow();
        world.primary.is_black_hole = true;
        const std::size_t before = world.sent.size();
        ASSERT_TRUE(world.run(300 * kNsPerS, [&] { return world.sent.size() > before; }));
        const std::int64_t asked_ns = world.now_ns;
        ASSERT_TRUE(world.run_until(AccountState::Waiting));
        EXPECT_EQ(world.now_ns - asked_ns, Registration::kAnswerNs);
        EXPECT_EQ(world.flows.contains(flow), !is_connection);
        EXPECT_NE(world.registration.last_answer().find("no answer to REGISTER in 5 s"),
                  std::string::npos);
        world.run(12 * kNsPerS);
        EXPECT_EQ(world.flows.contains(flow), !is_connection);
        world.primary.is_black_hole = false;
        // The sends inside a try repeat by the transaction; here only whole tries count.
        EXPECT_TRUE(world.run_until(AccountState::Registered, 6 * kNsPerS));
    }
}

TEST(Registration, a_udp_socket_that_nobody_answers_is_changed_in_the_end) {
    World world(plan(false, false));
    world.primary.answer_ns = 10 * kNsPerS;
    world.start();
    world.run(40 * kNsPerS);
    EXPECT_GE(world.opens.size(), 2U);
    EXPECT_LE(world.opens.size(), 3U);
}

TEST(Registration, wrong_password_stops_after_three_tries) {
    World world(plan());
    world.primary.answer = [](seconds) {
        return RegisterAnswer{.status = 401,
                              .phrase = "Unauthorized",
                              .refusal = RegisterAnswer::Refusal::WrongPassword,
                              .detail = "user or password are wrong (realm \"pbx\")"};
    };
    world.start();
    ASSERT_TRUE(world.run_until(AccountState::Failed, 20 * kNsPerS));
    EXPECT_EQ(world.sent.size(), 3U);
    EXPECT_NE(world.registration.last_answer().find("user or password are wrong"),
              std::string::npos);
    EXPECT_NE(world.registration.last_answer().find("200"), std::string::npos);
    world.run(1'790 * kNsPerS);
    EXPECT_EQ(world.sent.size(), 3U);
    world.run(400 * kNsPerS);
    EXPECT_EQ(world.sent.size(), 4U) << "one try after half an hour";
    EXPECT_EQ(world.registration.state(), AccountState::Failed);
    world.primary.answer = Registrar{}.answer;
    EXPECT_TRUE(world.run_until(AccountState::Registered, 2'400 * kNsPerS));
    EXPECT_EQ(world.registration.failures(), 4U);
}

TEST(Registration, forbidden_and_unknown_users_say_what_to_check) {
    for (const auto& [code, word] :
         std::map<int, std::string>{{403, "permissions"}, {404, "no user 200 at pbx"}}) {
        World world(plan());
        world.primary.answer = [code = code](seconds) { return status(code); };
        world.start();
        ASSERT_TRUE(world.run_until(AccountState::Failed, 20 * kNsPerS)) << code;
        EXPECT_EQ(world.sent.size(), 3U);
        EXPECT_NE(world.registration.last_answer().find(word), std::string::npos)
            << world.registration.last_answer();
    }
}

TEST(Registration, a_registrar_that_is_still_loading_its_users_is_forgiven) {
    World world(plan());
    int asked = 0;
    world.primary.answer = [&](seconds expires) {
        return ++asked < 3 ? status(404)
                           : RegisterAnswer{.status = 200, .phrase = "OK", .granted = expires};
    };
    world.start();
    EXPECT_TRUE(world.run_until(AccountState::Registered, 10 * kNsPerS));
}

TEST(Registration, interval_too_brief) {
    World world(plan());
    world.primary.answer = [](seconds expires) {
        if (expires >= seconds(1800))
            return RegisterAnswer{.status = 200, .phrase = "OK", .granted = expires};
        return RegisterAnswer{.status = 423, .min_expires = seconds(1800)};
    };
    world.start();
    ASSERT_TRUE(world.run_until(AccountState::Registered, kNsPerS));
    EXPECT_EQ(world.sent.size(), 2U);
    EXPECT_EQ(world.sent.back().expires, seconds(1800));
    // Remembered.
    const std::size_t before = world.sent.size();
    ASSERT_TRUE(world.run(1'800 * kNsPerS, [&] { return world.sent.size() > before; }));
    EXPECT_EQ(world.sent.back().expires, seconds(1800));
}

TEST(Registration, a_registrar_that_always_wants_more_is_no_loop) {
    World world(plan());
    world.primary.answer = [](seconds expires) {
        return RegisterAnswer{.status = 423, .min_expires = expires + seconds(1)};
    };
    world.start();
    world.run(25 * kNsPerS);
    EXPECT_LE(world.sent.size(), 5U);
    EXPECT_EQ(world.registration.state(), AccountState::Waiting);
}

TEST(Registration, too_many_contacts_waits_for_a_place) {
    for (std::uint64_t seed = 1; seed < 20; ++seed) {
        World world(plan(), seed);
        world.primary.answer = [](seconds) { return status(603, "Too Many Contacts"); };
        world.start();
        ASSERT_TRUE(world.run_until(AccountState::Waiting, kNsPerS));
        const std::int64_t pause = world.registration.next_try_ns() - world.now_ns;
        EXPECT_GE(pause, 60 * kNsPerS);
        EXPECT_LE(pause, 120 * kNsPerS);
        EXPECT_NE(world.registration.last_answer().find("603 Too Many Contacts"),
                  std::string::npos);
        world.primary.answer = Registrar{}.answer;
        EXPECT_TRUE(world.run_until(AccountState::Registered, 121 * kNsPerS));
        EXPECT_EQ(world.opens.size(), 1U);
    }
}

TEST(Registration, retry_after_is_honoured) {
    for (std::uint64_t seed = 1; seed < 20; ++seed) {
        World world(plan(), seed);
        world.primary.answer = [](seconds) {
            return RegisterAnswer{.status = 503, .retry_after = seconds(60)};
        };
        world.start();
        ASSERT_TRUE(world.run_until(AccountState::Waiting, kNsPerS));
        const std::int64_t asked_ns = world.sent.back().at_ns;
        world.primary.answer = Registrar{}.answer;
        ASSERT_TRUE(world.run_until(AccountState::Registered));
        const std::int64_t pause = world.now_ns - asked_ns;
        EXPECT_GE(pause, 60 * kNsPerS);
        EXPECT_LE(pause, 63 * kNsPerS);
    }
}

TEST(Registration, a_retry_after_of_nothing_is_no_storm) {
    World world(plan());
    world.primary.answer = [](seconds) {
        return RegisterAnswer{.status = 503, .retry_after = seconds(0)};
    };
    world.start();
    world.run(1'200 * kNsPerS);
    // 2 s apart for ten minutes, then 30 s.
    EXPECT_LT(world.sent.size(), 450U);
    EXPECT_GT(world.sent.size(), 200U);
}

TEST(Registration, a_refresh_that_meets_503_keeps_what_is_granted) {
    World world(plan());
    world.start();
    ASSERT_TRUE(world.run_until(AccountState::Registered, kNsPerS));
    world.primary.answer = [](seconds) { return status(503, "Service Unavailable"); };
    const std::int64_t expires_ns = world.registration.expires_ns();
    ASSERT_TRUE(world.run(300 * kNsPerS, [&] { return world.registration.failures() > 5; }));
    EXPECT_TRUE(world.registration.is_registered());
    EXPECT_EQ(world.registration.last_status(), 503);
    ASSERT_TRUE(world.run_until(AccountState::Waiting, 300 * kNsPerS));
    EXPECT_GE(world.now_ns, expires_ns);
    world.primary.answer = Registrar{}.answer;
    EXPECT_TRUE(world.run_until(AccountState::Registered, 3 * kNsPerS));
    EXPECT_EQ(world.opens.size(), 1U) << "the flow was never the trouble";
}

TEST(Registration, other_refusals_are_tried_again_slowly) {
    for (const int code : {302, 400, 420, 480, 600}) {
        World world(plan());
        world.primary.answer = [code](seconds) { return status(code); };
        world.start();
        ASSERT_TRUE(world.run_until(AccountState::Waiting, kNsPerS)) << code;
        const std::int64_t pause = world.registration.next_try_ns() - world.now_ns;
        EXPECT_GE(pause, 30 * kNsPerS);
        EXPECT_LE(pause, 60 * kNsPerS);
    }
}

TEST(Registration, a_200_without_our_contact_is_no_registration) {
    World world(plan());
    world.primary.answer = [](seconds) {
        return RegisterAnswer{.status = 200, .phrase = "OK", .granted = seconds(0)};
    };
    world.start();
    world.run(kNsPerS);
    EXPECT_EQ(world.registration.state(), AccountState::Waiting);
    EXPECT_NE(world.registration.last_answer().find("not among those"), std::string::npos);
}

TEST(Registration, the_backup_takes_over_and_the_primary_comes_back) {
    World world(plan(true));
    world.start();
    ASSERT_TRUE(world.run_until(AccountState::Registered, kNsPerS));
    world.run(30 * kNsPerS);
    world.cut(Proxy::Primary);
    const std::int64_t cut_ns = world.now_ns;
    ASSERT_TRUE(world.run_until(AccountState::Registered, 3 * kNsPerS));
    EXPECT_LE(world.now_ns - cut_ns, 2 * kNsPerS);
    EXPECT_EQ(world.registration.proxy(), Proxy::Backup);
    const std::uint64_t on_backup_since = world.registration.registrations();
    const FlowId backup_flow = world.registration.flow();

    // The primary is tried beside it, and stays away.
    const std::size_t before = world.opens.size();
    ASSERT_TRUE(world.run(140 * kNsPerS, [&] { return world.opens.size() > before; }));
    world.run(kNsPerS);
    EXPECT_TRUE(world.registration.is_registered());
    EXPECT_TRUE(world.flows.contains(backup_flow));

    world.primary.is_reachable = true;
    world.states.clear();
    ASSERT_TRUE(
        world.run(140 * kNsPerS, [&] { return world.registration.proxy() == Proxy::Primary; }));
    EXPECT_TRUE(world.registration.is_registered());
    EXPECT_FALSE(world.flows.contains(backup_flow));
    EXPECT_GT(world.registration.registrations(), on_backup_since);
    // Not unregistered for a moment.
    EXPECT_EQ(world.states, std::vector{AccountState::Registered});
    EXPECT_EQ(world.flows.size(), 1U);
}

TEST(Registration, a_503_of_the_primary_moves_to_the_backup_at_once) {
    World world(plan(true));
    world.primary.answer = [](seconds) {
        return RegisterAnswer{.status = 503, .retry_after = seconds(600)};
    };
    world.start();
    ASSERT_TRUE(world.run_until(AccountState::Registered, kNsPerS));
    EXPECT_EQ(world.registration.proxy(), Proxy::Backup);
    // Retry-After is longer than switch_back, and holds.
    const std::size_t before = world.opens.size();
    world.run(590 * kNsPerS);
    EXPECT_EQ(world.opens.size(), before);
    world.primary.answer = Registrar{}.answer;
    EXPECT_TRUE(
        world.run(60 * kNsPerS, [&] { return world.registration.proxy() == Proxy::Primary; }));
}

TEST(Registration, both_proxies_gone_are_tried_in_turn) {
    World world(plan(true));
    world.primary.is_reachable = world.backup.is_reachable = false;
    world.start();
    world.run(60 * kNsPerS);
    for (std::size_t i = 1; i < world.opens.size(); ++i)
        EXPECT_LE(world.opens[i] - world.opens[i - 1], 2 * kNsPerS);
    world.backup.is_reachable = true;
    EXPECT_TRUE(world.run_until(AccountState::Registered, 7 * kNsPerS));
    EXPECT_EQ(world.registration.proxy(), Proxy::Backup);
}

TEST(Registration, a_backup_lost_while_the_primary_is_tried) {
    World world(plan(true));
    world.primary.is_reachable = false;
    world.start();
    ASSERT_TRUE(world.run_until(AccountState::Registered, 10 * kNsPerS));
    world.primary.is_reachable = true;
    world.primary.connect_ns = 300 * kNsPerMs;
    const std::size_t before = world.opens.size();
    ASSERT_TRUE(world.run(140 * kNsPerS, [&] { return world.opens.size() > before; }));
    world.cut(Proxy::Backup);
    ASSERT_TRUE(world.run_until(AccountState::Registered, 3 * kNsPerS));
    EXPECT_EQ(world.registration.proxy(), Proxy::Primary);
    EXPECT_EQ(world.flows.size(), 1U);
    world.run(1'000 * kNsPerS);
    EXPECT_TRUE(world.registration.is_registered());
}

TEST(Registration, stop_removes_the_contact_and_keeps_the_flow) {
    World world(plan());
    world.start();
    ASSERT_TRUE(world.run_until(AccountState::Registered, kNsPerS));
    world.registration.stop(world.now_ns, seconds(2));
    ASSERT_TRUE(world.run_until(AccountState::Unregistered, kNsPerS));
    EXPECT_EQ(world.sent.back().expires, seconds(0));
    EXPECT_EQ(world.flows.size(), 1U);
    EXPECT_FALSE(world.registration.next_ns());
    world.cut(Proxy::Primary);
    world.run(600 * kNsPerS);
    EXPECT_EQ(world.registration.state(), AccountState::Unregistered);
    EXPECT_EQ(world.opens.size(), 1U);
}

TEST(Registration, stop_ends_in_time_when_nobody_answers_and_at_once_when_nothing_is_registered) {
    World world(plan());
    world.start();
    ASSERT_TRUE(world.run_until(AccountState::Registered, kNsPerS));
    world.primary.is_black_hole = true;
    const std::int64_t stop_ns = world.now_ns;
    world.registration.stop(world.now_ns, seconds(2));
    ASSERT_TRUE(world.run_until(AccountState::Unregistered, 10 * kNsPerS));
    EXPECT_LE(world.now_ns - stop_ns, 2 * kNsPerS);

    World never(plan());
    never.primary.is_reachable = false;
    never.start();
    never.run(10 * kNsPerS);
    never.registration.stop(never.now_ns, seconds(2));
    EXPECT_EQ(never.registration.state(), AccountState::Unregistered);
    EXPECT_TRUE(never.sent.empty());
}

TEST(Registration, a_registration_that_never_holds_is_no_storm) {
    World world(plan());
    world.start();
    for (int i = 0; i < 300 && world.run_until(AccountState::Registered, 60 * kNsPerS); ++i) {
        world.run(200 * kNsPerMs);
        world.close(world.registration.flow(), "closed by the peer");
    }
    const std::int64_t took_ns = world.now_ns - world.opens.front();
    EXPECT_GT(took_ns, 300 * kNsPerS) << "about two seconds each";
}

TEST(Registration, late_events_of_flows_that_are_gone_change_nothing) {
    World world(plan());
    world.start();
    ASSERT_TRUE(world.run_until(AccountState::Registered, kNsPerS));
    const FlowId old = world.registration.flow();
    world.cut(Proxy::Primary);
    world.primary.is_reachable = true;
    ASSERT_TRUE(world.run_until(AccountState::Registered, 3 * kNsPerS));
    world.registration.on_flow_closed(world.now_ns, old, "late");
    world.registration.on_answer(world.now_ns, old, status(403));
    world.registration.on_flow_open(world.now_ns, old);
    EXPECT_TRUE(world.registration.is_registered());
    EXPECT_EQ(world.registration.flow_losses(), 1U);
}

/// Many accounts on one clock, and how many REGISTERs each 100 ms had.
class Crowd {
public:
    static constexpr std::int64_t kBinNs = 100 * kNsPerMs;

    explicit Crowd(int size) {
        for (int i = 0; i < size; ++i) {
            worlds.push_back(
                std::make_unique<World>(plan(), pacer, static_cast<std::uint64_t>(i) * 7919 + 17));
            worlds.back()->start();
        }
    }
    /// In the order of time, so that the shared pacer sees what it would see.
    void run(std::int64_t length_ns) {
        const std::int64_t end_ns = now_ns() + length_ns;
        std::set<std::pair<std::int64_t, World*>> due;
        const auto add = [&](World* world) {
            if (const auto next = world->next_ns(); next && *next <= end_ns)
                due.emplace(*next, world);
        };
        for (auto& world : worlds) add(world.get());
        while (!due.empty()) {
            const auto [at_ns, world] = *due.begin();
            due.erase(due.begin());
            world->step(at_ns);
            add(world);
        }
        for (auto& world : worlds) world->now_ns = end_ns;
    }
    [[nodiscard]] std::map<std::int64_t, int> bins(std::int64_t from_ns, std::int64_t to_ns) const {
        std::map<std::int64_t, int> count;
        for (const auto& world : worlds) {
            for (const World::Sent& sent : world->sent) {
                if (sent.at_ns >= from_ns && sent.at_ns < to_ns) ++count[sent.at_ns / kBinNs];
            }
        }
        return count;
    }
    static int largest(const std::map<std::int64_t, int>& bins) {
        int most = 0;
        for (const auto& [bin, count] : bins) most = std::max(most, count);
        return most;
    }
    [[nodiscard]] long registered() const {
        return std::count_if(worlds.begin(), worlds.end(), [](const auto& world) {
            return world->registration.is_registered();
        });
    }
    [[nodiscard]] std::int64_t now_ns() const { return worlds.front()->now_ns; }

    RegisterPacer pacer;
    std::vector<std::unique_ptr<World>> worlds;
};

TEST(RegistrationSpread, a_thousand_accounts_start_refresh_and_come_back_without_bursts) {
    constexpr int kAccounts = 1'000;
    // What the pacer lets through in 100 ms, and one for the edge.
    const int limit = static_cast<int>(Crowd::kBinNs / RegisterPacer::kSpacingNs) + 1;
    Crowd crowd(kAccounts);
    const std::int64_t start_ns = crowd.now_ns();
    crowd.run(4 * kNsPerS);
    EXPECT_EQ(crowd.registered(), kAccounts);
    EXPECT_LE(Crowd::largest(crowd.bins(start_ns, crowd.now_ns())), limit);

    // Four rounds of refreshes: 1,000 in a window of 105 s are 1 in 100 ms on average.
    const std::int64_t refresh_ns = crowd.now_ns();
    crowd.run(900 * kNsPerS);
    const auto bins = crowd.bins(refresh_ns, crowd.now_ns());
    int total = 0;
    for (const auto& [bin, count] : bins) total += count;
    EXPECT_GE(total, 39 * kAccounts / 10);
    EXPECT_LE(Crowd::largest(bins), 10);
    EXPECT_EQ(crowd.registered(), kAccounts);

    // The registrar dies for 30 s, and all come back.
    for (auto& world : crowd.worlds) world->cut(Proxy::Primary);
    crowd.run(30 * kNsPerS);
    EXPECT_EQ(crowd.registered(), 0);
    for (auto& world : crowd.worlds) world->primary.is_reachable = true;
    const std::int64_t back_ns = crowd.now_ns();
    crowd.run(6 * kNsPerS);
    EXPECT_EQ(crowd.registered(), kAccounts);
    EXPECT_LE(Crowd::largest(crowd.bins(back_ns, crowd.now_ns())), 2 * limit);
}

}  // namespace
}  // namespace offhook::signalling::sip
