#include "app/lease_settings.h"

#include "base/secret.h"
#include "connection/memory_leases.h"
#include "connection/redis_leases.h"

namespace offhook::app {

base::Result<std::unique_ptr<connection::LeaseStore>> make_leases(const config::Redis& redis,
                                                                  GMainContext* context) {
    using connection::RedisLeases;
    if (redis.url.empty()) return std::make_unique<connection::MemoryLeases>(context);
    auto url = config::parse_redis_url(redis.url);
    if (!url) return tl::unexpected(url.error());
    RedisLeases::Settings settings{.link = {.url = std::move(*url), .ca_file = redis.ca_file},
                                   .prefix = redis.prefix,
                                   .lease = std::chrono::seconds(redis.lease_s),
                                   .when_away = redis.when_away == "refuse"
                                                    ? RedisLeases::WhenAway::Refuse
                                                    : RedisLeases::WhenAway::Admit};
    const base::SecretSource source{.file = redis.password_file,
                                    .environment = redis.password_env,
                                    .credential = redis.password_credential};
    if (!source.file.empty() || !source.environment.empty() || !source.credential.empty()) {
        auto password = base::load_secret(source, "the password of [redis]");
        if (!password) {
            // Wherever it is: the configuration has to change, or what it names.
            password.error().code = base::ErrorCode::InvalidArgument;
            return tl::unexpected(password.error());
        }
        settings.link.password = std::move(*password);
    }
    return std::make_unique<RedisLeases>(std::move(settings), context);
}

}  // namespace offhook::app
