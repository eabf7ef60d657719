#include "http/raw_websocket.h"

namespace offhook::testing {
namespace {

constexpr char kMask[4] = {0x11, 0x22, 0x33, 0x44};

void put_number(std::string& out, std::uint64_t number, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>((number >> (8 * i)) & 0xff);
}

std::uint64_t number_of(const std::string& bytes) {
    std::uint64_t number = 0;
    for (const char c : bytes) number = (number << 8) | static_cast<std::uint8_t>(c);
    return number;
}

}  // namespace

RawWebSocket::RawWebSocket(const std::string& address,
                           const std::string& target,
                           const std::string& extra)
    : client_(address) {
    std::string text = "GET " + target +
                       " HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    if (extra.find("Host:") == std::string::npos) text += "Host: " + address + "\r\n";
    client_.send(text + extra + "\r\n");
    answer_ = client_.read();
}

void RawWebSocket::send(std::string_view payload, int opcode, bool is_final) {
    std::string frame;
    frame += static_cast<char>((is_final ? 0x80 : 0) | opcode);
    if (payload.size() < 126) {
        frame += static_cast<char>(0x80 | payload.size());
    } else if (payload.size() < 65'536) {
        frame += static_cast<char>(0x80 | 126);
        put_number(frame, payload.size(), 2);
    } else {
        frame += static_cast<char>(0x80 | 127);
        put_number(frame, payload.size(), 8);
    }
    frame.append(kMask, sizeof kMask);
    for (std::size_t i = 0; i < payload.size(); ++i)
        frame += static_cast<char>(payload[i] ^ kMask[i % sizeof kMask]);
    client_.send(frame);
}

RawFrame RawWebSocket::read() {
    const std::string head = client_.bytes(2);
    if (head.size() < 2) return {};
    std::uint64_t size = static_cast<std::uint8_t>(head[1]) & 0x7f;
    if (size >= 126) size = number_of(client_.bytes(size == 126 ? 2 : 8));
    const bool is_plain = (head[0] & 0xf0) == 0x80 && (head[1] & 0x80) == 0;
    return {head[0] & 0x0f, client_.bytes(size), is_plain};
}

RawFrame RawWebSocket::read_message() {
    for (;;) {
        RawFrame frame = read();
        if (frame.opcode == 0 || frame.opcode == 1 || frame.opcode == 8) return frame;
        if (frame.opcode == 9) send(frame.payload, 10);
    }
}

}  // namespace offhook::testing
