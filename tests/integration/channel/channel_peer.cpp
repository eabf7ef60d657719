#include "channel_peer.h"

#include "http/raw_websocket.h"

namespace offhook::harness {
namespace {

std::string quoted(const std::string& text) {
    std::string json = "\"";
    for (const char c : text) json += c == '\r' ? "\\r" : c == '\n' ? "\\n" : std::string(1, c);
    return json + "\"";
}

}  // namespace

struct ChannelPeer::Line {
    testing::RawWebSocket socket;
};

ChannelPeer::ChannelPeer(std::string address, ChannelLog& log, const WebPeer::Options& options)
    : address_(std::move(address)), log_(log), sound_(options) {}

ChannelPeer::~ChannelPeer() = default;

void ChannelPeer::lose_socket() {
    line_.reset();
}

Json ChannelPeer::join(const std::string& channel, const std::string& user, bool is_resuming) {
    line_.reset(new Line{testing::RawWebSocket(
        address_,
        "/api/v1/channels/ws",
        "Origin: http://" + address_ + "\r\nSec-WebSocket-Protocol: offhook.v1\r\n")});
    if (!next("welcome").is_valid()) return Json("");
    send(R"({"type":"join","channel":")" + channel + R"(","user":")" + user + "\"" +
         (is_resuming ? R"(,"resume":")" + resume_ + "\"" : "") + "}");
    Json joined = next("joined");
    member_ = joined.text("member");
    resume_ = joined.text("resume");
    return joined;
}

std::string ChannelPeer::offer() {
    send(R"({"type":"offer","id":)" + std::to_string(++offers_) + R"(,"sdp":)" +
         quoted(sound_.offer()) + "}");
    const Json answer = next("answer");
    if (!answer.is_valid()) return "no answer";
    sound_.take_answer(answer.text("sdp"));
    return "answer";
}

void ChannelPeer::send(const std::string& message) {
    log_.add("client", message);
    line_->socket.send(message);
}

Json ChannelPeer::next(const std::string& type) {
    for (;;) {
        const testing::RawFrame frame = line_->socket.read_message();
        if (frame.opcode != 1) {
            close_code_ = frame.code();
            return Json("");
        }
        log_.add("offhook", frame.payload);
        Json message(frame.payload);
        if (message.text("type") == type) return message;
    }
}

Json ChannelPeer::members(std::size_t count, const std::string& state) {
    for (;;) {
        Json list = next("members");
        if (!list.is_valid()) return list;
        std::size_t found = 0;
        for (std::size_t i = 0; i < list.size("members"); ++i)
            if (list.text("members." + std::to_string(i) + ".state") == state) ++found;
        if (found == count) return list;
    }
}

}  // namespace offhook::harness
