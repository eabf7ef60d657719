// Which addresses a registrar's name leads to (RFC 3263), with the name server's answers written
// down here: what a real one says depends on the machine.
#include "signalling/sip/registrar_lookup.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "base/monotonic.h"

namespace {

struct Zone {
    /// "_sip._udp.example.com" -> records; a name that is missing does not exist.
    std::map<std::string, std::vector<std::array<int, 3>>> services;  // priority, weight, port
    std::map<std::string, std::vector<std::string>> targets;          // in the same order
    std::map<std::string, std::vector<std::string>> addresses;
    std::vector<std::string> asked;
    bool is_silent = false;
};
Zone* zone = nullptr;

struct ZoneResolver {
    GResolver parent;
};
struct ZoneResolverClass {
    GResolverClass parent;
};
GType zone_resolver_get_type();
G_DEFINE_TYPE(ZoneResolver, zone_resolver, G_TYPE_RESOLVER)

void by_name_async(GResolver* self,
                   const gchar* name,
                   GCancellable* cancel,
                   GAsyncReadyCallback done,
                   gpointer data) {
    GTask* task = g_task_new(self, cancel, done, data);
    zone->asked.emplace_back(name);
    const auto found = zone->addresses.find(name);
    if (zone->is_silent) {
        g_object_set_data_full(G_OBJECT(self), name, task, g_object_unref);
        return;
    }
    if (found == zone->addresses.end()) {
        g_task_return_new_error(
            task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, "no such name: %s", name);
    } else {
        GList* list = nullptr;
        for (const std::string& text : found->second)
            list = g_list_append(list, g_inet_address_new_from_string(text.c_str()));
        g_task_return_pointer(task, list, nullptr);
    }
    g_object_unref(task);
}

void service_async(GResolver* self,
                   const gchar* name,
                   GCancellable* cancel,
                   GAsyncReadyCallback done,
                   gpointer data) {
    GTask* task = g_task_new(self, cancel, done, data);
    zone->asked.emplace_back(name);
    if (zone->is_silent) {
        g_object_set_data_full(G_OBJECT(self), name, task, g_object_unref);
        return;
    }
    const auto found = zone->services.find(name);
    if (found == zone->services.end()) {
        g_task_return_new_error(
            task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, "no records: %s", name);
    } else {
        GList* list = nullptr;
        for (std::size_t i = 0; i < found->second.size(); ++i) {
            const auto& [priority, weight, port] = found->second[i];
            list = g_list_append(list,
                                 g_srv_target_new(zone->targets.at(name)[i].c_str(),
                                                  static_cast<guint16>(port),
                                                  static_cast<guint16>(priority),
                                                  static_cast<guint16>(weight)));
        }
        // As the system's resolver does.
        g_task_return_pointer(task, g_srv_target_list_sort(list), nullptr);
    }
    g_object_unref(task);
}

GList* finish(GResolver*, GAsyncResult* result, GError** error) {
    return static_cast<GList*>(g_task_propagate_pointer(G_TASK(result), error));
}

void zone_resolver_class_init(ZoneResolverClass* type) {
    GResolverClass* base = G_RESOLVER_CLASS(type);
    base->lookup_by_name_async = by_name_async;
    base->lookup_by_name_finish = finish;
    base->lookup_service_async = service_async;
    base->lookup_service_finish = finish;
}
void zone_resolver_init(ZoneResolver*) {}

}  // namespace

namespace offhook::signalling::sip {
namespace {

using namespace std::chrono_literals;

class RegistrarLookupTest : public ::testing::Test {
protected:
    RegistrarLookupTest() {
        zone = &zone_;
        before_ = g_resolver_get_default();
        auto* ours = static_cast<GResolver*>(g_object_new(zone_resolver_get_type(), nullptr));
        g_resolver_set_default(ours);
        g_object_unref(ours);
        g_main_context_push_thread_default(context_.get());
    }
    ~RegistrarLookupTest() override {
        while (g_main_context_iteration(context_.get(), FALSE) == TRUE) {
        }
        g_main_context_pop_thread_default(context_.get());
        g_resolver_set_default(before_);
        g_object_unref(before_);
        zone = nullptr;
    }
    /// "192.0.2.1:5060 192.0.2.2:5070", or "! sentence".
    std::string look_up(const std::string& spec,
                        Transport transport,
                        std::chrono::milliseconds limit = 2000ms) {
        std::optional<std::string> result;
        const auto parsed = HostSpec::parse(spec);
        if (!parsed) return "? " + parsed.error().message;
        RegistrarLookup lookup(context_.get(),
                               *parsed,
                               transport,
                               limit,
                               [&](base::Result<std::vector<SocketAddress>> found) {
                                   if (!found) {
                                       result = "! " + found.error().text();
                                       return;
                                   }
                                   std::string text;
                                   for (const SocketAddress& each : *found)
                                       text += (text.empty() ? "" : " ") + each.text();
                                   result = text;
                               });
        EXPECT_FALSE(result) << "told from inside the constructor";
        const std::int64_t until = base::monotonic_ns() + 5 * base::kNsPerS;
        while (!result && base::monotonic_ns() < until)
            g_main_context_iteration(context_.get(), TRUE);
        return result.value_or("nothing");
    }

