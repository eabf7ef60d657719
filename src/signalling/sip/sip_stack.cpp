#include "signalling/sip/sip_stack.h"

#include <pthread.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "signalling/sip/command_queue.h"
#include "signalling/sip/user_agent.h"

namespace offhook::signalling::sip {
namespace {

/// libosip2 otherwise prints two or three lines to standard output for every bad message.
[[gnu::format(printf, 4, 0)]] void on_osip_trace(const char* /*file*/,
                                                 int /*line*/,
                                                 osip_trace_level_t /*level*/,
                                                 const char* format,
                                                 va_list args) {
    if (!log::enabled(log::Level::Debug)) return;
    std::array<char, 512> text{};
    std::vsnprintf(text.data(), text.size(), format, args);
    std::string_view line(text.data());
    while (!line.empty() && line.back() == '\n') line.remove_suffix(1);
    log::write(log::Level::Debug, log::Mark::None, "sip.trace", {}, line);
}

void redirect_trace() {
    static std::once_flag once;
    std::call_once(once, [] { osip_trace_initialize_func(OSIP_WARNING, &on_osip_trace); });
}

}  // namespace

class SipStack::Impl {
public:
    Impl(SipSettings settings, base::Executor& control, model::SignallingEvents& events)
        : context(glib::Ref<GMainContext>::adopt(g_main_context_new())),
          loop(glib::Ref<GMainLoop>::adopt(g_main_loop_new(context.get(), FALSE))),
          commands(context.get()),
          agent(std::make_unique<UserAgent>(
              context.get(), std::move(settings), control, events, counters)) {}

    void run() {
        pthread_setname_np(pthread_self(), "oh-sip");
        g_main_context_push_thread_default(context.get());
        g_main_loop_run(loop.get());
        g_main_context_pop_thread_default(context.get());
    }

