#include "ai/farewells.h"

#include <algorithm>
#include <utility>

namespace offhook::ai {

void Connection::on_open() {
    if (to_) to_->on_open();
}

void Connection::on_text(std::string_view text) {
    if (to_) to_->on_text(text);
}

void Connection::on_binary(std::span<const std::byte> bytes) {
    if (to_) to_->on_binary(bytes);
}

// Both ways end this object.
void Connection::on_closed(const socket::LinkEnd& end) {
    if (to_) {
        to_->on_closed(end);
    } else {
        farewells_->forget(this);
    }
}

void Farewells::take(std::unique_ptr<Connection> connection,
                     std::uint16_t code,
                     std::string_view reason) {
    // One that is not open has nobody to say farewell to.
    if (!connection || !connection->link() || !connection->link()->is_open()) return;
    if (leaving_.size() >= kMost) return;
    connection->to_ = nullptr;
    connection->farewells_ = this;
    socket::Link& link = *connection->link();
    leaving_.push_back(std::move(connection));
    link.close(code, reason);
}

void Farewells::forget(const Connection* connection) noexcept {
    const auto found = std::find_if(
        leaving_.begin(), leaving_.end(), [&](const auto& it) { return it.get() == connection; });
    if (found == leaving_.end()) return;
    std::swap(*found, leaving_.back());
    leaving_.pop_back();
}

}  // namespace offhook::ai