    Zone zone_;
    GResolver* before_ = nullptr;
    glib::Ref<GMainContext> context_ = glib::Ref<GMainContext>::adopt(g_main_context_new());
};

TEST_F(RegistrarLookupTest, numeric_hosts_are_not_asked_for) {
    EXPECT_EQ(look_up("192.0.2.1", Transport::Udp), "192.0.2.1:5060");
    EXPECT_EQ(look_up("192.0.2.1:5080", Transport::Tcp), "192.0.2.1:5080");
    EXPECT_EQ(look_up("2001:db8::1", Transport::Tls), "[2001:db8::1]:5061");
    EXPECT_EQ(look_up("[2001:db8::1]:7000", Transport::Wss), "[2001:db8::1]:7000");
    EXPECT_TRUE(zone_.asked.empty());
}

TEST_F(RegistrarLookupTest, service_records_by_priority) {
    zone_.services["_sip._udp.pbx.example.com"] = {{20, 0, 5070}, {10, 0, 5080}};
    zone_.targets["_sip._udp.pbx.example.com"] = {"b.example.com", "a.example.com"};
    zone_.addresses = {{"a.example.com", {"192.0.2.10"}},
                       {"b.example.com", {"192.0.2.20", "2001:db8::20"}},
                       {"pbx.example.com", {"192.0.2.99"}}};
    EXPECT_EQ(look_up("pbx.example.com", Transport::Udp),
              "192.0.2.10:5080 192.0.2.20:5070 [2001:db8::20]:5070");
}

TEST_F(RegistrarLookupTest, the_service_is_that_of_the_transport) {
    zone_.addresses = {{"pbx.example.com", {"192.0.2.99"}}};
    EXPECT_EQ(look_up("pbx.example.com", Transport::Tcp), "192.0.2.99:5060");
    EXPECT_EQ(zone_.asked.front(), "_sip._tcp.pbx.example.com");
    zone_.asked.clear();
    EXPECT_EQ(look_up("pbx.example.com", Transport::Tls), "192.0.2.99:5061");
    EXPECT_EQ(zone_.asked.front(), "_sips._tcp.pbx.example.com");
    zone_.asked.clear();
    // With a port (RFC 3263 §4.2), on a WebSocket, and without a dot: the name alone.
    EXPECT_EQ(look_up("pbx.example.com:5090", Transport::Tls), "192.0.2.99:5090");
    EXPECT_EQ(look_up("pbx.example.com", Transport::Wss), "192.0.2.99:443");
    zone_.addresses["pbx"] = {"192.0.2.98"};
    EXPECT_EQ(look_up("pbx", Transport::Udp), "192.0.2.98:5060");
    EXPECT_EQ(zone_.asked, (std::vector<std::string>{"pbx.example.com", "pbx.example.com", "pbx"}));
}

TEST_F(RegistrarLookupTest, records_that_lead_nowhere_fall_back_to_the_name) {
    zone_.services["_sip._udp.pbx.example.com"] = {{0, 0, 0}, {1, 0, 5070}};
    zone_.targets["_sip._udp.pbx.example.com"] = {".", "gone.example.com"};
    zone_.addresses = {{"pbx.example.com", {"192.0.2.99"}}};
    EXPECT_EQ(look_up("pbx.example.com", Transport::Udp), "192.0.2.99:5060");
}

TEST_F(RegistrarLookupTest, what_is_not_found_is_a_sentence) {
    const std::string answer = look_up("pbx.example.com", Transport::Udp);
    EXPECT_TRUE(answer.starts_with("! cannot find pbx.example.com: check the name")) << answer;
}

TEST_F(RegistrarLookupTest, a_silent_name_server_is_not_waited_for_for_ever) {
    zone_.is_silent = true;
    const std::int64_t start = base::monotonic_ns();
    const std::string answer = look_up("pbx.example.com", Transport::Udp, 100ms);
    EXPECT_TRUE(answer.starts_with("! cannot find pbx.example.com")) << answer;
    EXPECT_LT(base::monotonic_ns() - start, base::kNsPerS);
}

TEST_F(RegistrarLookupTest, many_records_are_bounded) {
    const std::string service = "_sip._udp.pbx.example.com";
    for (int i = 0; i < 100; ++i) {
        zone_.services[service].push_back({i, 0, 5060});
        zone_.targets[service].push_back("t" + std::to_string(i) + ".example.com");
        auto& addresses = zone_.addresses["t" + std::to_string(i) + ".example.com"];
        for (int host = 1; host <= 50; ++host)
            addresses.push_back("192.0." + std::to_string(i) + "." + std::to_string(host));
    }
    const std::string answer = look_up("pbx.example.com", Transport::Udp);
    EXPECT_EQ(std::count(answer.begin(), answer.end(), ' ') + 1,
              static_cast<std::ptrdiff_t>(RegistrarLookup::kMaxAddresses));
    EXPECT_LE(zone_.asked.size(), RegistrarLookup::kMaxTargets + 2);
}

TEST_F(RegistrarLookupTest, what_is_no_host) {
    for (const std::string bad :
         {"", "a b", "[2001:db8::1", "[pbx]:1", "pbx:0", "pbx:70000", "pbx:x"})
        EXPECT_EQ(look_up(bad, Transport::Udp).front(), '?') << bad;
}

}  // namespace
}  // namespace offhook::signalling::sip
