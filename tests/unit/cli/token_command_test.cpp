#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/digest.h"
#include "cli/api_access.h"
#include "cli/token_command.h"

namespace offhook::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(TokenCommand, ATokenIsNewEachTime) {
    const base::Secret a = new_token();
    const base::Secret b = new_token();
    EXPECT_NE(a.reveal(), b.reveal());
    EXPECT_EQ(a.reveal().size(), 48U);
    EXPECT_EQ(access::from_base64url(a.reveal().substr(5)).size(), 32U);
}

TEST(TokenCommand, TheTableHasItsDigestAlone) {
    const base::Secret token = new_token();
    EXPECT_THAT(token_table(token, "ops", "Anna \"A\"", {"read", "operate"}),
                AllOf(HasSubstr("[[token]]\nname = \"ops\"\nuser = \"Anna \\\"A\\\"\"\n"),
                      HasSubstr("scopes = [\"read\", \"operate\"]"),
                      HasSubstr(access::hex(access::sha256(token.reveal()))),
                      Not(HasSubstr(token.reveal()))));
    EXPECT_THAT(token_table(token, "ops", "", {"read"}), Not(HasSubstr("user")));
}

TEST(ApiAccess, SaysWhatToDoAboutARefusal) {
    ApiAddress address;
    address.host = "127.0.0.1";
    EXPECT_THAT(refusal_text(address, {401, "{}"}), HasSubstr("--token-file"));
    address.token = "t";
    EXPECT_THAT(refusal_text(address, {401, "{}"}), HasSubstr("not one of this daemon"));
    EXPECT_THAT(refusal_text(address,
                             {403, R"({"title":"No","detail":"it takes \u001b[2J","hint":"ask"})"}),
                AllOf(HasSubstr("403: No: it takes "), HasSubstr(": ask"), Not(HasSubstr("\x1b"))));
    EXPECT_THAT(refusal_text(address, {502, "<html>"}), HasSubstr("answers 502"));
}

}  // namespace
}  // namespace offhook::cli
