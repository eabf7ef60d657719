// The page of operators: files that were built into the program. There is no secret in them; what they show they ask for with a
// token like everybody else.

#include <gio/gio.h>

#include <array>
#include <cstdio>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "api/api.h"
#include "glib/ref.h"
#include "http/problem.h"

namespace offhook::api {
namespace {

constexpr std::string_view kFolder = "/offhook/page/";
constexpr std::string_view kDocs = "docs/index.html";

// Nothing from elsewhere, nothing inline, nobody's frame.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' "
    "data:; media-src 'self' blob:; base-uri 'none'; frame-ancestors 'none'; form-action 'none'";
// RapiDoc styles its elements and its theme by attributes and a <style> of its own.
constexpr const char* kDocsPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'none'";
// Vite names them after what is in them.
constexpr const char* kForEver = "public, max-age=31536000, immutable";

const char* type_of(std::string_view name) {
    constexpr std::array<std::pair<std::string_view, const char*>, 7> kTypes{
        {{".html", "text/html; charset=utf-8"},
         {".js", "text/javascript; charset=utf-8"},
         {".css", "text/css; charset=utf-8"},
         {".svg", "image/svg+xml"},
         {".png", "image/png"},
         {".txt", "text/plain; charset=utf-8"},
         {".woff2", "font/woff2"}}};
    for (const auto& [ending, type] : kTypes) {
        if (name.ends_with(ending)) return type;
    }
    return "application/octet-stream";
}

struct FreeBytes {
    void operator()(GBytes* bytes) const { g_bytes_unref(bytes); }
};

std::optional<std::string> read(GResource* page, std::string_view name) {
    const std::string path = std::string(kFolder).append(name);
    const std::unique_ptr<GBytes, FreeBytes> bytes(
        g_resource_lookup_data(page, path.c_str(), G_RESOURCE_LOOKUP_FLAGS_NONE, nullptr));
    if (!bytes) return std::nullopt;
    std::size_t size = 0;
    const auto* data = static_cast<const char*>(g_bytes_get_data(bytes.get(), &size));
    return std::string(data, size);
}

/// FNV-1a: whether a browser's copy is this one, and nothing more.
std::string etag_of(std::string_view content) {
    std::uint64_t hash = 14'695'981'039'346'656'037U;
    for (const char c : content) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 1'099'511'628'211U;
    }
    char text[24];
    std::snprintf(text, sizeof text, "\"%016llx\"", static_cast<unsigned long long>(hash));
    return text;
}

http::Response file(GResource* page, const http::Request& request, const std::string& name) {
    auto content = read(page, name);
    if (!content || name.ends_with(".gz")) {
        return http::problem_response(
            {404, "not-found", "There is no such file", "the page has no file of this name", {}},
            request.path,
            request.request_id);
    }
    http::Response response{200, type_of(name), {}, {}};
    auto& headers = response.headers;
    headers.emplace_back("Content-Security-Policy", name == kDocs ? kDocsPolicy : kPolicy);
    headers.emplace_back("Referrer-Policy", "no-referrer");
    headers.emplace_back("Cross-Origin-Opener-Policy", "same-origin");
    headers.emplace_back("Vary", "Accept-Encoding");
    if (name.starts_with("assets/")) {
        headers.emplace_back("Cache-Control", kForEver);
    } else {
        const std::string etag = etag_of(*content);
        headers.emplace_back("ETag", etag);
        headers.emplace_back("Cache-Control", "no-cache");
        if (request.header("if-none-match").find(etag) != std::string_view::npos) {
            response.status = 304;
            response.content_type.clear();
            return response;
        }
    }
    if (request.header("accept-encoding").find("gzip") != std::string_view::npos) {
        if (auto small = read(page, name + ".gz")) {
            content = std::move(small);
            headers.emplace_back("Content-Encoding", "gzip");
        }
    }
    response.body = *std::move(content);
    return response;
}

}  // namespace

void Api::install_page(http::Server& server) {
    server.route("GET", "/", [this](const http::Request& request) {
        return file(parts_.page, request, "index.html");
    });
    server.route("GET", "/assets/{file}", [this](const http::Request& request) {
        return file(parts_.page, request, "assets/" + request.params.at("file"));
    });
    // Built without Node there is but one file, and it says so.
    server.route("GET", "/docs", [this](const http::Request& request) {
        const bool has_viewer = read(parts_.page, kDocs).has_value();
        return file(parts_.page, request, has_viewer ? std::string(kDocs) : "index.html");
    });
    server.route("GET", "/docs/{file}", [this](const http::Request& request) {
        return file(parts_.page, request, "docs/" + request.params.at("file"));
    });
}

}  // namespace offhook::api
