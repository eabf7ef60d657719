#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/http.h"
#include "harness/web_peer.h"

namespace offhook::harness {

/// Every message of a test, for the schema.
class ChannelLog {
public:
    void add(const std::string& from, const std::string& message) {
        lines_.push_back("{\"from\":\"" + from + "\",\"message\":" + message + "}");
    }
    [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }

private:
    std::vector<std::string> lines_;
};

/// A browser of the tests in a voice channel: webrtcbin and the WebSocket.
class ChannelPeer {
public:
    /// @param address  the daemon's HTTP
    ChannelPeer(std::string address, ChannelLog& log, const WebPeer::Options& options);
    ~ChannelPeer();
    ChannelPeer(const ChannelPeer&) = delete;
    ChannelPeer& operator=(const ChannelPeer&) = delete;

    /// Opens a WebSocket, in place of the one before, and joins. @return `joined`, or the error
    Json join(const std::string& channel, const std::string& user, bool is_resuming = false);
    /// Offers, and takes the answer. @return "answer", or the type of what came instead
    std::string offer();
    void send(const std::string& message);
    /// The next message of the type; an invalid one when the connection ended before.
    Json next(const std::string& type);
    /// The next list in which so many members have this state.
    Json members(std::size_t count, const std::string& state);
    /// TCP breaks, nothing is said.
    void lose_socket();
    [[nodiscard]] int close_code() const { return close_code_; }

    [[nodiscard]] const std::string& member() const { return member_; }
    [[nodiscard]] WebPeer& sound() { return sound_; }

private:
    struct Line;

    std::string address_;
    ChannelLog& log_;
    WebPeer sound_;
    std::unique_ptr<Line> line_;
    std::string member_, resume_;
    int offers_ = 0, close_code_ = -1;
};

}  // namespace offhook::harness
