#include "signalling/sip/transactions.h"

#include <algorithm>
#include <mutex>
#include <stdexcept>

#include "base/log.h"
#include "base/monotonic.h"
#include "signalling/sip/message.h"

namespace offhook::signalling::sip {
namespace {

constexpr std::chrono::milliseconds kTick{50};

osip_t* make_osip() {
    // osip_init fills global parser tables once, without a lock.
    static std::mutex mutex;
    const std::scoped_lock lock(mutex);
    osip_t* osip = nullptr;
    if (osip_init(&osip) != 0) throw std::bad_alloc();
    return osip;
}

int ms(std::chrono::milliseconds duration) {
    return static_cast<int>(duration.count());
}

std::string client_key(const osip_message_t& message) {
    const auto* via = static_cast<const osip_via_t*>(osip_list_get(&message.vias, 0));
    if (via == nullptr || message.cseq == nullptr || message.cseq->method == nullptr) return {};
    osip_generic_param_t* branch = nullptr;
    osip_generic_param_get_byname(
        const_cast<osip_list_t*>(&via->via_params), const_cast<char*>("branch"), &branch);
    if (branch == nullptr || branch->gvalue == nullptr) return {};
    return bounded(branch->gvalue) + '\n' + bounded(message.cseq->method);
}

}  // namespace

struct Transactions::Machine {
    Transactions& owner;
    osip_transaction_t* transaction = nullptr;
    std::string key;
    std::string merge_key;
    Path path;
    OnReply on_reply;  ///< client only
    std::string wire;  ///< what was sent last, so that a repetition costs no formatting
    const osip_message_t* wire_of = nullptr;
    bool is_sent = false;
    bool is_killed = false;
    bool is_cancelled = false;  ///< client: CANCEL was sent
    Reply reply;                ///< client: the newest that is not reported
    bool is_over = false;       ///< client: the final one is reported

