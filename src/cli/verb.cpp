#include "cli/verb.h"

namespace offhook::cli {

std::vector<Verb> api_verbs() {
    return {calls_verb(),
            diagnose_verb(),
            tail_verb(),
            dump_verb(),
            hangup_verb(),
            cdr_verb(),
            channels_verb(),
            connections_verb(),
            accounts_verb(),
            log_level_verb(),
            drain_verb()};
}

}  // namespace offhook::cli
