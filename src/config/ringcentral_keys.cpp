#include "config/ringcentral_keys.h"

#include "config/checks.h"
#include "config/key_kinds.h"

namespace offhook::config {
namespace {

using namespace kind;

/// One secret and the three places it may come from.
struct Sources {
    const char* name;
    std::string RingCentral::*file;
    std::string RingCentral::*environment;
    std::string RingCentral::*credential;
    const char* what;
};
constexpr Sources kSecrets[] = {
    {"client_secret",
     &RingCentral::client_secret_file,
     &RingCentral::client_secret_env,
     &RingCentral::client_secret_credential,
     "the app's secret, from the developer console"},
    {"jwt",
     &RingCentral::jwt_file,
     &RingCentral::jwt_env,
     &RingCentral::jwt_credential,
     "a JWT of the user whose calls are taken"},
};

using Problems = std::vector<std::pair<std::string, std::string>>;

void check_secrets(const RingCentral& rc, Problems& problems) {
    for (const Sources& secret : kSecrets) {
        const std::string name = secret.name;
        int count = 0;
        for (const auto source : {secret.file, secret.environment, secret.credential}) {
            if (!(rc.*source).empty()) ++count;
        }
        if (count == 1) continue;
        const std::string places = name + "_file, " + name + "_env, " + name + "_credential";
        problems.emplace_back(
            name + "_file",
            count == 0 ? "is missing: name " + std::string(secret.what) + " in one of " + places
                       : "is not the only source: keep one of " + places);
    }
}

}  // namespace

// clang-format off: one key, one paragraph
std::vector<Key<Account>> ringcentral_keys() {
    using A = Account;
    return {
        text<A>(
            "account",
            "server",
            [](A & a) -> auto& { return a.ringcentral.server; },
            check::server_url,
            {"", "https://host or https://host:port", "kind ringcentral: base URL of their API."}),
        text<A>("account",
                "client_id",
                [](A & a) -> auto& { return a.ringcentral.client_id; },
                check::word_or_empty,
                {"",
                 "up to 256 printable characters without blanks; required for the kind",
                 "kind ringcentral: the app, from the developer console."}),
        text<A>("account",
                "client_secret_file",
                [](A & a) -> auto& { return a.ringcentral.client_secret_file; },
                check::path_or_empty,
                {"",
                 "path, or empty",
                 "kind ringcentral: file with the app's secret; only its owner and group may read "
                 "it."}),
        text<A>("account",
                "client_secret_env",
                [](A & a) -> auto& { return a.ringcentral.client_secret_env; },
                check::environment_name_or_empty,
                {"",
                 "name, or empty",
                 "kind ringcentral: environment variable with the app's secret."}),
        text<A>(
            "account",
            "client_secret_credential",
            [](A & a) -> auto& { return a.ringcentral.client_secret_credential; },
            check::name_or_empty,
            {"", "name, or empty", "kind ringcentral: systemd credential with the app's secret."}),
        text<A>("account",
                "jwt_file",
                [](A & a) -> auto& { return a.ringcentral.jwt_file; },
                check::path_or_empty,
                {"",
                 "path, or empty",
                 "kind ringcentral: file with a JWT of the user whose calls are taken."}),
        text<A>("account",
                "jwt_env",
                [](A & a) -> auto& { return a.ringcentral.jwt_env; },
                check::environment_name_or_empty,
                {"", "name, or empty", "kind ringcentral: environment variable with the JWT."}),
        text<A>("account",
                "jwt_credential",
                [](A & a) -> auto& { return a.ringcentral.jwt_credential; },
                check::name_or_empty,
                {"", "name, or empty", "kind ringcentral: systemd credential with the JWT."}),
        text<A>("account",
                "device_id",
                [](A & a) -> auto& { return a.ringcentral.device_id; },
                check::digits_or_empty,
                {"",
                 "digits; required with transport tls",
                 "kind ringcentral: the device of type Existing Phone that this phone is."}),
        text<A>("account",
                "region",
                [](A & a) -> auto& { return a.ringcentral.region; },
                check::name_or_empty,
                {"",
                 "name such as NA or EMEA, or empty: the first",
                 "kind ringcentral, transport tls: which of the device's proxies is taken first; "
                 "the next one is the backup."}),
    };
}
// clang-format on

Problems ringcentral_problems(const Account& account) {
    Problems problems;
    const RingCentral& rc = account.ringcentral;
    if (account.kind != "ringcentral") {
        const Account untouched;
        for (const Key<Account>& key : ringcentral_keys()) {
            if (key.get(account) != key.get(untouched)) {
                problems.emplace_back(key.name, "is for kind = \"ringcentral\" only");
            }
        }
        return problems;
    }
    for (const auto& [name, value] :
         {std::pair{"user", &account.user},
          std::pair{"domain", &account.domain},
          std::pair{"auth_user", &account.auth_user},
          std::pair{"realm", &account.realm},
          std::pair{"password_file", &account.password_file},
          std::pair{"password_env", &account.password_env},
          std::pair{"password_credential", &account.password_credential},
          std::pair{"outbound_proxy", &account.outbound_proxy},
          std::pair{"backup_proxy", &account.backup_proxy}}) {
        if (!value->empty()) {
            problems.emplace_back(name, "comes from RingCentral by itself: leave it out");
        }
    }
    if (account.insecure) {
        problems.emplace_back("insecure", "is not for RingCentral: its certificates are good");
    }
    if (rc.client_id.empty()) {
        problems.emplace_back("client_id", "is missing: the app's, from the developer console");
    }
    check_secrets(rc, problems);
    if (account.transport != "tls" && account.transport != "wss") {
        problems.emplace_back("transport",
                              "must be \"tls\" (an Existing Phone) or \"wss\" (a WebPhone) with "
                              "RingCentral");
    }
    if (account.transport == "tls" && rc.device_id.empty()) {
        problems.emplace_back(
            "device_id",
            "is missing: the id of a device of type Existing Phone (docs/phone.md "
            "says how to find it)");
    }
    if (account.transport == "wss" && !rc.device_id.empty()) {
        problems.emplace_back("device_id", "is for transport = \"tls\" only");
    }
    return problems;
}

}  // namespace offhook::config