    explicit Machine(Transactions& transactions) : owner(transactions) {}
    ~Machine() { osip_transaction_free(transaction); }
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    [[nodiscard]] bool is_reliable() const { return sip::is_reliable(path.flow->transport()); }
    [[nodiscard]] bool is_client() const {
        return transaction->ctx_type == NICT || transaction->ctx_type == ICT;
    }
};

Transactions::Transactions(
    GMainContext* context, SipTimers timers, Limits limits, Send send, std::function<void()> ticked)
    : context_(context),
      timers_(timers),
      limits_(limits),
      send_(std::move(send)),
      ticked_(std::move(ticked)),
      osip_(make_osip()) {
    osip_set_application_context(osip_, this);
    osip_set_cb_send_message(osip_, &on_send);
    for (const int type : {OSIP_IST_KILL_TRANSACTION,
                           OSIP_NIST_KILL_TRANSACTION,
                           OSIP_NICT_KILL_TRANSACTION,
                           OSIP_ICT_KILL_TRANSACTION}) {
        osip_set_kill_transaction_callback(osip_, type, &on_kill);
    }
    for (const int type : {OSIP_NICT_STATUS_1XX_RECEIVED, OSIP_ICT_STATUS_1XX_RECEIVED}) {
        osip_set_message_callback(osip_, type, &on_provisional);
    }
    for (const int type : {OSIP_NICT_STATUS_2XX_RECEIVED,
                           OSIP_NICT_STATUS_3XX_RECEIVED,
                           OSIP_NICT_STATUS_4XX_RECEIVED,
                           OSIP_NICT_STATUS_5XX_RECEIVED,
                           OSIP_NICT_STATUS_6XX_RECEIVED,
                           OSIP_ICT_STATUS_2XX_RECEIVED,
                           OSIP_ICT_STATUS_3XX_RECEIVED,
                           OSIP_ICT_STATUS_4XX_RECEIVED,
                           OSIP_ICT_STATUS_5XX_RECEIVED,
                           OSIP_ICT_STATUS_6XX_RECEIVED}) {
        osip_set_message_callback(osip_, type, &on_final);
    }
    for (const int type : {OSIP_NICT_STATUS_TIMEOUT, OSIP_ICT_STATUS_TIMEOUT}) {
        osip_set_message_callback(osip_, type, &on_timeout);
    }
}

Transactions::~Transactions() {
    servers_.clear();
    clients_.clear();
    osip_release(osip_);
}

Transactions::Machine& Transactions::machine_of(osip_transaction_t* transaction) {
    return *static_cast<Machine*>(osip_transaction_get_your_instance(transaction));
}

int Transactions::on_send(
    osip_transaction_t* transaction, osip_message_t* message, char*, int, int) {
    Machine& machine = machine_of(transaction);
    Transactions& self = machine.owner;
    try {  // libosip2 is C: nothing may be thrown through it
        // An INVITE client sends its request and later its ACK.
        if (machine.wire.empty() || machine.wire_of != message) {
            machine.wire = serialise(*message);
            machine.wire_of = message;
        } else {
            ++self.retransmissions_;
        }
        machine.is_sent = !machine.wire.empty() && self.send_(machine.path, machine.wire);
    } catch (const std::exception& e) {
        machine.is_sent = false;
        log::write(log::Level::Error, log::Mark::Error, "system.exception", {}, e.what());
    }
    return machine.is_sent ? 0 : -1;
}

void Transactions::on_kill(int /*type*/, osip_transaction_t* transaction) {
    machine_of(transaction).is_killed = true;
}

void Transactions::on_final(int /*type*/,
                            osip_transaction_t* transaction,
                            osip_message_t* message) {
    machine_of(transaction).reply = {message->status_code, message};
}

void Transactions::on_provisional(int /*type*/,
                                  osip_transaction_t* transaction,
                                  osip_message_t* message) {
    machine_of(transaction).reply = {message->status_code, message};
}

void Transactions::on_timeout(int /*type*/,
                              osip_transaction_t* transaction,
                              osip_message_t* /*message*/) {
    machine_of(transaction).reply = {408, nullptr};
}

std::unique_ptr<Transactions::Machine> Transactions::make(osip_fsm_type_t type,
                                                          osip_message_t& request,
                                                          const Path& path) {
    auto machine = std::make_unique<Machine>(*this);
    if (osip_transaction_init(&machine->transaction, type, osip_, &request) != 0) {
        machine->transaction = nullptr;
        return nullptr;
    }
    machine->path = path;
    osip_transaction_set_your_instance(machine->transaction, machine.get());
    // libosip2 guesses reliability from the Via's text; the flow knows.
    const bool reliable = machine->is_reliable();
    if (osip_ist_t* ist = machine->transaction->ist_context) {
        ist->timer_g_length = reliable ? -1 : ms(timers_.t1);
        ist->timer_h_length = 64 * ms(timers_.t1);
        ist->timer_i_length = reliable ? 0 : ms(timers_.t4);
    }
    const auto begin = [](timeval& timer, int length_ms) {
        osip_gettimeofday(&timer, nullptr);
        const auto us = timer.tv_usec + std::int64_t{1000} * length_ms;
        timer.tv_sec += us / 1'000'000;
        timer.tv_usec = us % 1'000'000;
    };
    if (osip_ict_t* ict = machine->transaction->ict_context) {
        ict->timer_a_length = reliable ? -1 : ms(timers_.t1);
        ict->timer_a_start.tv_sec = -1;
        if (!reliable) begin(ict->timer_a_start, ict->timer_a_length);
        ict->timer_b_length = 64 * ms(timers_.t1);
        begin(ict->timer_b_start, ict->timer_b_length);
        ict->timer_d_length = 0;  // its repetition is `Retired::Kind::AckSent`
    }
    if (osip_nict_t* nict = machine->transaction->nict_context) {
        nict->timer_e_length = reliable ? -1 : ms(timers_.t1);
        nict->timer_f_length = 64 * ms(timers_.t1);
        nict->timer_k_length =
            0;  // a late response finds no transaction and is dropped all the same
        begin(nict->timer_f_start, nict->timer_f_length);
    }
    return machine;
}

void Transactions::execute(Machine& machine, osip_event_t* event) {
    // Nested execution would be overwritten by the outer one's state change: calls were lost that
    // way.
    if (is_executing_) throw std::logic_error("nested execution of a SIP transaction");
    is_executing_ = true;
    osip_transaction_execute(machine.transaction, event);
    is_executing_ = false;
}

void Transactions::settle(Machine& machine) {
    if (machine.is_client()) return settle_client(machine);
    const osip_transaction_t& transaction = *machine.transaction;
    const bool invite = transaction.ctx_type == IST;
    if (machine.is_killed) {
        const osip_message_t* answer = transaction.last_response;
        if (invite && answer != nullptr && answer->status_code >= 200 && answer->status_code < 300)
            return retire(machine, Retired::Kind::Accepted, 64 * timers_.t1);
        return erase(machine);
    }
    if (transaction.state != NIST_COMPLETED && transaction.state != IST_CONFIRMED) return;
    if (machine.is_reliable()) return erase(machine);
    if (invite) {
        retire(machine, Retired::Kind::Acknowledged, timers_.t4);
    } else {
        retire(machine, Retired::Kind::Answered, 64 * timers_.t1);
    }
}

void Transactions::settle_client(Machine& machine) {
    const Reply reply = std::exchange(machine.reply, Reply{});
    if (reply.status != 0 && !reply.is_final()) {
        // The callback may abandon this very request.
        const OnReply on_reply = machine.on_reply;
        if (on_reply) on_reply(reply);
        return;
    }
    if (reply.status == 0 && !machine.is_killed) return;
    // `reply.message` is the machine's own: it lives until the end of this function.
    const auto found = clients_.find(machine.key);
    if (found == clients_.end()) return;
    const std::unique_ptr<Machine> owned = std::move(found->second);
    clients_.erase(found);
    const bool acknowledged =
        owned->transaction->ctx_type == ICT && reply.message != nullptr && !reply.is_success();
    if (acknowledged && !owned->is_reliable()) {
        keep(owned->key, {Retired::Kind::AckSent, owned->path, owned->wire, {}}, 64 * timers_.t1);
    }
    if (!owned->on_reply) return;
    if (reply.status == 0) return owned->on_reply({503, nullptr});
    // A challenge that crossed our CANCEL is not answered: it would ring the far end after all.
    const bool is_challenge = reply.status == 401 || reply.status == 407;
    owned->on_reply(owned->is_cancelled && is_challenge ? Reply{reply.status, nullptr} : reply);
}

void Transactions::keep(const std::string& key, Retired entry, std::chrono::milliseconds stay) {
    while (retired_.size() >= limits_.max_retired && !expiries_.empty()) forget_oldest();
    expiries_.push_back({key, base::monotonic_ns() + stay.count() * base::kNsPerMs});
    retired_.insert_or_assign(key, std::move(entry));
}

void Transactions::retire(Machine& machine, Retired::Kind kind, std::chrono::milliseconds stay) {
    Retired entry{kind, machine.path, {}, {}};
    if (kind == Retired::Kind::Answered) entry.message = std::move(machine.wire);
    // The merge key is handed over, so that `erase` does not release it.
    if (kind == Retired::Kind::Accepted) entry.merge_key = std::move(machine.merge_key);
    keep(machine.key, std::move(entry), stay);
    erase(machine);
}

void Transactions::erase(Machine& machine) {
    forget_merge(machine.merge_key);
    servers_.erase(std::string(machine.key));
}

void Transactions::forget_merge(const std::string& merge_key) {
    const auto merge = merges_.find(merge_key);
    if (merge != merges_.end() && --merge->second == 0) merges_.erase(merge);
}

void Transactions::forget_oldest() {
    const auto found = retired_.find(expiries_.front().key);
    if (found != retired_.end()) {
        forget_merge(found->second.merge_key);
        retired_.erase(found);
    }
    expiries_.pop_front();
}

Transactions::Match Transactions::match_request(const std::string& key, osip_event_t* event) {
    if (const auto live = servers_.find(key); live != servers_.end()) {
        Machine& machine = *live->second;
        execute(machine, event);
        settle(machine);
        return Match::Handled;
    }
    const auto old = retired_.find(key);
    if (old == retired_.end()) return Match::None;
    const bool is_ack = event->type == RCV_REQACK;
    if (old->second.kind == Retired::Kind::Accepted) {
        // Some peers acknowledge a 2xx under the branch of the INVITE: that is the dialog's.
        return is_ack ? Match::None : Match::Accepted;
    }
    osip_event_free(event);
    if (!is_ack && !old->second.message.empty()) {
        ++retransmissions_;
        (void)send_(old->second.path, old->second.message);
    }
    return Match::Handled;
}

Transactions::Match Transactions::match_response(osip_event_t* event, const Flow& came_on) {
    const std::string key = client_key(*event->sip);
    const auto found = clients_.find(key);
    if (found == clients_.end()) {
        const auto old = retired_.find(key);
        if (old == retired_.end() || old->second.kind != Retired::Kind::AckSent ||
            event->sip->status_code < 300) {
            return Match::None;
        }
        osip_event_free(event);
        ++retransmissions_;
        (void)send_(old->second.path, old->second.message);
        return Match::Handled;
    }
    Machine& machine = *found->second;
    if (machine.path.flow->account() != came_on.account()) return Match::None;
    execute(machine, event);
    settle(machine);
    return Match::Handled;
}

const osip_message_t* Transactions::begin(const std::string& key,
                                          const std::string& merge_key,
                                          osip_event_t* event,
                                          const Path& path) {
    const osip_fsm_type_t type = event->type == RCV_REQINVITE ? IST : NIST;
    auto machine = servers_.size() < limits_.max_live ? make(type, *event->sip, path) : nullptr;
    if (!machine) {
        osip_event_free(event);
        return nullptr;
    }
    machine->key = key;
    machine->merge_key = merge_key;
    Machine& begun = *machine;
    servers_.emplace(key, std::move(machine));
    ++merges_[merge_key];
    execute(begun, event);
    keep_ticking();
    return begun.transaction->orig_request;
}

const osip_message_t* Transactions::request_of(const std::string& key) const {
    const auto found = servers_.find(key);
    if (found == servers_.end()) return nullptr;
    const osip_transaction_t* transaction = found->second->transaction;
    const bool finished =
        transaction->last_response != nullptr && transaction->last_response->status_code >= 200;
    return finished ? nullptr : transaction->orig_request;
}

void Transactions::forget(const std::string& key) {
    if (const auto found = servers_.find(key); found != servers_.end()) erase(*found->second);
}

std::string Transactions::respond(const std::string& key, UniqueMessage response) {
    const auto found = servers_.find(key);
    if (found == servers_.end()) return {};
    Machine& machine = *found->second;
    machine.wire.clear();
    machine.is_sent = false;
    osip_message_t* raw = response.release();
    osip_event_t* event = osip_new_outgoing_sipmessage(raw);
    if (event == nullptr) {
        osip_message_free(raw);
        return {};
    }
    execute(machine, event);
    std::string sent = machine.is_sent ? machine.wire : std::string();
    settle(machine);
    return sent;
}

std::string Transactions::request(UniqueMessage message, const Path& path, OnReply on_reply) {
    const bool invite = MSG_IS_INVITE(message.get());
    auto machine =
        clients_.size() < limits_.max_live ? make(invite ? ICT : NICT, *message, path) : nullptr;
    osip_event_t* event = machine ? osip_new_outgoing_sipmessage(message.get()) : nullptr;
    if (event == nullptr) {
        failed_.push_back(std::move(on_reply));
        report_failed();
        return {};
    }
    machine->key = client_key(*message);
    (void)message.release();  // the event's now
    machine->on_reply = std::move(on_reply);
    const std::string key = machine->key;
    Machine& begun = *machine;
    clients_.insert_or_assign(key, std::move(machine));
    execute(begun, event);
    if (begun.is_killed) {
        // Reported later: who called this is not ready for the outcome.
        failed_.push_back(std::move(begun.on_reply));
        clients_.erase(key);
        report_failed();
        return {};
    }
    keep_ticking();
    return key;
}

void Transactions::report_failed() {
    reporter_.once(context_, std::chrono::milliseconds(0), [this] {
        for (const OnReply& on_reply : std::exchange(failed_, {})) {
            if (on_reply) on_reply({503, nullptr});
        }
    });
}

bool Transactions::cancel(const std::string& key, const std::string& reason_header) {
    const auto found = clients_.find(key);
    if (found == clients_.end()) return false;
    Machine& machine = *found->second;
    if (machine.transaction->ctx_type != ICT || machine.transaction->orig_request == nullptr)
        return false;
    machine.is_cancelled = true;
    const Path path = machine.path;
    (void)request(make_cancel(*machine.transaction->orig_request, reason_header), path, {});
    return true;
}

void Transactions::abandon(const std::string& key) {
    clients_.erase(key);
}

void Transactions::run_due(std::unordered_map<std::string, std::unique_ptr<Machine>>& machines) {
    std::vector<std::string> due;
    for (const auto& [key, machine] : machines) {
        if (osip_fifo_size(machine->transaction->transactionff) > 0) due.push_back(key);
    }
    for (const std::string& key : due) {
        for (auto found = machines.find(key); found != machines.end(); found = machines.find(key)) {
            Machine& machine = *found->second;
            auto* event =
                static_cast<osip_event_t*>(osip_fifo_tryget(machine.transaction->transactionff));
            if (event == nullptr) break;
            execute(machine, event);
            settle(machine);
        }
    }
}

void Transactions::tick() {
    osip_timers_ist_execute(osip_);
    osip_timers_nict_execute(osip_);
    osip_timers_ict_execute(osip_);
    run_due(servers_);
    run_due(clients_);
    const std::int64_t now_ns = base::monotonic_ns();
    while (!expiries_.empty() && expiries_.front().until_ns <= now_ns) forget_oldest();
    if (live() == 0 && retired_.empty()) ticker_.cancel();
    ticked_();
}

void Transactions::keep_ticking() {
    if (ticker_.is_armed()) return;
    const auto fine = std::clamp(timers_.t1 / 4, std::chrono::milliseconds(2), kTick);
    ticker_.every(context_, fine, [this] { tick(); });
}

}  // namespace offhook::signalling::sip
