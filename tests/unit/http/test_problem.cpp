#include "http/problem.h"

#include <gtest/gtest.h>

#include "http/request_id.h"

namespace offhook::http {
namespace {

TEST(Problem, IsRfc9457AndEscaped) {
    const Response response = problem_response(
        {404, "not-found", "There is no such thing", "no \x1b[31m\n", "look"}, "/a\"\xFF", "r-1");
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_EQ(
        response.body,
        R"({"type":"urn:offhook:problem:not-found","title":"There is no such thing","status":404,)"
        R"("detail":"no \\x1B[31m\\x0A","instance":"/a\"\\xFF","code":"not-found","hint":"look","request_id":"r-1"})"
        "\n");
}

TEST(Problem, OurErrorsHaveOneStatusEach) {
    EXPECT_EQ(problem_of({base::ErrorCode::NotFound, "m", {}}).status, 404);
    EXPECT_EQ(problem_of({base::ErrorCode::Conflict, "m", {}}).status, 409);
    EXPECT_EQ(problem_of({base::ErrorCode::InvalidArgument, "m", {}}).status, 400);
    EXPECT_EQ(problem_of({base::ErrorCode::LimitReached, "m", {}}).status, 503);
    EXPECT_EQ(problem_of({base::ErrorCode::Internal, "m", "c"}).detail, "m: c");
}

TEST(RequestId, TakesAPlainOneAndReplacesTheRest) {
    EXPECT_EQ(request_id_from("abc-123_X.y"), "abc-123_X.y");
    for (const std::string& bad : {std::string(),
                                   std::string(65, 'a'),
                                   std::string("a b"),
                                   std::string("a\nb"),
                                   std::string("\xC3\xBC"),
                                   std::string("<img>"),
                                   std::string("a\"b")}) {
        const std::string made = request_id_from(bad);
        EXPECT_EQ(made.size(), 14U);
        EXPECT_EQ(made.substr(0, 2), "r-");
    }
    EXPECT_NE(request_id_from(""), request_id_from(""));
}

}  // namespace
}  // namespace offhook::http
