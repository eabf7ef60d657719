#include "connection/redis_leases.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <deque>
#include <random>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/escape.h"
#include "base/log.h"
#include "base/monotonic.h"
#include "base/timestamp.h"
#include "connection/redis_scripts.h"

namespace offhook::connection {
namespace {

using base::ErrorCode;
using std::chrono::milliseconds;

/// Who waits looks this often, whether or not a message came.
constexpr milliseconds kLongestLook{500};
/// Behind the end of a lease of another: its key is gone then.
constexpr std::int64_t kExpiryMarginNs = 2 * base::kNsPerMs;
/// Why one in this daemon gives way, where there is no number of Redis for the wish.
constexpr std::uint64_t kWishOfOurs = 1;

/// The parts of a key are apart from each other, and from what ends a word of a message.
std::string escaped(const std::string& part) {
    static constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@+";
    static constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    for (const char c : part) {
        if (kPlain.find(c) != std::string_view::npos) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += kHex[byte >> 4U];
        out += kHex[byte & 15U];
    }
    return out;
}

std::string new_id() {
    std::random_device random;
    std::array<char, 17> text{};
    std::snprintf(text.data(), text.size(), "%08x%08x", random(), random());
    return text.data();
}

std::uint64_t number(std::string_view digits) {
    std::uint64_t value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value);
    return error == std::errc{} && stop == end ? value : 0;
}

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    while (!text.empty() && words.size() < 5) {
        const std::size_t end = std::min(text.find(' '), text.size());
        words.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

std::int64_t in_ns(milliseconds time) {
    return time.count() * base::kNsPerMs;
}

}  // namespace

/// A place is in `held_` from its grant on until it is released or lost; who waits for one is in
/// `wishes_`. Both may be, of the same place. Commands of one connection are answered in order, and
/// every answer is compared with what is wanted by then.
class RedisLeases::Impl {
public:
    Impl(Settings settings, GMainContext* context)
        : settings_(std::move(settings)),
          context_(context),
          id_(new_id()),
          where_(base::escape_untrusted(settings_.link.url.where(), 200)),
          orders_(link_settings(),
                  context,
                  {.on_ready = [this] { probe(); },
                   .on_away = [this](const base::Error& why) { on_away(why); }}),
          news_(link_settings(),
                context,
                {.on_ready = [this] { subscribe(); },
                 .on_away = [](const base::Error&) {},
                 .on_message = [this](std::string_view text) { on_message(text); }}) {
        orders_.start();
        news_.start();
        const milliseconds period =
            std::clamp(settings_.lease / 40, milliseconds(5), milliseconds(100));
        tick_ns_ = in_ns(period);
        clock_.every(context_, period, [this] { tick(); });
    }

    void set_events(Events events) { events_ = std::move(events); }

    void acquire(const Place& place, Done done) {
        const std::string key = key_of(place);
        const auto [found, is_new] = wishes_.try_emplace(key);
        Wish& wish = found->second;
        if (!is_new) {
            later([earlier = std::move(wish.done)] {
                earlier(base::fail(ErrorCode::Conflict, "the same user came again meanwhile"));
            });
        }
        wish = Wish{.place = place, .done = std::move(done), .serial = ++serial_};
        if (is_there_ && ask(key)) return;
        if (!is_decided_) return;  // `on_away` or `probe` decides
        later([this, key, serial = wish.serial] { decide_alone(key, serial); });
    }

    void release(const Place& place, std::uint64_t fence) {
        const std::string key = key_of(place);
        const auto held = held_.find(key);
        if (held == held_.end() || held->second.fence != fence) return;
        held_.erase(held);
        if (is_there_) give_back(key, fence);
        const auto wish = wishes_.find(key);
        if (wish == wishes_.end()) return;
        if (is_there_) {
            claim(key);
        } else if (is_decided_) {
            later([this, key, serial = wish->second.serial] { decide_alone(key, serial); });
        }
    }

