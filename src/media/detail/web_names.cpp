#include "media/detail/web_names.h"

#include <memory>
#include <utility>

#include "media/detail/web_ice.h"
#include "media/detail/web_signal.h"

namespace offhook::media::detail {
namespace {

struct Lookup {
    glib::Ref<GCancellable> cancellable;  ///< cancelled: `names` may be gone
    const std::function<void(std::string)>* found;
    std::string candidate;
};

void finish(GObject* resolver, GAsyncResult* result, Lookup& lookup) {
    using Addresses = std::unique_ptr<GList, glib::Deleter<g_resolver_free_addresses>>;
    const Addresses addresses(
        g_resolver_lookup_by_name_finish(G_RESOLVER(resolver), result, nullptr));
    if (!addresses || g_cancellable_is_cancelled(lookup.cancellable.get()) != FALSE) return;
    const glib::UniqueString numeric(
        g_inet_address_to_string(G_INET_ADDRESS(addresses.get()->data)));
    const std::string_view name = address_of(lookup.candidate);
    const auto at = static_cast<std::size_t>(name.data() - lookup.candidate.data());
    lookup.candidate.replace(at, name.size(), numeric.get());
    (*lookup.found)(std::move(lookup.candidate));
}

}  // namespace

WebNames::WebNames(GMainContext* context, std::function<void(std::string)> found)
    : context_(context),
      found_(std::move(found)),
      cancellable_(glib::Ref<GCancellable>::adopt(g_cancellable_new())) {}

WebNames::~WebNames() {
    g_cancellable_cancel(cancellable_.get());
}

bool WebNames::is_hidden(std::string_view candidate) {
    const std::string_view address = address_of(candidate);
    return !address.empty() && g_hostname_is_ip_address(std::string(address).c_str()) == FALSE;
}

void WebNames::look_up(const std::string& candidate) {
    if (g_cancellable_is_cancelled(cancellable_.get()) != FALSE) return;
    if (!limit_.is_armed())
        limit_.once(context_, kLimit, [cancellable = cancellable_] {
            g_cancellable_cancel(cancellable.get());
        });
    const auto resolver = glib::Ref<GResolver>::adopt(g_resolver_get_default());
    g_main_context_push_thread_default(context_);
    g_resolver_lookup_by_name_async(
        resolver.get(),
        std::string(address_of(candidate)).c_str(),
        cancellable_.get(),
        [](GObject* source, GAsyncResult* result, gpointer data) {
            const std::unique_ptr<Lookup> mine(static_cast<Lookup*>(data));
            walled([&] { finish(source, result, *mine); });
        },
        new Lookup{cancellable_, &found_, candidate});
    g_main_context_pop_thread_default(context_);
}

}  // namespace offhook::media::detail
