#include "demo/pbx_setup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <initializer_list>
#include <system_error>
#include <utility>

#include "base/monotonic.h"
#include "base/timestamp.h"
#include "config/checks.h"
#include "config/keys.h"
#include "config/load.h"

namespace offhook::demo {
namespace {

using base::ErrorCode;
using base::Result;
namespace fs = std::filesystem;

// With a blank, which no [[account]] can have.
constexpr std::string_view kAccountPrefix = "setup try ";
constexpr std::size_t kMaxPassword = 256;

/// The keys that are set, each with its value.
std::vector<std::pair<std::string, std::string>> keys_of(const PbxForm& form) {
    std::vector<std::pair<std::string, std::string>> keys{
        {"domain", form.domain}, {"user", form.user}, {"transport", form.transport}};
    for (const auto& [name, value] : {std::pair{"outbound_proxy", &form.outbound_proxy},
                                      std::pair{"auth_user", &form.auth_user},
                                      std::pair{"tls_name", &form.tls_name},
                                      std::pair{"ca_file", &form.ca_file}}) {
        if (!value->empty()) keys.emplace_back(name, *value);
    }
    return keys;
}

std::optional<FieldProblem> fill(config::Account& account, const PbxForm& form) {
    for (const auto& [name, value] : keys_of(form)) {
        for (const auto& key : config::account_keys()) {
            if (key.name != name) continue;
            if (std::string wrong = key.set(account, config::Value(value)); !wrong.empty())
                return FieldProblem{name, std::move(wrong)};
        }
    }
    return std::nullopt;
}

std::string toml_string(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

std::string toml_of(const PbxForm& form,
                    const config::Demo& settings,
                    const std::string& password_file) {
    std::string text = "# Written by Offhook's page, " + base::rfc3339_utc_ms(base::realtime_ns()) +
                       ". docs/configuration.md has every key.\n\n"
                       "# Calls come by the account; the listener is for this machine alone.\n"
                       "[sip]\nlisten = [\"udp:127.0.0.1:0\"]\n\n[[account]]\nname = \"pbx\"\n";
    for (const auto& [name, value] : keys_of(form))
        text += name + " = " + toml_string(value) + "\n";
    if (!form.password.empty()) text += "password_file = " + toml_string(password_file) + "\n";
    if (!settings.bot.empty()) {
        text +=
            "\n# The bot of the demonstration answers, until [[ai]] and [[route]] name yours.\n"
            "[demo]\nenabled = true\ncaller_calls = false\nbot = " +
            toml_string(fs::absolute(settings.bot).string()) + "\n";
    }
    return text;
}

/// A new file, or nothing.
Result<void> write_file(const fs::path& path, const std::string& text, mode_t mode) {
    unlink(path.c_str());
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0) return base::fail_errno("cannot write " + path.string(), errno);
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t n = ::write(fd, text.data() + done, text.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) break;
        done += static_cast<std::size_t>(n);
    }
    const bool is_safe = done == text.size() && fsync(fd) == 0;
    const int why = errno;
    close(fd);
    if (is_safe) return {};
    unlink(path.c_str());
    return base::fail_errno("cannot write " + path.string(), why);
}

Result<void> move(const fs::path& from, const fs::path& to) {
    if (rename(from.c_str(), to.c_str()) == 0) return {};
    return base::fail_errno("cannot put " + to.string() + " in place", errno);
}

bool has(std::string_view text, std::string_view words) {
    return text.find(words) != std::string_view::npos;
}

std::string cause_of(int status, std::string_view answer) {
    if (has(answer, "password are wrong") || status == 401 || status == 407)
        return "wrong-password";
    if (has(answer, "cannot find")) return "unknown-host";
    if (has(answer, "the certificate of"))
        return has(answer, " and not for ") ? "tls-name" : "tls-certificate";
    if (has(answer, "TLS")) return "no-tls";
    if (has(answer, "efused") && (status == 0 || status == 408)) return "connection-refused";
    if (status == 403) return "forbidden";
    if (status == 404) return "unknown-user";
    return status == 408 ? "timeout" : "refused";
}

}  // namespace

std::optional<FieldProblem> problem_of(const PbxForm& form) {
    if (form.domain.empty()) return FieldProblem{"domain", "is missing"};
    if (form.user.empty()) return FieldProblem{"user", "is missing"};
    const std::string& password = form.password.reveal();
    if (password.size() > kMaxPassword ||
        password.find_first_of("\r\n\0", 0, 3) != std::string::npos)
        return FieldProblem{"password", "has up to 256 bytes, and no line breaks"};
    if (std::string wrong = config::check::readable_file(form.ca_file); !wrong.empty())
        return FieldProblem{"ca_file", std::move(wrong)};
    config::Account account;
    return fill(account, form);
}

