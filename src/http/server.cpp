#include "http/server.h"

#include <libsoup/soup.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/escape.h"
#include "base/log.h"
#include "base/monotonic.h"
#include "glib/error_out.h"
#include "glib/ref.h"
#include "http/connections.h"
#include "http/cors.h"
#include "http/lobby.h"
#include "http/message_socket.h"
#include "http/origin_guard.h"
#include "http/pending_answers.h"
#include "http/problem.h"
#include "http/request_id.h"
#include "http/router.h"
#include "http/stream_answers.h"
#include "http/websocket_upgrade.h"

namespace offhook::http {
namespace {

constexpr std::size_t kMaxHeaderBytes = 16 * 1024;
constexpr std::size_t kMaxPathBytes = 1024;
constexpr std::size_t kMaxQueryBytes = 2048;
constexpr int kBacklog = 4096;  // a burst waits in it while control does something else

std::string_view view(const char* text) {
    return text == nullptr ? std::string_view() : std::string_view(text);
}

std::string_view header(SoupServerMessage* message, const char* name) {
    return view(
        soup_message_headers_get_one(soup_server_message_get_request_headers(message), name));
}

std::size_t header_bytes(SoupServerMessage* message) {
    std::size_t total = 0;
    soup_message_headers_foreach(
        soup_server_message_get_request_headers(message),
        [](const char* name, const char* value, gpointer sum) {
            *static_cast<std::size_t*>(sum) += view(name).size() + view(value).size() + 4;
        },
        &total);
    return total;
}

std::string host_of(GSocketAddress* address) {
    if (address == nullptr || !G_IS_INET_SOCKET_ADDRESS(address)) return {};
    const glib::UniqueString text(g_inet_address_to_string(
        g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address))));
    return text.get();
}

// "127.0.0.1:5000", "[::1]:5000"
std::string text_of(GSocketAddress* address) {
    const std::string host = host_of(address);
    if (host.empty()) return {};
    const std::string port =
        std::to_string(g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(address)));
    return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + port;
}

bool changes_state(std::string_view method) {
    return method != "GET" && method != "HEAD" && method != "OPTIONS";
}

// The type itself, as EventSource sends it; `*/*` is no wish for an answer without an end.
bool accepts(SoupServerMessage* message, std::string_view type) {
    const char* list =
        soup_message_headers_get_list(soup_server_message_get_request_headers(message), "Accept");
    const glib::UniqueString lower(g_ascii_strdown(list == nullptr ? "" : list, -1));
    return view(lower.get()).find(type) != std::string_view::npos;
}

bool is_one_of(const std::vector<std::string>& types, std::string_view content_type) {
    const std::string type(content_type.substr(0, content_type.find_first_of("; \t")));
    return std::any_of(types.begin(), types.end(), [&](const std::string& good) {
        return g_ascii_strcasecmp(type.c_str(), good.c_str()) == 0;
    });
}

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
    return text;
}

std::map<std::string, std::string, std::less<>> headers_of(SoupServerMessage* message) {
    std::map<std::string, std::string, std::less<>> headers;
    soup_message_headers_foreach(
        soup_server_message_get_request_headers(message),
        [](const char* name, const char* value, gpointer all) {
            const glib::UniqueString lower(g_ascii_strdown(name, -1));
            static_cast<std::map<std::string, std::string, std::less<>>*>(all)->emplace(
                lower.get(), view(value));
        },
        &headers);
    // Proxies add a line of their own below the client's: only the whole list says who is last.
    for (const char* name : {"x-forwarded-for", "forwarded"}) {
        const char* list =
            soup_message_headers_get_list(soup_server_message_get_request_headers(message), name);
        if (list != nullptr) headers[name] = list;
    }
    return headers;
}

void send(SoupServerMessage* message, const Response& response, const std::string& request_id) {
    SoupMessageHeaders* headers = soup_server_message_get_response_headers(message);
    soup_message_headers_replace(headers, "Request-Id", request_id.c_str());
    soup_message_headers_replace(headers, "Cache-Control", "no-store");
    soup_message_headers_replace(headers, "X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : response.headers) {
        soup_message_headers_replace(headers, name.c_str(), value.c_str());
    }
    soup_server_message_set_status(message, static_cast<guint>(response.status), nullptr);
    if (response.content_type.empty()) return;
    soup_server_message_set_response(message,
                                     response.content_type.c_str(),
                                     SOUP_MEMORY_COPY,
                                     response.body.data(),
                                     response.body.size());
}

}  // namespace

