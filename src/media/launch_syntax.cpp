#include "media/launch_syntax.h"

#include <cctype>
#include <cstddef>
#include <optional>
#include <utility>

namespace offhook::media {
namespace {

enum class TokenKind { Bang, Word, Assignment, Caps, Branch };

struct Token {
    TokenKind kind;
    std::string text;   // word, caps, property name, name of the branch
    std::string value;  // of an assignment
    int line;
};

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n';
}
bool is_alnum(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0;
}
bool is_word(char c) {
    return is_alnum(c) || c == '_' || c == '-';
}

class Lexer {
public:
    Lexer(const LaunchSource& source, std::string_view text, int first_line)
        : source_(source), text_(text), line_(first_line) {}

    base::Result<std::vector<Token>> run() {
        while (true) {
            skip_space();
            if (at_end()) return std::move(tokens_);
            auto done =
                peek() == '!' ? bang() : (is_alnum(peek()) || peek() == '_' ? word() : stranger());
            if (!done) return tl::make_unexpected(std::move(done.error()));
        }
    }

private:
    [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
    [[nodiscard]] char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }
    void skip_space() {
        for (; !at_end() && is_space(peek()); ++at_) {
            if (peek() == '\n') ++line_;
        }
    }
    std::string_view take_word() {
        const std::size_t start = at_;
        while (!at_end() && is_word(peek())) ++at_;
        return text_.substr(start, at_ - start);
    }
    [[nodiscard]] tl::unexpected<base::Error> bad(std::string reason, std::string hint) const {
        return refuse(source_, line_, {std::move(reason), std::move(hint)});
    }
    void push(TokenKind kind, std::string text, int line, std::string value = {}) {
        tokens_.push_back({kind, std::move(text), std::move(value), line});
    }

    /// `!`, and the caps after it if there are any: "audio/x-raw, rate=8000" up to the next `!`.
    base::Result<void> bang() {
        push(TokenKind::Bang, "!", line_);
        ++at_;
        skip_space();
        const std::size_t start = at_;
        const int line = line_;
        take_word();
        const bool caps = at_ > start && peek() == '/';
        at_ = start;
        if (!caps) return {};
        const std::size_t end = text_.find('!', start);
        if (end == std::string_view::npos) {
            return bad("caps at the end of a chain",
                       "caps stand between two elements: a ! audio/x-raw,rate=8000 ! b");
        }
        std::string text(text_.substr(start, end - start));
        while (is_space(text.back())) text.pop_back();
        if (text.find('\\') != std::string::npos) return backslash();
        for (; at_ < end; ++at_) {
            if (peek() == '\n') ++line_;
        }
        push(TokenKind::Caps, std::move(text), line);
        return {};
    }

    base::Result<void> word() {
        const int line = line_;
        const std::string text(take_word());
        if (peek() == '/') {
            return bad("caps with no element before them",
                       "caps stand between two elements: a ! audio/x-raw ! b");
        }
        if (peek() == ':' && peek(1) == '/')
            return bad("a URI is not an element", "sound enters through the anchors");
        if (peek() == ':' && peek(1) == ':') {
            return bad("property of a child (" + text + "::...)",
                       "only an element's own properties can be set");
        }
        if (peek() == '.') {
            ++at_;
            if (is_word(peek())) {
                return bad("pad by name (" + text + "." + std::string(take_word()) + ")",
                           "write " + text + ". and let the tee choose its pad");
            }
            push(TokenKind::Branch, text, line);
            return {};
        }
        const std::size_t after = at_;
        skip_space();
        if (peek() == '=') return assignment(text);
        at_ = after;
        line_ = line;
        push(TokenKind::Word, text, line);
        return {};
    }

    base::Result<void> assignment(const std::string& name) {
        ++at_;
        const int line = line_;
        skip_space();
        if (at_end() || line_ != line) {
            line_ = line;
            return bad("property " + name + " has no value",
                       "write " + name + "=value on one line");
        }
        if (peek() == '"') return quoted_value(name);
        if (peek() == '\'')
            return bad("single quotes around the value of " + name,
                       "GStreamer wants double quotes here");
        const std::size_t start = at_;
        while (!at_end() && !is_space(peek())) ++at_;
        const std::string value(text_.substr(start, at_ - start));
        if (value.find('\\') != std::string::npos) return backslash();
        if (value.find('!') != std::string::npos) {
            return bad("'!' inside the value of " + name,
                       "put spaces around '!', or quotes around the value");
        }
        if (value.find_first_of("\"'") != std::string::npos) {
            return bad("quote inside the value of " + name,
                       "put the whole value in quotes: " + name + "=\"...\"");
        }
        push(TokenKind::Assignment, name, line_, value);
        return {};
    }