std::optional<PbxVerdict> verdict_of(const model::AccountInfo& account) {
    using model::AccountState;
    if (account.state == AccountState::Registered)
        return PbxVerdict{true, "registered", account.last_answer, account.last_status};
    const bool is_over =
        account.state == AccountState::Waiting || account.state == AccountState::Failed;
    if (!is_over || account.last_answer.empty()) return std::nullopt;
    return PbxVerdict{false,
                      cause_of(account.last_status, account.last_answer),
                      account.last_answer,
                      account.last_status};
}

Result<void> PbxSetup::test(const PbxForm& form, std::function<void(const PbxVerdict&)> told) {
    config::Account account;
    if (auto problem = problem_of(form))
        return base::fail(ErrorCode::InvalidArgument, problem->field + " " + problem->sentence);
    if (!account_.empty()) return base::fail(ErrorCode::Conflict, "another try is under way");
    fill(account, form);
    account.name = std::string(kAccountPrefix) + std::to_string(++tries_);
    if (auto set = parts_.set_account(account, form.password); !set) return set;
    account_ = account.name;
    told_ = std::move(told);
    limit_timer_.once(parts_.context, parts_.limit, [this] {
        finish({false,
                "timeout",
                "no answer within " + std::to_string(parts_.limit.count() / 1000) +
                    " s: check address, port and transport, and whether a firewall is between",
                0});
    });
    return {};
}

void PbxSetup::cancel() {
    limit_timer_.cancel();
    told_ = nullptr;
    if (!account_.empty()) parts_.remove_account(std::exchange(account_, {}));
}

void PbxSetup::finish(const PbxVerdict& verdict) {
    const auto told = std::exchange(told_, nullptr);
    cancel();
    if (told) told(verdict);
}

bool PbxSetup::seen(const model::AccountInfo& account) {
    if (!account.name.starts_with(kAccountPrefix)) return false;
    if (account.name != account_) return true;
    if (const auto verdict = verdict_of(account)) finish(*verdict);
    return true;
}

Result<PbxSetup::Written> PbxSetup::write(const PbxForm& form) const {
    if (auto problem = problem_of(form))
        return base::fail(ErrorCode::InvalidArgument, problem->field + " " + problem->sentence);
    if (parts_.settings.setup_directory.empty()) {
        return base::fail(ErrorCode::Conflict,
                          "demo.setup_directory is not set, so there is nowhere to write to");
    }
    std::error_code failed;
    const fs::path folder = fs::absolute(parts_.settings.setup_directory, failed);
    fs::create_directories(folder, failed);
    if (failed)
        return base::fail(ErrorCode::Io, "cannot make " + folder.string(), failed.message());
    chmod(folder.c_str(), S_IRWXU);

    const fs::path config = folder / "offhook.toml", password = folder / "pbx.password";
    const fs::path new_config = folder / "offhook.toml.new",
                   new_password = folder / "pbx.password.new";
    const std::string text = toml_of(form, parts_.settings, password.string());
    Written written{
        .config_file = config.string(),
        .password_file = form.password.empty() ? "" : password.string(),
        .command = (parts_.settings.setup_command.empty() ? "offhook serve --config"
                                                          : parts_.settings.setup_command) +
                   " " + config.string()};
    if (auto done = write_file(new_config, text, S_IRUSR | S_IWUSR); !done)
        return tl::unexpected(done.error());
    // As the daemon will read it, so that it starts.
    if (auto loaded = config::load({.file = new_config.string(), .environment = {}, .sets = {}});
        !loaded) {
        unlink(new_config.c_str());
        return tl::unexpected(loaded.error());
    }
    if (!form.password.empty()) {
        auto done = write_file(new_password, form.password.reveal(), S_IRUSR | S_IWUSR);
        if (done) done = move(new_password, password);
        if (!done) {
            unlink(new_config.c_str());
            return tl::unexpected(done.error());
        }
    }
    written.has_replaced = fs::exists(config, failed) &&
                           rename(config.c_str(), (config.string() + ".old").c_str()) == 0;
    if (auto done = move(new_config, config); !done) return tl::unexpected(done.error());
    return written;
}

}  // namespace offhook::demo