class Server::Impl {
public:
    explicit Impl(const ServerOptions& options)
        : guard_(options.host, options.hosts),
          origins_(options.origins),
          context_(glib::Ref<GMainContext>::adopt(g_main_context_ref_thread_default())),
          connections_(context_.get(),
                       {options.request_timeout, options.idle_timeout, options.max_connections}),
          soup_(glib::Ref<SoupServer>::adopt(SOUP_SERVER(g_object_new(SOUP_TYPE_SERVER, nullptr)))),
          pending_(std::make_unique<PendingAnswers>(context_.get())),
          streams_(std::make_unique<StreamAnswers>(
              context_.get(),
              options.request_timeout,
              [this](GSocket* socket) { connections_.end(socket); })),
          max_websockets_(options.max_websockets),
          max_streams_(options.max_streams) {
        soup_server_remove_websocket_extension(soup_.get(), SOUP_TYPE_WEBSOCKET_EXTENSION_DEFLATE);
        soup_server_add_early_handler(soup_.get(), nullptr, &Impl::on_headers, this, nullptr);
        soup_server_add_handler(soup_.get(), nullptr, &Impl::on_request, this, nullptr);
        connect("request-read", G_CALLBACK(&Impl::on_read));
        connect("request-finished", G_CALLBACK(&Impl::on_finished));
        connect("request-aborted", G_CALLBACK(&Impl::on_finished));
    }