    [[nodiscard]] model::HealthCheck health() const {
        using Status = model::HealthCheck::Status;
        model::HealthCheck check;
        check.figures = {{"places_held", static_cast<std::int64_t>(held_.size())},
                         {"places_waiting", static_cast<std::int64_t>(wishes_.size())},
                         {"redis_connections", static_cast<std::int64_t>(orders_.connections())}};
        if (!is_decided_) {
            check.status = Status::Degraded;
            check.detail = "redis at " + where_ + " is being connected to";
            return check;
        }
        if (!is_there_) {
            check.status = Status::Degraded;
            check.detail = "redis at " + where_ + " is away since " +
                           base::rfc3339_utc_ms(away_since_ns_) + " (" + away_why_ + "): " +
                           (settings_.when_away == WhenAway::Admit
                                ? "places are known to this daemon alone"
                                : "nobody gets a place, and leases run out");
            return check;
        }
        check.status = Status::Ok;
        const double ms = std::max(orders_.answer_ms(), 0.0);
        check.figures.emplace_back("redis_answer_ms", ms);
        std::array<char, 32> shown{};
        std::snprintf(shown.data(), shown.size(), "%.1f", ms);
        check.detail = "redis at " + where_ + " answers in " + shown.data() + " ms";
        return check;
    }

private:
    struct Held {
        Place place;
        std::uint64_t fence = 0;
        std::int64_t until_ns = 0;    ///< end of the lease as far as we know
        std::int64_t renew_ns = 0;    ///< when to ask for more of it
        std::uint64_t wished_by = 0;  ///< the newest wish of which the holder was told
    };
    struct Wish {
        Place place;
        Done done;
        std::uint64_t serial = 0;
        std::uint64_t number = 0;  ///< in Redis; 0: not known yet
        std::int64_t look_ns = 0;  ///< when to claim again
        std::uint64_t wanted = 0;  ///< a grant on its way to us that somebody already wants
        bool is_claiming = false;
        bool must_claim_again = false;
    };

    [[nodiscard]] RedisLink::Settings link_settings() const {
        RedisLink::Settings link = settings_.link;
        // An unanswered renewal has to be known long before the lease ends.
        link.answer_timeout = std::min(link.answer_timeout, settings_.lease / 3);
        return link;
    }
    [[nodiscard]] std::string key_of(const Place& place) const {
        return settings_.prefix + "place:" + escaped(place.channel) + ":" + escaped(place.user);
    }
    [[nodiscard]] std::string channel() const { return settings_.prefix + "daemon:"; }
    [[nodiscard]] static std::string text(std::uint64_t value) { return std::to_string(value); }

    /// Runs something from the loop.
    void later(std::function<void()> task) {
        tasks_.push_back(std::move(task));
        if (tasks_timer_.is_armed()) return;
        tasks_timer_.once(context_, milliseconds(0), [this] {
            std::deque<std::function<void()>> due;
            due.swap(tasks_);
            for (const auto& each : due) each();
        });
    }

    /// The text each time, not its hash: Redis may forget hashes, and what would have to be said
    /// again comes in another order than it was meant. It keeps the compiled script either way.
    bool run(const std::string& script,
             const std::string& key,
             const std::vector<std::string>& more,
             RedisLink::Answer answer) {
        const std::size_t at = settings_.prefix.size();
        std::vector<std::string> words{"EVAL",
                                       script,
                                       "3",
                                       key,
                                       settings_.prefix + "wish" + key.substr(key.find(':', at)),
                                       settings_.prefix + "fence",
                                       id_,
                                       channel(),
                                       std::to_string(settings_.lease.count()),
                                       text(newest_)};
        words.insert(words.end(), more.begin(), more.end());
        return orders_.send(words, [this, answer = std::move(answer)](const RedisReply& reply) {
            if (reply.is_error()) {
                return orders_.give_up({ErrorCode::Unavailable,
                                        "it refuses our scripts",
                                        base::escape_untrusted(reply.text, 160)});
            }
            answer(reply);
        });
    }

    void learn(std::uint64_t fence) { newest_ = std::max(newest_, fence); }

    // Redis comes and goes.

    /// Whether Redis takes what is written: a replica, or one with a full disk, does not.
    void probe() {
        run(RedisScripts::kProbe, settings_.prefix + "place:", {}, [this](const RedisReply& reply) {
            const auto fence = reply.number_at(0);
            if (!fence) {
                return orders_.give_up(
                    {ErrorCode::Malformed, "it answers our scripts with something else", {}});
            }
            learn(*fence);
            on_there();
        });
    }

