#include "ai/protocols/base64.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace offhook::ai {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}
std::string encoded(std::string_view text) {
    std::string out;
    append_base64(bytes_of(text), out);
    return out;
}
/// "?" when it cannot be read.
std::string decoded(std::string_view text) {
    std::vector<std::byte> out{std::byte{7}};
    if (!decode_base64(text, out)) return out.empty() ? "?" : "not empty";
    return {reinterpret_cast<const char*>(out.data()), out.size()};
}

TEST(Base64, KnowsTheVectorsOfRfc4648) {
    const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                     {"f", "Zg=="},
                                                                     {"fo", "Zm8="},
                                                                     {"foo", "Zm9v"},
                                                                     {"foob", "Zm9vYg=="},
                                                                     {"fooba", "Zm9vYmE="},
                                                                     {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, text] : vectors) {
        EXPECT_EQ(encoded(plain), text);
        EXPECT_EQ(decoded(text), plain);
    }
}

TEST(Base64, EncodesBehindWhatIsThere) {
    std::string out = "payload:";
    append_base64(bytes_of("foob"), out);
    EXPECT_EQ(out, "payload:Zm9vYg==");
}

TEST(Base64, TakesWhatBotsWrite) {
    EXPECT_EQ(decoded("Zm9v\r\nYmFy\n"), "foobar");
    EXPECT_EQ(decoded(" Z m 9 v "), "foo");
    EXPECT_EQ(decoded("Zm8"), "fo");  // no padding
    EXPECT_EQ(decoded("Zg"), "f");
    EXPECT_EQ(decoded("Zg= ="), "f");
    EXPECT_EQ(decoded("-_-_"), decoded("+/+/"));
}

TEST(Base64, RefusesWhatIsNone) {
    for (const std::string_view text : {"Z",
                                        "Zm9vZ",
                                        "Zg=",
                                        "Zm9v=",
                                        "Zm9v==",
                                        "Z===",
                                        "Zg==Zg==",
                                        "Zm8=Z",
                                        "Zm9*",
                                        "Zm\x80v",
                                        "====",
                                        "data:audio,Zm9v"}) {
        EXPECT_EQ(decoded(text), "?") << text;
    }
    EXPECT_EQ(decoded(std::string_view("Zm9\0", 4)), "?");
}

TEST(Base64, RoundTripsEveryLength) {
    std::mt19937 random(1);
    for (std::size_t length = 0; length < 400; ++length) {
        std::string plain(length, ' ');
        for (char& c : plain) c = static_cast<char>(random());
        const std::string text = encoded(plain);
        ASSERT_EQ(text.size(), base64_length(length));
        ASSERT_EQ(decoded(text), plain) << length;
    }
}

TEST(Base64, SurvivesAnything) {
    std::mt19937 random(2);
    const std::string_view letters = "AZaz09+/-_== \n*\xff";
    std::vector<std::byte> out;
    for (int i = 0; i < 20'000; ++i) {
        std::string text(random() % 40, ' ');
        for (char& c : text) c = letters[random() % letters.size()];
        if (!decode_base64(text, out)) out.clear();
        EXPECT_LE(out.size(), text.size() / 4 * 3 + 2) << text;
    }
}

}  // namespace
}  // namespace offhook::ai