    ~Impl() {
        lobby_.reset();
        pending_.reset();
        streams_.reset();
        g_signal_handlers_disconnect_by_data(soup_.get(), this);
        soup_server_remove_handler(soup_.get(), nullptr);
        soup_server_disconnect(soup_.get());
        connections_.cut_all();
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    base::Result<void> open(const ServerOptions& options) {
        const auto address = glib::Ref<GSocketAddress>::adopt(
            g_inet_socket_address_new_from_string(options.host.c_str(), options.port));
        glib::GErrorOut error;
        const auto socket =
            glib::Ref<GSocket>::adopt(g_socket_new(g_socket_address_get_family(address.get()),
                                                   G_SOCKET_TYPE_STREAM,
                                                   G_SOCKET_PROTOCOL_TCP,
                                                   error));
        if (socket) g_socket_set_listen_backlog(socket.get(), kBacklog);
        if (!socket || !g_socket_bind(socket.get(), address.get(), TRUE, error) ||
            !g_socket_listen(socket.get(), error) || !show_to_libsoup(socket.get(), error)) {
            return error.fail(base::ErrorCode::Io,
                              "cannot listen for HTTP on " + text_of(address.get()));
        }
        const auto local =
            glib::Ref<GSocketAddress>::adopt(g_socket_get_local_address(socket.get(), nullptr));
        address_ = text_of(local.get());
        lobby_.emplace(context_.get(),
                       socket,
                       Lobby::Limits{.wait = options.request_timeout,
                                     .waiting = options.max_connections,
                                     .of_address = options.max_half_open_of_address,
                                     .is_proxy = options.is_proxy},
                       [this](const glib::Ref<GSocket>& entered) { enter(entered); });
        return {};
    }

    Router router;
    Observer observer;
    Gate gate;
    [[nodiscard]] std::string address() const { return address_; }
    [[nodiscard]] StreamCounts streams() const { return {streams_->size(), streams_->slow()}; }

private:
    // libsoup keeps a connection for a second request only while it listens somewhere itself. So it
    // has our socket, on a context that nobody runs: it never accepts.
    bool show_to_libsoup(GSocket* socket, GError** error) {
        const auto nobody = glib::Ref<GMainContext>::adopt(g_main_context_new());
        g_main_context_push_thread_default(nobody.get());
        const bool ok =
            soup_server_listen_socket(
                soup_.get(), socket, static_cast<SoupServerListenOptions>(0), error) == TRUE;
        g_main_context_pop_thread_default(nobody.get());
        return ok;
    }

    void connect(const char* signal, GCallback callback) {
        g_signal_connect(soup_.get(), signal, callback, this);
    }

    // libsoup's own listener takes one connection in a turn and keeps it, whatever it brings.
    void enter(const glib::Ref<GSocket>& socket) {
        if (!connections_.admit(socket.get())) return;
        glib::GErrorOut error;
        const auto local =
            glib::Ref<GSocketAddress>::adopt(g_socket_get_local_address(socket.get(), error));
        const auto remote =
            glib::Ref<GSocketAddress>::adopt(g_socket_get_remote_address(socket.get(), nullptr));
        if (!local || !remote) return connections_.released(socket.get());
        g_object_set_data_full(
            G_OBJECT(remote.get()), kSocketOfAddress, g_object_ref(socket.get()), g_object_unref);
        const auto stream = glib::Ref<GIOStream>::adopt(
            G_IO_STREAM(g_socket_connection_factory_create_connection(socket.get())));
        soup_server_accept_iostream(soup_.get(), stream.get(), local.get(), remote.get(), nullptr);
    }

    static void on_read(SoupServer*, SoupServerMessage* message, gpointer self) {
        static_cast<Impl*>(self)->connections_.request_read(socket_of(message));
    }

    static void on_finished(SoupServer*, SoupServerMessage* message, gpointer self) {
        static_cast<Impl*>(self)->connections_.request_finished(socket_of(message));
    }

    // Before the body: only what keeps us from having to read it.
    static void on_headers(
        SoupServer*, SoupServerMessage* message, const char* path, GHashTable*, gpointer self) {
        static_cast<Impl*>(self)->check_size(message, view(path));
    }

    void check_size(SoupServerMessage* message, std::string_view path) {
        SoupMessageHeaders* headers = soup_server_message_get_request_headers(message);
        Problem problem;
        if (header_bytes(message) > kMaxHeaderBytes) {
            problem = {431,
                       "headers-too-large",
                       "The headers are too large",
                       "at most 16 KiB of headers",
                       {}};
        } else if (soup_message_headers_get_encoding(headers) == SOUP_ENCODING_CHUNKED) {
            problem = {411,
                       "length-required",
                       "The body needs a length",
                       "chunked bodies are not read",
                       "send Content-Length"};
        } else if (soup_message_headers_get_encoding(headers) == SOUP_ENCODING_CONTENT_LENGTH &&
                   soup_message_headers_get_content_length(headers) >
                       static_cast<goffset>(kMaxBodyBytes)) {
            problem = {413, "body-too-large", "The body is too large", "at most 64 KiB", {}};
        } else {
            return;
        }
        refuse_early(message, problem, path);
    }

    // libsoup answers only after it has read the whole body, however long. So the answer goes out
    // by hand, the sending side is closed, and libsoup throws away what still comes until the
    // client closes or its time is up.
    void refuse_early(SoupServerMessage* message, const Problem& problem, std::string_view path) {
        const std::string request_id = request_id_from(header(message, "Request-Id"));
        const Response response = problem_response(problem, path, request_id);
        const std::string answer =
            "HTTP/1.1 " + std::to_string(response.status) + " " + std::string(problem.title) +
            "\r\nConnection: close\r\nContent-Type: " + response.content_type +
            "\r\nContent-Length: " + std::to_string(response.body.size()) +
            "\r\nRequest-Id: " + request_id + "\r\n\r\n" + response.body;
        GSocket* socket = socket_of(message);
        g_socket_send(socket, answer.data(), answer.size(), nullptr, nullptr);
        g_socket_shutdown(socket, FALSE, TRUE, nullptr);
        soup_message_body_set_accumulate(soup_server_message_get_request_body(message), FALSE);
        soup_server_message_set_status(message, static_cast<guint>(response.status), nullptr);
        observe("other", response.status, base::monotonic_ns());
    }

    static void on_request(SoupServer*,
                           SoupServerMessage* message,
                           const char* path,
                           GHashTable* query,
                           gpointer self) {
        static_cast<Impl*>(self)->answer(message, view(path), query);
    }

    void answer(SoupServerMessage* message, std::string_view path, GHashTable* query) {
        const std::int64_t began_ns = base::monotonic_ns();
        const std::string request_id = request_id_from(header(message, "Request-Id"));
        const std::string_view method = view(soup_server_message_get_method(message));
        const auto no = [&](const Problem& problem) {
            refuse(message, problem, path, began_ns, request_id);
        };

        const GUri* uri = soup_server_message_get_uri(message);
        if (path.size() > kMaxPathBytes ||
            view(g_uri_get_query(const_cast<GUri*>(uri))).size() > kMaxQueryBytes) {
            return no({414,
                       "uri-too-long",
                       "The URI is too long",
                       "at most 1 KiB of path, 2 KiB of query",
                       {}});
        }
        const std::string_view host = header(message, "Host");
        // RFC 9112 §3.2: another server on the way may have believed the other one.
        if (view(soup_message_headers_get_list(soup_server_message_get_request_headers(message),
                                               "Host"))
                .find(',') != std::string_view::npos) {
            return no(
                {400, "bad-host", "The request names two hosts", "Host has to be there once", {}});
        }
        const std::string local = host_of(soup_server_message_get_local_address(message));
        if (!guard_.allows_host(host, local)) {
            return no({403,
                       "foreign-host",
                       "The Host header names somebody else",
                       "this server is not " + std::string(host),
                       "use the address it listens on, or add the name to [http] hosts"});
        }
        Router::Match match = router.find(method, path);
        if (match.pattern.empty()) {
            return no({404, "not-found", "There is no such thing", "nothing is at this path", {}});
        }
        if (match.target == nullptr && is_preflight(message, method)) {
            allow_pages(message, {}, header(message, "Origin"), match.allow + ", OPTIONS");
            send(message, {204, "", "", {}}, request_id);
            return observe(match.pattern, 204, began_ns);
        }
        if (match.target == nullptr) {
            refuse(message,
                   {405,
                    "method-not-allowed",
                    "The method is not for this path",
                    "this path has " + match.allow,
                    {}},
                   path,
                   began_ns,
                   request_id,
                   match.pattern);
            soup_message_headers_replace(
                soup_server_message_get_response_headers(message), "Allow", match.allow.c_str());
            return;
        }
        const RouteRules& rules = match.target->rules;
        const std::string_view origin = header(message, "Origin");
        const bool is_listed = !origin.empty() && (is_listed_origin(rules.origins, origin) ||
                                                   is_listed_origin(origins_, origin));
        allow_pages(message, rules, is_listed ? origin : std::string_view(), match.allow);
        const bool is_ours =
            origin.empty() || is_listed || OriginGuard::is_same_origin(origin, host);
        const bool opens_websocket = will_upgrade(message, *match.target);
        if (!is_ours && (changes_state(method) || opens_websocket)) {
            return no({403,
                       "foreign-origin",
                       "The request comes from a foreign page",
                       std::string(origin),
                       {}});
        }
        Request request;
        request.body = body_of(message);
        if (changes_state(method)) {
            const std::string_view type = header(message, "Content-Type");
            if (type.empty() ? !request.body.empty() : !is_one_of(rules.content_types, type)) {
                return no({415,
                           "content-type",
                           "The body has another type than this path takes",
                           "Content-Type is " + (type.empty() ? "missing" : std::string(type)),
                           "send Content-Type: " + joined(rules.content_types)});
            }
        }
        request.method = method == "HEAD" ? "GET" : method;
        request.path = path;
        request.params = std::move(match.params);
        request.query = query_of(query);
        request.request_id = request_id;
        request.idempotency_key = header(message, "Idempotency-Key");
        request.remote = text_of(soup_server_message_get_remote_address(message));
        request.headers = headers_of(message);
        if (gate) {
            if (const auto refused = gate(request, rules.scope)) {
                send(message, *refused, request_id);
                observe(match.pattern, refused->status, began_ns);
                return;
            }
        }
        run(message, *match.target, request, match.pattern, began_ns);
    }

    /// A browser asks for a page of ours by `origins` what it may (Fetch, "CORS-preflight request").
    bool is_preflight(SoupServerMessage* message, std::string_view method) const {
        return method == "OPTIONS" && is_listed_origin(origins_, header(message, "Origin")) &&
               !header(message, "Access-Control-Request-Method").empty();
    }

    /// The headers by which a browser lets a page of another origin read the answer.
    void allow_pages(SoupServerMessage* message,
                     const RouteRules& rules,
                     std::string_view origin,
                     const std::string& methods) const {
        if (rules.origins.empty() && origins_.empty()) return;
        SoupMessageHeaders* headers = soup_server_message_get_response_headers(message);
        soup_message_headers_append(headers, "Vary", "Origin");
        if (origin.empty()) return;
        const bool is_preflight = !header(message, "Access-Control-Request-Method").empty();
        for (const auto& [name, value] : cors_headers(origin, methods, is_preflight))
            soup_message_headers_replace(headers, name.c_str(), value.c_str());
    }

    void run(SoupServerMessage* message,
             const Target& target,
             const Request& request,
             std::string_view pattern,
             std::int64_t began_ns) {
        const auto answer_with = [&](const Response& response) {
            send(message, response, request.request_id);
            observe(pattern, response.status, began_ns);
        };
        try {
            if (will_upgrade(message, target)) {
                if (auto refused = target.websocket->admit(request)) return answer_with(*refused);
                return upgrade(message, target, request, pattern, began_ns);
            }
            if (target.stream && accepts(message, target.stream->content_type)) {
                if (auto refused = target.stream->admit(request)) return answer_with(*refused);
                return stream(message, *target.stream, request, pattern, began_ns);
            }
            if (target.now) return answer_with(target.now(request));
            run_later(message, target, request, pattern, began_ns);
        } catch (const std::exception& e) {
            log::write(log::Level::Error,
                       log::Mark::Error,
                       "http.exception",
                       {},
                       e.what(),
                       {{"route", pattern}, {"request_id", request.request_id}});
            // A responder that went down with the exception has answered.
            if (soup_server_message_get_status(message) == 0) answer_with(broken(request));
        }
    }

    /// A path that has only WebSockets says so to everybody.
    static bool will_upgrade(SoupServerMessage* message, const Target& target) {
        const bool has_others = target.now || target.later || target.stream;
        return target.websocket && (!has_others || is_websocket_request(message));
    }

    void stream(SoupServerMessage* message,
                const StreamHandler& handler,
                const Request& request,
                std::string_view pattern,
                std::int64_t began_ns) {
        const bool is_head = view(soup_server_message_get_method(message)) == "HEAD";
        if (is_head || streams_->size() < max_streams_) {
            send(message, {200, "", "", {}}, request.request_id);
            soup_message_headers_replace(soup_server_message_get_response_headers(message),
                                         "Content-Type",
                                         handler.content_type.c_str());
            observe(pattern, 200, began_ns);
            if (is_head) return;
            connections_.streams(socket_of(message));
            return handler.open(request, streams_->begin(message));
        }
        Response full = problem_response({503,
                                          "too-many-streams",
                                          "There are too many streams",
                                          std::to_string(max_streams_) + " are open",
                                          "come back later, or read by WebSocket"},
                                         request.path,
                                         request.request_id);
        full.headers.emplace_back("Retry-After", "5");
        send(message, full, request.request_id);
        observe(pattern, full.status, began_ns);
    }

    static Response broken(const Request& request) {
        return problem_response({.detail = "the reason is in the log under this request_id"},
                                request.path,
                                request.request_id);
    }

    void run_later(SoupServerMessage* message,
                   const Target& target,
                   const Request& request,
                   std::string_view pattern,
                   std::int64_t began_ns) {
        connections_.answers_later(socket_of(message), target.rules.answer_limit);
        auto finish =
            [this, message, pattern, began_ns, id = request.request_id](const Response& response) {
                connections_.answered(socket_of(message));
                send(message, response, id);
                observe(pattern, response.status, began_ns);
            };
        target.later(
            request,
            pending_->add(
                message,
                target.rules.answer_limit,
                std::move(finish),
                problem_response({504,
                                  "timeout",
                                  "It took too long",
                                  "there was no answer in " +
                                      std::to_string(target.rules.answer_limit.count()) + " ms",
                                  {}},
                                 request.path,
                                 request.request_id),
                broken(request)));
    }

    void upgrade(SoupServerMessage* message,
                 const Target& target,
                 const Request& request,
                 std::string_view pattern,
                 std::int64_t began_ns) {
        std::optional<Problem> wrong;
        if (!is_websocket_request(message)) {
            wrong = {426,
                     "upgrade-required",
                     "This path is a WebSocket",
                     "the request asks for no WebSocket",
                     "open it as ws:// or wss://"};
        } else if (*websockets_ >= max_websockets_) {
            wrong = {503,
                     "too-many-websockets",
                     "There are too many WebSockets",
                     std::to_string(max_websockets_) + " are open",
                     "come back later, or raise [http] max_websockets"};
        } else {
            wrong = begin_websocket(
                message,
                target.rules.websocket,
                target.rules.protocols,
                request,
                websockets_,
                [this, alive = std::weak_ptr(alive_), open = target.websocket->open](
                    GSocket* socket, const Request& of, auto websocket) {
                    if (alive.expired()) return;
                    connections_.released(socket);
                    open(of, std::move(websocket));
                });
        }
        if (wrong) {
            Response response = problem_response(*wrong, request.path, request.request_id);
            if (wrong->status == 503) response.headers.emplace_back("Retry-After", "5");
            if (wrong->status == 426) {
                response.headers.emplace_back("Upgrade", "websocket");
                response.headers.emplace_back("Sec-WebSocket-Version", "13");
            }
            send(message, response, request.request_id);
        }
        observe(pattern, static_cast<int>(soup_server_message_get_status(message)), began_ns);
    }

    void refuse(SoupServerMessage* message,
                const Problem& problem,
                std::string_view path,
                std::int64_t began_ns,
                const std::string& request_id,
                std::string_view pattern = "other") {
        send(message, problem_response(problem, path, request_id), request_id);
        observe(pattern, problem.status, began_ns);
    }

    void observe(std::string_view pattern, int status, std::int64_t began_ns) {
        if (observer)
            observer(pattern, status, static_cast<double>(base::monotonic_ns() - began_ns) / 1e9);
    }

    static std::string body_of(SoupServerMessage* message) {
        const SoupMessageBody* body = soup_server_message_get_request_body(message);
        if (body->data == nullptr || body->length <= 0) return {};
        return {body->data, static_cast<std::size_t>(body->length)};
    }

    static std::map<std::string, std::string> query_of(GHashTable* table) {
        std::map<std::string, std::string> query;
        if (table == nullptr) return query;
        GHashTableIter iter;
        gpointer name = nullptr;
        gpointer value = nullptr;
        g_hash_table_iter_init(&iter, table);
        while (g_hash_table_iter_next(&iter, &name, &value) == TRUE) {
            query[std::string(view(static_cast<const char*>(name)))] =
                view(static_cast<const char*>(value));
        }
        return query;
    }

    OriginGuard guard_;
    const std::vector<std::string> origins_;  ///< beside those of each route
    glib::Ref<GMainContext> context_;
    Connections connections_;
    glib::Ref<SoupServer> soup_;
    std::unique_ptr<PendingAnswers> pending_;
    std::unique_ptr<StreamAnswers> streams_;
    std::shared_ptr<int> alive_ = std::make_shared<int>(0);  ///< for what libsoup still calls back
    const std::size_t max_websockets_, max_streams_;
    std::shared_ptr<std::size_t> websockets_ = std::make_shared<std::size_t>(0);  ///< open
    std::optional<Lobby> lobby_;
    std::string address_;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

base::Result<std::unique_ptr<Server>> Server::listen(const ServerOptions& options) {
    const auto address =
        glib::Ref<GInetAddress>::adopt(g_inet_address_new_from_string(options.host.c_str()));
    if (!address) {
        return base::fail(base::ErrorCode::InvalidArgument,
                          base::escape_untrusted(options.host) + " is not a numeric address");
    }
    if (!options.allow_remote && g_inet_address_get_is_loopback(address.get()) == FALSE) {
        return base::fail(
            base::ErrorCode::InvalidArgument,
            options.host + " is reachable from other machines, and there is no authentication");
    }
    auto impl = std::make_unique<Impl>(options);
    if (auto opened = impl->open(options); !opened) return tl::unexpected(opened.error());
    return std::unique_ptr<Server>(new Server(std::move(impl)));
}

void Server::route(std::string method, std::string pattern, Handler handler, RouteRules rules) {
    impl_->router.add(std::move(method),
                      std::move(pattern),
                      {.now = std::move(handler), .rules = std::move(rules)});
}

void Server::route_later(std::string method,
                         std::string pattern,
                         LaterHandler handler,
                         RouteRules rules) {
    impl_->router.add(std::move(method),
                      std::move(pattern),
                      {.later = std::move(handler), .rules = std::move(rules)});
}

void Server::websocket(std::string pattern, WebSocketHandler handler, RouteRules rules) {
    impl_->router.add(
        "GET", std::move(pattern), {.websocket = std::move(handler), .rules = std::move(rules)});
}

void Server::choice(std::string pattern,
                    Handler handler,
                    StreamHandler stream,
                    WebSocketHandler websocket,
                    RouteRules rules) {
    impl_->router.add("GET",
                      std::move(pattern),
                      {.now = std::move(handler),
                       .websocket = std::move(websocket),
                       .stream = std::move(stream),
                       .rules = std::move(rules)});
}

Server::StreamCounts Server::streams() const {
    return impl_->streams();
}

std::string Server::address() const {
    return impl_->address();
}

std::vector<Server::RouteInfo> Server::routes() const {
    std::vector<RouteInfo> all;
    for (const Router::Route& route : impl_->router.routes()) {
        all.push_back({.method = route.method,
                       .pattern = route.pattern,
                       .scope = route.target.rules.scope,
                       .opens_websocket = route.target.websocket && !route.target.now});
    }
    return all;
}

void Server::set_gate(Gate gate) {
    impl_->gate = std::move(gate);
}

void Server::on_answered(Observer observer) {
    impl_->observer = std::move(observer);
}

}  // namespace offhook::http