    void on_there() {
        if (is_decided_ && !is_there_) {
            log::write(log::Level::Info,
                       log::Mark::Ok,
                       "redis.back",
                       {},
                       "redis is back: places are compared with those of other daemons",
                       {{"redis", where_}, {"places", held_.size()}});
        } else if (!is_decided_) {
            log::write(log::Level::Info,
                       log::Mark::Ok,
                       "redis.connected",
                       {},
                       "places are shared over redis",
                       {{"redis", where_}});
        }
        is_there_ = is_decided_ = true;
        // First what is held, then who wants something: the same order as it came about.
        for (auto& [key, held] : held_) keep(key, held);
        std::vector<std::string> keys;
        for (const auto& [key, wish] : wishes_) keys.push_back(key);
        for (const std::string& key : keys) ask(key);
    }

    void on_away(const base::Error& why) {
        if (is_there_ || !is_decided_) {
            away_since_ns_ = base::realtime_ns();
            log::write(log::Level::Warning,
                       log::Mark::Warning,
                       "redis.away",
                       {},
                       settings_.when_away == WhenAway::Admit
                           ? "redis is away: places are known to this daemon alone"
                           : "redis is away: nobody gets a place, and leases run out",
                       {{"redis", where_}, {"why", why.text()}});
        }
        away_why_ = why.message;
        is_there_ = false;
        is_decided_ = true;
        std::vector<std::pair<std::string, std::uint64_t>> waiting;
        for (auto& [key, wish] : wishes_) {
            wish.number = 0;
            wish.is_claiming = wish.must_claim_again = false;
            waiting.emplace_back(key, wish.serial);
        }
        for (const auto& [key, serial] : waiting) decide_alone(key, serial);
    }

    /// By what this daemon alone knows.
    void decide_alone(const std::string& key, std::uint64_t serial) {
        const auto wish = wishes_.find(key);
        if (wish == wishes_.end() || wish->second.serial != serial) return;
        if (is_there_) {
            // Redis came back meanwhile, and was asked; or too much waits for it.
            if (wish->second.number == 0 && !wish->second.is_claiming && !ask(key))
                refuse(wish, ErrorCode::Unavailable, "redis has too much to do: try again later");
            return;
        }
        if (settings_.when_away == WhenAway::Refuse) {
            return refuse(
                wish, ErrorCode::Unavailable, "redis is away (" + away_why_ + "): try again later");
        }
        if (const auto held = held_.find(key); held != held_.end()) {
            return tell_wanted(held->second, kWishOfOurs + serial);
        }
        const auto now_us = static_cast<std::uint64_t>(base::realtime_ns() / base::kNsPerUs);
        grant(wish, std::max(newest_ + 1, now_us), 0);
    }

    // A wish, until it is granted or refused.

    using Wishes = std::unordered_map<std::string, Wish>;

    void refuse(Wishes::iterator wish, ErrorCode code, std::string why) {
        const Done done = std::move(wish->second.done);
        wishes_.erase(wish);
        done(base::fail(code, std::move(why)));
    }

    void grant(Wishes::iterator wish, std::uint64_t fence, std::int64_t until_ns) {
        learn(fence);
        const std::string key = wish->first;
        const Wish granted = std::move(wish->second);
        wishes_.erase(wish);
        // One that ran out in Redis without our seeing it.
        if (held_.contains(key)) lose(key);
        // Asked at the next tick when somebody wants it already: the answer tells who.
        const bool is_wanted = granted.wanted == fence;
        held_[key] =
            Held{.place = granted.place,
                 .fence = fence,
                 .until_ns = until_ns,
                 .renew_ns = is_wanted ? 0 : base::monotonic_ns() + in_ns(settings_.lease / 3)};
        granted.done(fence);
    }

    [[nodiscard]] std::string held_fence(const std::string& key) const {
        const auto held = held_.find(key);
        return held == held_.end() ? "0" : text(held->second.fence);
    }

    bool ask(const std::string& key) {
        Wish& wish = wishes_.at(key);
        const std::uint64_t serial = wish.serial;
        const std::int64_t sent_ns = base::monotonic_ns();
        const bool is_sent = run(RedisScripts::kAsk,
                                 key,
                                 {held_fence(key)},
                                 [this, key, serial, sent_ns](const RedisReply& reply) {
                                     on_answer(key, serial, sent_ns, reply);
                                 });
        if (is_sent) wish.is_claiming = true;
        return is_sent;
    }