    glib::Ref<GMainContext> context;
    glib::Ref<GMainLoop> loop;
    SipCounters counters;
    CommandQueue commands;
    std::unique_ptr<UserAgent> agent;  ///< touched on the sip thread only, while that runs
    std::vector<std::string> listeners;
    std::thread thread;
};

base::Result<std::unique_ptr<SipStack>> SipStack::start(SipSettings settings,
                                                        base::Executor& control,
                                                        model::SignallingEvents& events) {
    redirect_trace();
    auto impl = std::make_unique<Impl>(std::move(settings), control, events);
    if (auto listening = impl->agent->listen(); !listening)
        return tl::unexpected(std::move(listening.error()));
    impl->listeners = impl->agent->listeners();
    Impl* raw = impl.get();
    impl->thread = std::thread([raw] { raw->run(); });
    return std::unique_ptr<SipStack>(new SipStack(std::move(impl)));
}

SipStack::SipStack(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

SipStack::~SipStack() {
    stop(std::chrono::milliseconds(0));
}

std::vector<std::string> SipStack::listeners() const {
    return impl_->listeners;
}

SipStats SipStack::counters() const {
    const auto get = [](const SipCounters::Cell& cell) {
        return cell.load(std::memory_order_relaxed);
    };
    const SipCounters& c = impl_->counters;
    std::vector<std::pair<model::EndReason, std::uint64_t>> refused;
    for (const model::EndReason reason : model::end_reasons()) {
        const std::uint64_t count = get(c.refused[static_cast<std::size_t>(reason)]);
        if (count > 0) refused.emplace_back(reason, count);
    }
    return SipStats{.malformed = get(c.malformed),
                    .refused_sources = get(c.refused_sources),
                    .retransmissions = get(c.retransmissions),
                    .dropped = get(c.dropped),
                    .requests = get(c.requests),
                    .invites = get(c.invites),
                    .invites_answered = get(c.invites_answered),
                    .invites_rejected = get(c.invites_rejected),
                    .invites_cancelled = get(c.invites_cancelled),
                    .ack_timeouts = get(c.ack_timeouts),
                    .dialogs = get(c.dialogs),
                    .transactions = get(c.transactions),
                    .connections = get(c.connections),
                    .refused_invites = std::move(refused)};
}

void SipStack::stop(std::chrono::milliseconds grace) {
    if (!impl_->thread.joinable()) return;
    impl_->commands.post([impl = impl_.get(), grace] {
        impl->agent->shut_down(grace, [impl] { g_main_loop_quit(impl->loop.get()); });
    });
    impl_->thread.join();
    impl_->commands.close();
    impl_->agent.reset();
}

void SipStack::set_accounts(std::vector<AccountSettings> accounts) {
    impl_->commands.post([impl = impl_.get(), accounts = std::move(accounts)] {
        impl->agent->accounts().set_all(accounts);
    });
}

void SipStack::set_account(AccountSettings account) {
    impl_->commands.post([impl = impl_.get(), account = std::move(account)] {
        impl->agent->accounts().set(account);
    });
}

void SipStack::remove_account(std::string name) {
    impl_->commands.post(
        [impl = impl_.get(), name = std::move(name)] { impl->agent->accounts().remove(name); });
}

void SipStack::ring(const model::CallId& id) {
    impl_->commands.post([impl = impl_.get(), id] { impl->agent->ring(id); });
}

void SipStack::answer(const model::CallId& id, model::LocalSdp sdp, std::uint32_t exchange) {
    impl_->commands.post([impl = impl_.get(), id, sdp = std::move(sdp), exchange] {
        impl->agent->answer(id, sdp, exchange);
    });
}

void SipStack::reject(const model::CallId& id,
                      int status,
                      std::string reason_phrase,
                      std::optional<std::chrono::seconds> retry_after,
                      std::uint32_t exchange) {
    impl_->commands.post(
        [impl = impl_.get(), id, status, reason = std::move(reason_phrase), retry_after, exchange] {
            impl->agent->reject(id, status, reason, retry_after, exchange);
        });
}

void SipStack::hangup(const model::CallId& id, model::CallEnd why, std::string reason_header) {
    impl_->commands.post(
        [impl = impl_.get(), id, why = std::move(why), reason = std::move(reason_header)] {
            impl->agent->hangup(id, why, reason);
        });
}

void SipStack::set_draining(bool draining) {
    impl_->commands.post([impl = impl_.get(), draining] { impl->agent->set_draining(draining); });
}

void SipStack::place_call(model::OutgoingCall call) {
    impl_->commands.post(
        [impl = impl_.get(), call = std::move(call)] { impl->agent->place_call(call); });
}

void SipStack::reoffer(const model::CallId& id, model::LocalSdp sdp) {
    impl_->commands.post(
        [impl = impl_.get(), id, sdp = std::move(sdp)] { impl->agent->reoffer(id, sdp); });
}

void SipStack::transfer(const model::CallId& id, model::Transfer transfer) {
    impl_->commands.post([impl = impl_.get(), id, transfer = std::move(transfer)] {
        impl->agent->transfer(id, transfer);
    });
}

void SipStack::accept_transfer(const model::CallId& id, const model::CallId& placed) {
    impl_->commands.post(
        [impl = impl_.get(), id, placed] { impl->agent->accept_transfer(id, placed); });
}

void SipStack::refuse_transfer(const model::CallId& id, int status) {
    impl_->commands.post(
        [impl = impl_.get(), id, status] { impl->agent->refuse_transfer(id, status); });
}

void SipStack::send_info_digits(const model::CallId& id, std::string digits) {
    impl_->commands.post([impl = impl_.get(), id, digits = std::move(digits)] {
        impl->agent->send_info_digits(id, digits);
    });
}

void SipStack::send_info(const model::CallId& id, std::string content_type, std::string body) {
    impl_->commands.post(
        [impl = impl_.get(), id, type = std::move(content_type), body = std::move(body)] {
            impl->agent->send_info(id, type, body);
        });
}

void SipStack::order_control(const model::CallId& id,
                             std::uint64_t tag,
                             model::ControlOrder order) {
    impl_->commands.post([impl = impl_.get(), id, tag, order = std::move(order)] {
        impl->agent->order_control(id, tag, order);
    });
}

void SipStack::send_message(std::uint64_t tag, model::TextMessage message) {
    impl_->commands.post([impl = impl_.get(), tag, message = std::move(message)] {
        impl->agent->send_message(tag, message);
    });
}

}  // namespace offhook::signalling::sip