    base::Result<void> quoted_value(const std::string& name) {
        const std::size_t start = at_ + 1;
        const std::size_t end = text_.find('"', start);
        if (end == std::string_view::npos ||
            text_.substr(start, end - start).find('\n') != std::string_view::npos) {
            return bad("quote of " + name + " is not closed",
                       "a value ends on the line it begins on");
        }
        const std::string value(text_.substr(start, end - start));
        if (value.find('\\') != std::string::npos) return backslash();
        at_ = end + 1;
        if (!at_end() && !is_space(peek())) {
            return bad("text right after the closing quote of " + name, "put a space there");
        }
        push(TokenKind::Assignment, name, line_, value);
        return {};
    }

    [[nodiscard]] tl::unexpected<base::Error> backslash() const {
        return bad("backslash", "lines go on by themselves, and a value with spaces takes quotes");
    }

    /// A character that begins nothing we read.
    base::Result<void> stranger() {
        switch (peek()) {
            case '(':
            case ')':
            case '{':
            case '}':
                return bad("bin in parentheses", "write its elements into the chain");
            case ':':
                return bad("':' links", "use '!'");
            case '\\':
                return backslash();
            case '=':
                return bad("'=' with no property before it", "write property=value");
            case '.':
                return bad("pad by name", "write name. to branch from a tee");
            case '"':
            case '\'':
                return bad("quoted text where an element should be", "only values take quotes");
            default:
                break;
        }
        std::string what =
            static_cast<unsigned char>(peek()) < 0x80 ? std::string(1, peek()) : "non-ASCII text";
        return bad("unexpected " + what, "expected an element, property=value or '!'");
    }

    const LaunchSource& source_;
    std::string_view text_;
    std::size_t at_ = 0;
    int line_;
    std::vector<Token> tokens_;
};

/// Tokens to chains.
class Chainer {
public:
    explicit Chainer(const LaunchSource& source) : source_(source) {}

    base::Result<void> add(Token token) {
        const bool linked = std::exchange(linked_, false);
        switch (token.kind) {
            case TokenKind::Bang:
                if (linked)
                    return refuse(source_,
                                  token.line,
                                  {"two '!' in a row", "an element is missing between them"});
                if (graph_.empty()) {
                    return refuse(source_,
                                  token.line,
                                  {"'!' with nothing before it", "a chain begins with an element"});
                }
                linked_ = true;
                link_line_ = token.line;
                return {};
            case TokenKind::Assignment:
                return property(std::move(token), linked);
            case TokenKind::Caps:
                if (last().kind == LaunchNode::Kind::Caps) {
                    return refuse(
                        source_, token.line, {"caps after caps", "join them with a comma"});
                }
                return node(LaunchNode::Kind::Caps, std::move(token), linked);
            case TokenKind::Word:
                return node(LaunchNode::Kind::Element, std::move(token), linked);
            case TokenKind::Branch:
                return node(LaunchNode::Kind::Branch, std::move(token), linked);
        }
        return {};
    }

    base::Result<LaunchGraph> finish(int first_line) {
        if (linked_)
            return refuse(
                source_, link_line_, {"'!' with nothing after it", "a chain ends with an element"});
        if (graph_.empty())
            return refuse(
                source_, first_line - 1, {"the section is empty", "it needs its two anchors"});
        return std::move(graph_);
    }

private:
    LaunchNode& last() { return graph_.back().back(); }

    base::Result<void> node(LaunchNode::Kind kind, Token token, bool linked) {
        if (!linked) graph_.emplace_back();
        graph_.back().push_back({kind, std::move(token.text), {}, token.line});
        return {};
    }

    base::Result<void> property(Token token, bool linked) {
        if (linked || graph_.empty() || last().kind != LaunchNode::Kind::Element) {
            return refuse(source_,
                          token.line,
                          {token.text + "=" + token.value + " has no element before it",
                           "properties follow the element they belong to"});
        }
        for (const LaunchProperty& earlier : last().properties) {
            if (earlier.name != token.text) continue;
            return refuse(
                source_,
                token.line,
                {"property " + token.text + " of " + last().word + " is set twice", "keep one"});
        }
        last().properties.push_back({std::move(token.text), std::move(token.value), token.line});
        return {};
    }

    const LaunchSource& source_;
    LaunchGraph graph_;
    bool linked_ = false;
    int link_line_ = 0;
};

}  // namespace

std::string_view LaunchNode::name() const {
    for (const LaunchProperty& property : properties) {
        if (property.name == "name") return property.value;
    }
    return {};
}

base::Result<LaunchGraph> parse_launch(const LaunchSource& source,
                                       std::string_view text,
                                       int first_line) {
    auto tokens = Lexer(source, text, first_line).run();
    if (!tokens) return tl::make_unexpected(std::move(tokens.error()));
    Chainer chainer(source);
    for (Token& token : *tokens) {
        if (auto done = chainer.add(std::move(token)); !done)
            return tl::make_unexpected(std::move(done.error()));
    }
    return chainer.finish(first_line);
}

}  // namespace offhook::media