    void claim(const std::string& key) {
        Wish& wish = wishes_.at(key);
        if (wish.is_claiming) {
            wish.must_claim_again = true;
            return;
        }
        const std::uint64_t serial = wish.serial;
        const std::int64_t sent_ns = base::monotonic_ns();
        wish.look_ns = sent_ns + look_period_ns();
        wish.is_claiming = run(RedisScripts::kClaim,
                               key,
                               {held_fence(key), text(wish.number)},
                               [this, key, serial, sent_ns](const RedisReply& reply) {
                                   on_answer(key, serial, sent_ns, reply);
                               });
    }

    [[nodiscard]] std::int64_t look_period_ns() const {
        return in_ns(std::min(settings_.lease / 3, kLongestLook));
    }

    void on_answer(const std::string& key,
                   std::uint64_t serial,
                   std::int64_t sent_ns,
                   const RedisReply& reply) {
        const std::string_view word = reply.text_at(0);
        const auto number = reply.number_at(1);
        if (number) learn(*number);
        const auto found = wishes_.find(key);
        if (found == wishes_.end() || found->second.serial != serial) {
            // Nobody waits for it any more. Nothing when somebody newer of ours has it by now.
            if (word == "granted" && number) give_back(key, *number);
            return;
        }
        Wish& wish = found->second;
        wish.is_claiming = false;
        if (word == "granted" && number)
            return grant(found, *number, sent_ns + in_ns(settings_.lease));
        if (word == "conflict")
            return refuse(found, ErrorCode::Conflict, "the same user came again meanwhile");
        const auto fence = reply.number_at(3);
        const auto left_ms = reply.number_at(4);
        if (word != "wait" || !number || !fence || !left_ms) {
            return orders_.give_up(
                {ErrorCode::Malformed, "it answers our scripts with something else", {}});
        }
        wish.number = *number;
        const std::int64_t left_ns =
            in_ns(milliseconds(std::min<std::uint64_t>(*left_ms, 3'600'000))) + kExpiryMarginNs;
        wish.look_ns = base::monotonic_ns() + std::min(look_period_ns(), left_ns);
        const bool must_claim_again = std::exchange(wish.must_claim_again, false);
        const auto held = held_.find(key);
        if (reply.text_at(2) == id_ && held != held_.end() && held->second.fence == *fence) {
            tell_wanted(held->second, *number);
        } else if (reply.text_at(2) == id_ || must_claim_again) {
            claim(key);  // it was released while the answer was on its way
        }
    }

    // What is held.

    void tell_wanted(Held& held, std::uint64_t wish) {
        if (wish == 0 || held.wished_by == wish) return;
        held.wished_by = wish;
        if (events_.on_wanted) {
            const Place place = held.place;
            events_.on_wanted(place, held.fence);
        }
    }

    void lose(const std::string& key) {
        const auto held = held_.find(key);
        const Held lost = std::move(held->second);
        held_.erase(held);
        if (events_.on_lost) events_.on_lost(lost.place, lost.fence);
    }

    void give_back(const std::string& key, std::uint64_t fence) {
        run(RedisScripts::kRelease, key, {text(fence)}, [](const RedisReply&) {});
    }

    void keep(const std::string& key, Held& held) {
        const std::uint64_t fence = held.fence;
        const std::int64_t sent_ns = base::monotonic_ns();
        held.renew_ns = sent_ns + in_ns(settings_.lease / 3);
        run(RedisScripts::kKeep,
            key,
            {text(fence)},
            [this, key, fence, sent_ns](const RedisReply& reply) {
                const auto found = held_.find(key);
                if (found == held_.end() || found->second.fence != fence) return;
                const auto wish = reply.number_at(1);
                if (reply.text_at(0) == "lost") return lose(key);
                if (reply.text_at(0) != "kept" || !wish) {
                    return orders_.give_up(
                        {ErrorCode::Malformed, "it answers our scripts with something else", {}});
                }
                found->second.until_ns = sent_ns + in_ns(settings_.lease);
                tell_wanted(found->second, *wish);
            });
    }

