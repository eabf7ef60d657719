#include "harness/http.h"

#include <arpa/inet.h>
#include <json-glib/json-glib.h>
#include <netinet/in.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <limits>
#include <sstream>

#include "harness/http_log.h"

namespace offhook::harness {

HttpAnswer http(const std::string& method,
                const std::string& address,
                const std::string& path,
                const std::string& body,
                milliseconds limit,
                const std::vector<std::string>& headers) {
    HttpAnswer answer;
    const std::size_t colon = address.rfind(':');
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    if (colon == std::string::npos ||
        ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &peer.sin_addr) != 1) {
        return answer;
    }
    peer.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0) {
        ::close(fd);
        return answer;
    }
    std::string request =
        method + " " + path + " HTTP/1.1\r\nHost: " + address + "\r\nConnection: close\r\n";
    bool has_type = body.empty();
    for (const std::string& header : headers) {
        request += header + "\r\n";
        has_type = has_type || header.starts_with("Content-Type:");
    }
    if (!has_type) {
        request += "Content-Type: application/json\r\n";
    }
    request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    std::string text;
    if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) ==
        static_cast<ssize_t>(request.size())) {
        const auto deadline = Clock::now() + limit;
        std::array<char, 16384> chunk{};
        for (;;) {
            pollfd watched{fd, POLLIN, 0};
            const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
            if (left <= 0 || ::poll(&watched, 1, static_cast<int>(left)) <= 0) {
                break;
            }
            const ssize_t got = ::recv(fd, chunk.data(), chunk.size(), 0);
            if (got <= 0) {
                break;
            }
            text.append(chunk.data(), static_cast<std::size_t>(got));
        }
    }
    ::close(fd);
    const std::size_t end = text.find("\r\n\r\n");
    if (end == std::string::npos || !text.starts_with("HTTP/1.1 ")) {
        return answer;
    }
    answer.status = std::atoi(text.c_str() + 9);
    answer.headers = text.substr(0, end);
    answer.body = text.substr(end + 4);
    log_answer(method, path, answer);
    return answer;
}

std::string header_of(const HttpAnswer& answer, const std::string& name) {
    std::istringstream lines(answer.headers);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t colon = line.find(':');
        if (colon == name.size() && ::strncasecmp(line.c_str(), name.c_str(), colon) == 0) {
            const std::size_t begin = line.find_first_not_of(' ', colon + 1);
            const std::size_t end = line.find_last_not_of("\r ");
            return begin == std::string::npos ? std::string() : line.substr(begin, end + 1 - begin);
        }
    }
    return {};
}

Json::Json(const std::string& text) {
    JsonNode* root = json_from_string(text.c_str(), nullptr);
    if (root != nullptr) {
        root_ = std::shared_ptr<JsonNode>(root, json_node_unref);
    }
}

JsonNode* Json::find(const std::string& path) const {
    JsonNode* node = root_.get();
    std::istringstream parts(path);
    for (std::string part; node != nullptr && std::getline(parts, part, '.');) {
        if (JSON_NODE_HOLDS_OBJECT(node)) {
            node = json_object_get_member(json_node_get_object(node), part.c_str());
        } else if (JSON_NODE_HOLDS_ARRAY(node)) {
            JsonArray* array = json_node_get_array(node);
            const auto index = static_cast<guint>(std::strtoul(part.c_str(), nullptr, 10));
            node = index < json_array_get_length(array) ? json_array_get_element(array, index)
                                                        : nullptr;
        } else {
            node = nullptr;
        }
    }
    return node;
}

double Json::number(const std::string& path) const {
    JsonNode* node = find(path);
    if (node == nullptr || !JSON_NODE_HOLDS_VALUE(node)) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    const GType type = json_node_get_value_type(node);
    if (type != G_TYPE_INT64 && type != G_TYPE_DOUBLE && type != G_TYPE_BOOLEAN) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    return type == G_TYPE_BOOLEAN ? double(json_node_get_boolean(node))
                                  : json_node_get_double(node);
}

std::string Json::text(const std::string& path) const {
    JsonNode* node = find(path);
    if (node == nullptr || !JSON_NODE_HOLDS_VALUE(node) ||
        json_node_get_value_type(node) != G_TYPE_STRING) {
        return {};
    }
    return json_node_get_string(node);
}

std::size_t Json::size(const std::string& path) const {
    JsonNode* node = find(path);
    return node != nullptr && JSON_NODE_HOLDS_ARRAY(node)
               ? json_array_get_length(json_node_get_array(node))
               : 0;
}

}  // namespace offhook::harness
