// Answers of workers are held to the same standard as requests: what two readers could read in two
// ways is a 502. The sources are those of request_strictness_test.cc.
#include <string>

#include <gtest/gtest.h>

#include "tests/common/http/verdicts.h"

namespace gocomet::http {
namespace {

using namespace std::string_literals;  // NOLINT: for texts with NUL in them.

struct Row {
  const char* what;
  std::string input;
  const char* verdict;
};

std::string Line(const std::string& line) { return "HTTP/1.1 200 OK\r\n" + line + "\r\n\r\n"; }
std::string Chunks(const std::string& body) { return Line("Transfer-Encoding: chunked") + body; }

template <size_t kRows>
void Check(const Row (&table)[kRows], std::string_view method = "GET") {
  for (const Row& row : table) {
    EXPECT_EQ(VerdictOnResponse(row.input, method), row.verdict) << row.what;
  }
}

// RFC 9112, 4.
TEST(ResponseStrictness, StatusLines) {
  Check({
      {"a status", "HTTP/1.1 200 OK\r\n\r\n", "until close"},
      {"no reason", "HTTP/1.1 200 \r\n\r\n", "until close"},
      {"no reason, and no space for it", "HTTP/1.1 200\r\n\r\n", "until close"},
      {"a reason with obs-text", "HTTP/1.1 200 d\xe9j\xe0\r\n\r\n", "until close"},
      {"a status that nobody knows", "HTTP/1.1 799 X\r\n\r\n", "until close"},
      {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n", "until close"},
      {"HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", "502 version_not_supported"},
      {"HTTP/2", "HTTP/2 200\r\n\r\n", "502 version"},
      {"ICY", "ICY 200 OK\r\n\r\n", "502 version"},
      {"HTTP/0.9", "<html>", "502 version"},
      {"a lower-case version", "http/1.1 200 OK\r\n\r\n", "502 version"},
      {"two spaces", "HTTP/1.1  200 OK\r\n\r\n", "502 status_line"},
      {"a tab", "HTTP/1.1\t200 OK\r\n\r\n", "502 status_line"},
      {"two digits", "HTTP/1.1 20 OK\r\n\r\n", "502 status_line"},
      {"four digits", "HTTP/1.1 2000 OK\r\n\r\n", "502 status_line"},
      {"below 100", "HTTP/1.1 099 X\r\n\r\n", "502 status_line"},
      {"a sign", "HTTP/1.1 +20 OK\r\n\r\n", "502 status_line"},
      {"a status and a point", "HTTP/1.1 200.1 OK\r\n\r\n", "502 status_line"},
      {"NUL in the reason", "HTTP/1.1 200 \0\r\n\r\n"s, "502 control_character_in_reason"},
      {"a CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n", "502 line_not_ended_by_crlf"},
      {"the line ended by LF", "HTTP/1.1 200 OK\nX: a\n\n", "502 line_not_ended_by_crlf"},
      {"an empty line before", "\r\nHTTP/1.1 200 OK\r\n\r\n", "502 version"},
      {"a space before", " HTTP/1.1 200 OK\r\n\r\n", "502 version"},
      {"a head that is too large", Line("X: " + std::string(20'000, 'a')), "502 head_too_large"},
  });
}

// RFC 9112, 6.3.
TEST(ResponseStrictness, Framing) {
  const std::string chunked = "Transfer-Encoding: chunked";
  Check({
      {"a length", Line("Content-Length: 5"), "length 5"},
      {"nought", Line("Content-Length: 0"), "none"},
      {"chunked", Line(chunked), "chunked"},
      {"neither", Line("X: a"), "until close"},
      {"both", Line("Content-Length: 5\r\n" + chunked), "502 length_and_transfer_coding"},
      {"a length twice", Line("Content-Length: 5\r\nContent-Length: 5"),
       "502 several_content_lengths"},
      {"two lengths", Line("Content-Length: 5\r\nContent-Length: 6"),
       "502 several_content_lengths"},
      {"a list of lengths", Line("Content-Length: 5, 5"), "502 content_length"},
      {"a negative length", Line("Content-Length: -1"), "502 content_length"},
      {"an empty length", Line("Content-Length:"), "502 content_length"},
      {"2^64", Line("Content-Length: 18446744073709551616"), "502 content_length"},
      {"an unknown coding", Line("Transfer-Encoding: gzip"), "502 unknown_transfer_coding"},
      {"gzip and chunked", Line("Transfer-Encoding: gzip, chunked"), "502 unknown_transfer_coding"},
      {"identity", Line("Transfer-Encoding: identity"), "502 unknown_transfer_coding"},
      {"chunked twice", Line(chunked + "\r\n" + chunked), "502 several_transfer_codings"},
      {"chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\n" + chunked + "\r\n\r\n",
       "502 transfer_coding_in_http_1_0"},
      {"a space before the colon", Line("Content-Length : 5"), "502 field_name_not_a_token"},
      {"folded", Line("Content-Length:\r\n 5"), "502 folded_line"},
      {"a bare LF", Line("X: a\nContent-Length: 5"), "502 line_not_ended_by_crlf"},
      {"a bare CR", Line("X: a\rContent-Length: 5"), "502 line_not_ended_by_crlf"},
      {"NUL", Line("X: \0"s), "502 control_character_in_field"},
      {"no colon", Line("X"), "502 field_without_colon"},
      {"too many fields", Line([] {
         std::string lines = "X: a";
         for (int i = 0; i < 100; ++i) lines += "\r\nX: a";
         return lines;
       }()),
       "502 too_many_fields"},
  });
}

// RFC 9110, 6.4.1: these have no body, whatever their fields say.
TEST(ResponseStrictness, AnswersWithoutABody) {
  for (const std::string status : {"100", "103", "199", "204", "304"}) {
    const std::string line = "HTTP/1.1 " + status + " X\r\n";
    const Row table[] = {
        {"neither", line + "\r\n", "none"},
        {"a length", line + "Content-Length: 5\r\n\r\n", "none"},
        {"chunked", line + "Transfer-Encoding: chunked\r\n\r\n", "none"},
        {"both", line + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
         "502 length_and_transfer_coding"},
        {"a bad length", line + "Content-Length: x\r\n\r\n", "502 content_length"},
    };
    SCOPED_TRACE(status);
    Check(table);
  }
  Check({{"neither", Line("X: a"), "none"},
         {"a length", Line("Content-Length: 5"), "none"},
         {"chunked", Line("Transfer-Encoding: chunked"), "none"},
         {"both", Line("Content-Length: 5\r\nTransfer-Encoding: chunked"),
          "502 length_and_transfer_coding"}},
        "HEAD");
  Check({{"205 may have one", "HTTP/1.1 205 X\r\nContent-Length: 5\r\n\r\n", "length 5"}});
}

TEST(ResponseStrictness, Chunks) {
  Check({
      {"chunks and a trailer", Chunks("5;a\r\nhello\r\n0\r\nX: a\r\n\r\n"), "chunked"},
      {"a size with a space", Chunks("5 \r\nhello\r\n0\r\n\r\n"), "bad body"},
      {"a size ended by LF", Chunks("5\nhello\r\n0\r\n\r\n"), "bad body"},
      {"2^64 + 5", Chunks("10000000000000005\r\nhello\r\n0\r\n\r\n"), "bad body"},
      {"data that is too long", Chunks("5\r\nhello!\r\n0\r\n\r\n"), "bad body"},
      {"a trailer that frames", Chunks("0\r\nContent-Length: 5\r\n\r\n"), "bad body"},
      {"another answer instead of the end", Chunks("0\r\nHTTP/1.1 200 OK\r\n\r\n"), "bad body"},
  });
}

}  // namespace
}  // namespace gocomet::http