    void tick() {
        const std::int64_t now_ns = base::monotonic_ns();
        std::vector<std::string> over;
        for (auto& [key, held] : held_) {
            if (settings_.when_away == WhenAway::Refuse && now_ns + tick_ns_ >= held.until_ns) {
                over.push_back(key);
            } else if (is_there_ && now_ns >= held.renew_ns) {
                keep(key, held);
            }
        }
        for (const std::string& key : over) {
            if (held_.contains(key)) lose(key);
        }
        if (!is_there_) return;
        std::vector<std::string> due;
        for (const auto& [key, wish] : wishes_) {
            if (!wish.is_claiming && now_ns >= wish.look_ns) due.push_back(key);
        }
        for (const std::string& key : due) {
            if (wishes_.at(key).number == 0) {
                ask(key);
            } else {
                claim(key);
            }
        }
    }

    // What other daemons say. A message that never came is made up for by `tick`.

    void subscribe() {
        news_.send({"SUBSCRIBE", channel() + id_}, [this](const RedisReply& reply) {
            if (reply.is_error()) {
                return news_.give_up({ErrorCode::Unavailable,
                                      "it lets us not subscribe",
                                      base::escape_untrusted(reply.text, 160)});
            }
            // What was said before went past us.
            for (auto& [key, held] : held_) held.renew_ns = 0;
            for (auto& [key, wish] : wishes_) wish.look_ns = 0;
        });
    }

    void on_message(std::string_view message) {
        const std::vector<std::string_view> words = words_of(message);
        if (words.size() < 3 || !is_there_) return;
        const std::string key(words.back());
        const std::uint64_t fence = number(words[1]);
        const auto held = held_.find(key);
        const bool is_ours = held != held_.end() && held->second.fence == fence;
        const auto wish = wishes_.find(key);
        if (words[0] == "wanted" && words.size() == 4) {
            if (is_ours) {
                tell_wanted(held->second, number(words[2]));
            } else if (wish != wishes_.end()) {
                wish->second.wanted = fence;  // a message overtakes an answer
            } else if (is_key(key)) {
                give_back(key, fence);  // its grant never reached us
            }
        } else if (words[0] == "lost" && is_ours) {
            lose(key);
        } else if (wish == wishes_.end()) {
            return;
        } else if (wish->second.number == 0) {
            wish->second.must_claim_again = true;  // the same
        } else if (wish->second.number == fence && words[0] == "freed") {
            claim(key);
        } else if (wish->second.number == fence && words[0] == "refused") {
            refuse(wish, ErrorCode::Conflict, "the same user came again meanwhile");
        }
    }

    [[nodiscard]] bool is_key(const std::string& key) const {
        const std::string start = settings_.prefix + "place:";
        return key.starts_with(start) && key.size() <= start.size() + 4096;
    }

    const Settings settings_;
    GMainContext* context_;
    const std::string id_;  ///< of this daemon, anew with each start
    const std::string where_;
    Events events_;
    std::unordered_map<std::string, Held> held_;  ///< by key of the place
    Wishes wishes_;
    std::uint64_t serial_ = 0;
    std::uint64_t newest_ = 0;  ///< fencing number that was seen
    bool is_there_ = false;     ///< connected, and takes what is written
    bool is_decided_ = false;   ///< it was there, or found away
    std::int64_t away_since_ns_ = 0;
    std::string away_why_;
    std::int64_t tick_ns_ = 0;
    RedisLink orders_, news_;
    std::deque<std::function<void()>> tasks_;
    glib::Timer tasks_timer_, clock_;
};

RedisLeases::RedisLeases(Settings settings, GMainContext* context)
    : impl_(std::make_unique<Impl>(std::move(settings), context)) {}
RedisLeases::~RedisLeases() = default;

void RedisLeases::set_events(Events events) {
    impl_->set_events(std::move(events));
}
void RedisLeases::acquire(const Place& place, Done done) {
    impl_->acquire(place, std::move(done));
}
void RedisLeases::release(const Place& place, std::uint64_t fence) {
    impl_->release(place, fence);
}
model::HealthCheck RedisLeases::health() const {
    return impl_->health();
}

}  // namespace offhook::connection
