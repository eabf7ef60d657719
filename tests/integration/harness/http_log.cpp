#include "harness/http_log.h"

#include <json-glib/json-glib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <tuple>

namespace offhook::harness {
namespace {

constexpr int kKeptOfAKind = 100;

/// Named by the command line: a second run of the same test replaces the first.
std::string file_of_process() {
    const char* folder = std::getenv("OFFHOOK_HTTP_LOG");
    if (folder == nullptr || *folder == '\0') return {};
    std::ifstream in("/proc/self/cmdline", std::ios::binary);
    std::ostringstream all;
    all << in.rdbuf();
    const std::string line = all.str();
    const std::string name = std::filesystem::path(line.substr(0, line.find('\0'))).filename();
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
    return std::string(folder) + "/" + name + "-" + std::to_string(std::hash<std::string>()(line)) +
           ".jsonl";
}

std::string without_ids(const std::string& path) {
    static const std::regex id("[a-z]-[0-9a-f]{12}");
    return std::regex_replace(path.substr(0, path.find('?')), id, "ID");
}

void text(JsonBuilder* json, const char* name, const std::string& value) {
    json_builder_set_member_name(json, name);
    json_builder_add_string_value(json, value.c_str());
}

}  // namespace

void log_answer(const std::string& method, const std::string& path, const HttpAnswer& answer) {
    static const std::string file = file_of_process();
    static std::ofstream out(file.empty() ? "/dev/null" : file);
    static std::map<std::tuple<std::string, std::string, int>, int> seen;
    // Every answer of Offhook has one, and those of proxies and stand-ins have none.
    if (file.empty() || header_of(answer, "Request-Id").empty()) return;
    if (++seen[{method, without_ids(path), answer.status}] > kKeptOfAKind) return;
    const bool is_text =
        g_utf8_validate(answer.body.data(), static_cast<gssize>(answer.body.size()), nullptr) ==
        TRUE;
    const std::unique_ptr<JsonBuilder, void (*)(gpointer)> json(json_builder_new(), g_object_unref);
    json_builder_begin_object(json.get());
    text(json.get(), "method", method);
    text(json.get(), "path", path);
    text(json.get(), "content_type", header_of(answer, "Content-Type"));
    if (is_text) text(json.get(), "body", answer.body);
    json_builder_set_member_name(json.get(), "status");
    json_builder_add_int_value(json.get(), answer.status);
    json_builder_end_object(json.get());
    const std::unique_ptr<JsonNode, void (*)(JsonNode*)> root(json_builder_get_root(json.get()),
                                                              json_node_unref);
    const std::unique_ptr<char, void (*)(gpointer)> line(json_to_string(root.get(), FALSE), g_free);
    out << line.get() << '\n' << std::flush;
}

}  // namespace offhook::harness
