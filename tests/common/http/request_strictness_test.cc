// What is accepted of requests, and what is not: each way to hide one request in another that is
// known to have worked somewhere, and each rule of RFC 9110 and RFC 9112 about where a message
// ends.
//
// Sources of the vectors, besides the RFCs: Linhart, Klein, Heled, Orrin: HTTP Request Smuggling
// (2005); Kettle: HTTP Desync Attacks (2019), Browser-Powered Desync Attacks (2022); Klein: HTTP
// Request Smuggling in 2020; Jabiyev et al.: T-Reqs (2021); Davison: Abusing hop-by-hop headers
// (2019); Bishop Fox: h2c smuggling (2020); Kallus and Bratus: HTTP Garden (2024); advisories on
// chunk extensions and on bare CR and LF since.
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

std::string Head(const std::string& lines) { return "POST / HTTP/1.1\r\nHost: h\r\n" + lines; }
std::string Line(const std::string& line) {
  return "GET / HTTP/1.1\r\nHost: h\r\n" + line + "\r\n\r\n";
}
std::string Chunks(const std::string& body) {
  return Head("Transfer-Encoding: chunked\r\n\r\n") + body;
}

template <size_t kRows>
void Check(const Row (&table)[kRows]) {
  for (const Row& row : table) EXPECT_EQ(VerdictOnRequest(row.input), row.verdict) << row.what;
}

// RFC 9112, 6.1 and 6.3.
TEST(RequestStrictness, LengthAndTransferCodingTogether) {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  Check({
      {"CL.TE", Head("Content-Length: 6\r\n" + chunked + "\r\n0\r\n\r\nG"),
       "400 length_and_transfer_coding"},
      {"TE.CL", Head(chunked + "Content-Length: 4\r\n\r\n5c\r\nGPOST"),
       "400 length_and_transfer_coding"},
      {"CL.0 with TE", Head("Content-Length: 0\r\n" + chunked + "\r\n"),
       "400 length_and_transfer_coding"},
      {"TE and a bad CL", Head(chunked + "Content-Length: x\r\n\r\n"),
       "400 length_and_transfer_coding"},
      {"an unknown TE and CL", Head("Transfer-Encoding: x\r\nContent-Length: 3\r\n\r\nabc"),
       "400 length_and_transfer_coding"},
      {"an empty TE and CL", Head("Transfer-Encoding:\r\nContent-Length: 3\r\n\r\nabc"),
       "400 length_and_transfer_coding"},
      {"TE named by Connection, and CL",
       Head("Connection: Transfer-Encoding\r\n" + chunked + "Content-Length: 5\r\n\r\n0\r\n\r\n"),
       "400 length_and_transfer_coding"},
      {"CL that Connection names still counts",
       Head("Connection: Content-Length\r\nContent-Length: 5\r\n\r\n"), "length 5"},
      {"TE that Connection names still counts",
       Head("Connection: Transfer-Encoding\r\n" + chunked + "\r\n"), "chunked"},
  });
}

// RFC 9112, 6.1 and 7: chunked, once, last, and nothing that is not known.
TEST(RequestStrictness, SpellingsOfTransferEncoding) {
  Check({
      {"chunked", Line("Transfer-Encoding: chunked"), "chunked"},
      {"in any case", Line("tRANSFER-eNCODING: CHUNKED"), "chunked"},
      {"with white space around it", Line("Transfer-Encoding: \t chunked \t"), "chunked"},
      {"without white space", Line("Transfer-Encoding:chunked"), "chunked"},
      {"TE.TE, the second unknown", Line("Transfer-Encoding: chunked\r\nTransfer-Encoding: x"),
       "400 several_transfer_codings"},
      {"TE.TE, the first unknown", Line("Transfer-Encoding: x\r\nTransfer-encoding: chunked"),
       "400 several_transfer_codings"},
      {"chunked twice in two lines",
       Line("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
       "400 several_transfer_codings"},
      {"chunked and then identity",
       Line("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
       "400 several_transfer_codings"},
      {"chunked twice", Line("Transfer-Encoding: chunked, chunked"), "501 unknown_transfer_coding"},
      {"gzip and chunked", Line("Transfer-Encoding: gzip, chunked"), "501 unknown_transfer_coding"},
      {"chunked and identity", Line("Transfer-Encoding: chunked, identity"),
       "501 unknown_transfer_coding"},
      {"identity", Line("Transfer-Encoding: identity"), "501 unknown_transfer_coding"},
      {"xchunked", Line("Transfer-Encoding: xchunked"), "501 unknown_transfer_coding"},
      {"chunkedx", Line("Transfer-Encoding: chunkedx"), "501 unknown_transfer_coding"},
      {"chunk", Line("Transfer-Encoding: chunk"), "501 unknown_transfer_coding"},
      {"a leading comma", Line("Transfer-Encoding: ,chunked"), "501 unknown_transfer_coding"},
      {"a trailing comma", Line("Transfer-Encoding: chunked,"), "501 unknown_transfer_coding"},
      {"a parameter", Line("Transfer-Encoding: chunked;q=1"), "501 unknown_transfer_coding"},
      {"quoted", Line("Transfer-Encoding: \"chunked\""), "501 unknown_transfer_coding"},
      {"in apostrophes", Line("Transfer-Encoding: 'chunked'"), "501 unknown_transfer_coding"},
      {"empty", Line("Transfer-Encoding:"), "501 unknown_transfer_coding"},
      {"with a comment", Line("Transfer-Encoding: chunked (a)"), "501 unknown_transfer_coding"},
      {"with obs-text before it",
       Line("Transfer-Encoding: \xff"
            "chunked"),
       "501 unknown_transfer_coding"},
      {"with a no-break space",
       Line("Transfer-Encoding: \xa0"
            "chunked"),
       "501 unknown_transfer_coding"},
      {"with the sign of kelvin for k",
       Line("Transfer-Encoding: chun\xe2\x84\xaa"
            "ed"),
       "501 unknown_transfer_coding"},
      {"a vertical tab before it",
       Line("Transfer-Encoding: \x0b"
            "chunked"),
       "400 control_character_in_field"},
      {"a form feed before it",
       Line("Transfer-Encoding: \x0c"
            "chunked"),
       "400 control_character_in_field"},
      {"a vertical tab after it", Line("Transfer-Encoding: chunked\x0b"),
       "400 control_character_in_field"},
      {"backspace after it", Line("Transfer-Encoding: chunked\b"),
       "400 control_character_in_field"},
      {"NUL after it", Line("Transfer-Encoding: chunked\0"s), "400 control_character_in_field"},
      {"NUL before it", Line("Transfer-Encoding: \0chunked"s), "400 control_character_in_field"},
      {"a bare CR before it", Line("Transfer-Encoding:\rchunked"), "400 line_not_ended_by_crlf"},
      {"a bare CR after it", Line("Transfer-Encoding: chunked\r"), "400 line_not_ended_by_crlf"},
      {"a bare LF before it", Line("Transfer-Encoding:\nchunked"), "400 line_not_ended_by_crlf"},
      {"folded before it", Line("Transfer-Encoding:\r\n chunked"), "400 folded_line"},
      {"folded before it with a tab", Line("Transfer-Encoding:\r\n\tchunked"), "400 folded_line"},
      {"folded after it", Line("Transfer-Encoding: chunked\r\n , identity"), "400 folded_line"},
      {"a space before the colon", Line("Transfer-Encoding : chunked"),
       "400 field_name_not_a_token"},
      {"a tab before the colon", Line("Transfer-Encoding\t: chunked"),
       "400 field_name_not_a_token"},
      {"a vertical tab before the colon", Line("Transfer-Encoding\x0b: chunked"),
       "400 field_name_not_a_token"},
      {"NUL before the colon", Line("Transfer-Encoding\0: chunked"s), "400 field_name_not_a_token"},
      {"a space before the name", Line(" Transfer-Encoding: chunked"), "400 folded_line"},
      {"a tab before the name", Line("\tTransfer-Encoding: chunked"), "400 folded_line"},
      {"a space within the name", Line("Transfer Encoding: chunked"), "400 field_name_not_a_token"},
      {"a quote in the name", Line("\"Transfer-Encoding\": chunked"), "400 field_name_not_a_token"},
      {"obs-text in the name", Line("Transfer-Encoding\xff: chunked"),
       "400 field_name_not_a_token"},
      {"a byte-order mark before the name", Line("\xef\xbb\xbfTransfer-Encoding: chunked"),
       "400 field_name_not_a_token"},
      {"hidden behind a bare CR", Line("X: a\rTransfer-Encoding: chunked"),
       "400 line_not_ended_by_crlf"},
      {"hidden behind a bare LF", Line("X: a\nTransfer-Encoding: chunked"),
       "400 line_not_ended_by_crlf"},
      {"hidden behind LF CR", Line("X: a\n\rTransfer-Encoding: chunked"),
       "400 line_not_ended_by_crlf"},
      {"hidden behind a next line of C1", Line("X: a\x85Transfer-Encoding: chunked"), "none"},
      {"an underscore makes another field", Line("Transfer_Encoding: chunked"), "none"},
      {"so does a longer name", Line("Transfer-Encoding-: chunked"), "none"},
      {"and a shorter one", Line("ransfer-Encoding: chunked"), "none"},
      {"in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "400 transfer_coding_in_http_1_0"},
      {"with GET", Line("Transfer-Encoding: chunked"), "chunked"},
  });
}

// RFC 9110, 8.6.
TEST(RequestStrictness, SpellingsOfContentLength) {
  Check({
      {"a length", Line("Content-Length: 5"), "length 5"},
      {"nought", Line("Content-Length: 0"), "none"},
      {"with white space around it", Line("Content-Length: \t5\t "), "length 5"},
      {"leading noughts", Line("Content-Length: 0005"), "length 5"},
      {"the most", Line("Content-Length: 4611686018427387904"), "length 4611686018427387904"},
      {"more than the most", Line("Content-Length: 4611686018427387905"), "400 content_length"},
      {"two that differ", Line("Content-Length: 5\r\nContent-Length: 6"),
       "400 several_content_lengths"},
      {"two alike", Line("Content-Length: 5\r\nContent-Length: 5"), "400 several_content_lengths"},
      {"two alike, spelt in two ways", Line("Content-Length: 5\r\ncontent-length: 05"),
       "400 several_content_lengths"},
      {"the second one empty", Line("Content-Length: 5\r\nContent-Length:"),
       "400 several_content_lengths"},
      {"a list of two alike", Line("Content-Length: 5, 5"), "400 content_length"},
      {"a list of two that differ", Line("Content-Length: 5,6"), "400 content_length"},
      {"a trailing comma", Line("Content-Length: 5,"), "400 content_length"},
      {"empty", Line("Content-Length:"), "400 content_length"},
      {"only white space", Line("Content-Length: \t"), "400 content_length"},
      {"a plus", Line("Content-Length: +5"), "400 content_length"},
      {"a minus", Line("Content-Length: -5"), "400 content_length"},
      {"minus nought", Line("Content-Length: -0"), "400 content_length"},
      {"hexadecimal", Line("Content-Length: 0x5"), "400 content_length"},
      {"hexadecimal without 0x", Line("Content-Length: a"), "400 content_length"},
      {"octal as some write it", Line("Content-Length: 0o5"), "400 content_length"},
      {"with an underscore", Line("Content-Length: 1_0"), "400 content_length"},
      {"with an exponent", Line("Content-Length: 1e1"), "400 content_length"},
      {"with a point", Line("Content-Length: 5.0"), "400 content_length"},
      {"with a space in it", Line("Content-Length: 5 5"), "400 content_length"},
      {"with a letter behind it", Line("Content-Length: 5a"), "400 content_length"},
      {"with a semicolon", Line("Content-Length: 5;a"), "400 content_length"},
      {"in quotes", Line("Content-Length: \"5\""), "400 content_length"},
      {"in other digits", Line("Content-Length: \xd9\xa5"), "400 content_length"},
      {"2^32 + 5 is not 5", Line("Content-Length: 4294967301"), "length 4294967301"},
      {"2^63", Line("Content-Length: 9223372036854775808"), "400 content_length"},
      {"2^64", Line("Content-Length: 18446744073709551616"), "400 content_length"},
      {"2^64 + 5", Line("Content-Length: 18446744073709551621"), "400 content_length"},
      {"a hundred noughts", Line("Content-Length: " + std::string(100, '0')), "400 content_length"},
      {"NUL behind it", Line("Content-Length: 5\0"s), "400 control_character_in_field"},
      {"a vertical tab before it",
       Line("Content-Length: \x0b"
            "5"),
       "400 control_character_in_field"},
      {"a space before the colon", Line("Content-Length : 5"), "400 field_name_not_a_token"},
      {"folded", Line("Content-Length:\r\n 5"), "400 folded_line"},
      {"with GET", Line("Content-Length: 3"), "length 3"},
      {"an underscore makes another field", Line("Content_Length: 5"), "none"},
  });
}

// RFC 9112, 7.1.
TEST(RequestStrictness, Chunks) {
  Check({
      {"a chunk", Chunks("5\r\nhello\r\n0\r\n\r\n"), "chunked"},
      {"digits in both cases", Chunks("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"),
       "chunked"},
      {"leading noughts", Chunks("0005\r\nhello\r\n000\r\n\r\n"), "chunked"},
      {"an extension", Chunks("5;a=b;c=\"d;e\"\r\nhello\r\n0;f\r\n\r\n"), "chunked"},
      {"no size", Chunks("\r\nhello\r\n0\r\n\r\n"), "bad body"},
      {"an extension without a size", Chunks(";a\r\nhello\r\n0\r\n\r\n"), "bad body"},
      {"not a digit", Chunks("g\r\n"), "bad body"},
      {"a plus", Chunks("+5\r\nhello\r\n0\r\n\r\n"), "bad body"},
      {"a minus", Chunks("-5\r\nhello\r\n0\r\n\r\n"), "bad body"},
      {"0x", Chunks("0x5\r\nhello\r\n0\r\n\r\n"), "bad body"},
      {"an underscore", Chunks("0_5\r\nhello\r\n0\r\n\r\n"), "bad body"},
      {"a space before the size", Chunks(" 5\r\nhello\r\n0\r\n\r\n"), "bad body"},
      {"a space behind the size", Chunks("5 \r\nhello\r\n0\r\n\r\n"), "bad body"},
      {"a tab behind the size", Chunks("5\t\r\nhello\r\n0\r\n\r\n"), "bad body"},
      {"white space before an extension", Chunks("5 ;a\r\nhello\r\n0\r\n\r\n"), "bad body"},
      {"NUL behind the size", Chunks("5\0\r\nhello\r\n0\r\n\r\n"s), "bad body"},
      {"two sizes", Chunks("5,5\r\nhello\r\n0\r\n\r\n"), "bad body"},
      {"16 digits", Chunks("0000000000000005\r\nhello\r\n0\r\n\r\n"), "bad body"},
      {"2^64 + 5", Chunks("10000000000000005\r\nhello\r\n0\r\n\r\n"), "bad body"},
      {"2^32 + 5 is not 5", Chunks("100000005\r\nhello\r\n0\r\n\r\n"), "chunked"},
      {"a size ended by LF", Chunks("5\nhello\r\n0\r\n\r\n"), "bad body"},
      {"a size ended by CR", Chunks("5\rhello\r\n0\r\n\r\n"), "bad body"},
      {"a size ended by CR CR LF", Chunks("5\r\r\nhello\r\n0\r\n\r\n"), "bad body"},
      {"an extension ended by LF", Chunks("5;\nhello\r\n0\r\n\r\n"), "bad body"},
      {"an extension with LF in it (TERM.EXT)", Chunks("5;a\nb\r\nhello\r\n0\r\n\r\n"), "bad body"},
      {"an extension with CR in it (EXT.TERM)", Chunks("5;a\rb\r\nhello\r\n0\r\n\r\n"), "bad body"},
      {"an extension with LF in quotes", Chunks("5;a=\"\n\"\r\nhello\r\n0\r\n\r\n"), "bad body"},
      {"an extension with a control character", Chunks("5;a\x01\r\nhello\r\n0\r\n\r\n"),
       "bad body"},
      {"an extension without end", Chunks("5;" + std::string(5000, 'a')), "bad body"},
      {"data that is too long", Chunks("5\r\nhello!\r\n0\r\n\r\n"), "bad body"},
      {"data that is too short", Chunks("5\r\nhell\r\n0\r\n\r\n"), "bad body"},
      {"data ended by two other bytes", Chunks("5\r\nhelloXX0\r\n\r\n"), "bad body"},
      {"data ended by LF", Chunks("5\r\nhello\n0\r\n\r\n"), "bad body"},
      {"data ended by CR", Chunks("5\r\nhello\r0\r\n\r\n"), "bad body"},
      {"data ended by nothing", Chunks("5\r\nhello0\r\n\r\n"), "bad body"},
      {"the end by LF", Chunks("0\n\n"), "bad body"},
      {"the end by CRLF LF", Chunks("0\r\n\n"), "bad body"},
      {"the end by CRLF CR", Chunks("0\r\n\rX"), "bad body"},
      {"another request instead of the end", Chunks("0\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"),
       "bad body"},
  });
}

// RFC 9110, 6.5.1; RFC 9112, 7.1.2.
TEST(RequestStrictness, Trailers) {
  Check({
      {"a trailer", Chunks("0\r\nX-Sum: 1\r\n\r\n"), "chunked"},
      {"a trailer without value", Chunks("0\r\nX:\r\n\r\n"), "chunked"},
      {"Content-Length", Chunks("0\r\nContent-Length: 5\r\n\r\n"), "bad body"},
      {"Transfer-Encoding", Chunks("0\r\ntransfer-encoding: chunked\r\n\r\n"), "bad body"},
      {"Host", Chunks("0\r\nX: a\r\nHOST: evil\r\n\r\n"), "bad body"},
      {"Connection", Chunks("0\r\nConnection: X\r\n\r\n"), "bad body"},
      {"Upgrade", Chunks("0\r\nUpgrade: x\r\n\r\n"), "bad body"},
      {"Expect", Chunks("0\r\nExpect: 100-continue\r\n\r\n"), "bad body"},
      {"Trailer", Chunks("0\r\nTrailer: X\r\n\r\n"), "bad body"},
      {"no colon", Chunks("0\r\nX\r\n\r\n"), "bad body"},
      {"no name", Chunks("0\r\n: a\r\n\r\n"), "bad body"},
      {"a space before the colon", Chunks("0\r\nX : a\r\n\r\n"), "bad body"},
      {"a space before the name", Chunks("0\r\n X: a\r\n\r\n"), "bad body"},
      {"folded", Chunks("0\r\nX: a\r\n b\r\n\r\n"), "bad body"},
      {"a bare LF", Chunks("0\r\nX: a\n\r\n"), "bad body"},
      {"a bare CR", Chunks("0\r\nX: a\rb\r\n\r\n"), "bad body"},
      {"NUL", Chunks("0\r\nX: \0\r\n\r\n"s), "bad body"},
      {"without end", Chunks("0\r\nX: " + std::string(70'000, 'a')), "bad body"},
  });
}

// RFC 9112, 2.2, 2.3 and 3.
TEST(RequestStrictness, RequestLines) {
  const std::string host = "\r\nHost: h\r\n\r\n";
  Check({
      {"GET", "GET / HTTP/1.1" + host, "none"},
      {"a method that nobody knows", "BREW /pot HTTP/1.1" + host, "none"},
      {"methods tell cases apart", "get / HTTP/1.1" + host, "none"},
      {"empty lines before", "\r\n\r\nGET / HTTP/1.1" + host, "none"},
      {"more empty lines before", "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1" + host, "400 empty_lines"},
      {"an empty line of LF before", "\nGET / HTTP/1.1" + host, "400 request_line"},
      {"a CR before", "\rGET / HTTP/1.1" + host, "400 line_not_ended_by_crlf"},
      {"a space before", " GET / HTTP/1.1" + host, "400 method_not_a_token"},
      {"NUL before", "\0GET / HTTP/1.1"s + host, "400 method_not_a_token"},
      {"a byte-order mark before", "\xef\xbb\xbfGET / HTTP/1.1" + host, "400 method_not_a_token"},
      {"a colon in the method", "GET: / HTTP/1.1" + host, "400 method_not_a_token"},
      {"two spaces behind the method", "GET  / HTTP/1.1" + host, "400 target"},
      {"a tab behind the method", "GET\t/ HTTP/1.1" + host, "400 method_not_a_token"},
      {"a vertical tab behind the method", "GET\x0b/ HTTP/1.1" + host, "400 method_not_a_token"},
      {"two spaces before the version", "GET /  HTTP/1.1" + host, "400 version"},
      {"a tab before the version", "GET /\tHTTP/1.1" + host, "400 target"},
      {"a space in the target", "GET /a b HTTP/1.1" + host, "400 version"},
      {"two requests in one line", "GET / HTTP/1.1 GET /b HTTP/1.1" + host,
       "400 line_not_ended_by_crlf"},
      {"a CR in the target", "GET /a\rb HTTP/1.1" + host, "400 request_line"},
      {"NUL in the target", "GET /a\0b HTTP/1.1"s + host, "400 target"},
      {"DEL in the target", "GET /\x7f HTTP/1.1" + host, "400 target"},
      {"bytes above ASCII in the target", "GET /\xc3\xa9 HTTP/1.1" + host, "400 target"},
      {"a fragment in the target", "GET /a#b HTTP/1.1" + host, "400 target"},
      {"what URIs do not allow but clients send", "GET /a|b\"<>^`{}\\?%zz[] HTTP/1.1" + host,
       "none"},
      {"an encoded CRLF is only text", "GET /%0d%0aHost:%20evil HTTP/1.1" + host, "none"},
      {"a space behind the version", "GET / HTTP/1.1 " + host, "400 line_not_ended_by_crlf"},
      {"a tab behind the version", "GET / HTTP/1.1\t" + host, "400 line_not_ended_by_crlf"},
      {"the line ended by LF", "GET / HTTP/1.1\nHost: h\n\n", "400 line_not_ended_by_crlf"},
      {"the line ended by CR", "GET / HTTP/1.1\rHost: h\r\r", "400 line_not_ended_by_crlf"},
      {"HTTP/0.9", "GET /\r\n\r\n", "400 request_line"},
      {"HTTP/0.9 spelt out", "GET / HTTP/0.9" + host, "505 version_not_supported"},
      {"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "none"},
      {"HTTP/1.2", "GET / HTTP/1.2" + host, "505 version_not_supported"},
      {"HTTP/2.0", "GET / HTTP/2.0" + host, "505 version_not_supported"},
      {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 version_not_supported"},
      {"HTTP/3", "GET / HTTP/3" + host, "400 version"},
      {"HTTP/1", "GET / HTTP/1" + host, "400 version"},
      {"HTTP/1.", "GET / HTTP/1." + host, "400 version"},
      {"HTTP/1.10", "GET / HTTP/1.10" + host, "400 line_not_ended_by_crlf"},
      {"HTTP/01.1", "GET / HTTP/01.1" + host, "400 version"},
      {"HTTP/1.x", "GET / HTTP/1.x" + host, "400 version"},
      {"HTTP/1,1", "GET / HTTP/1,1" + host, "400 version"},
      {"HTTP /1.1", "GET / HTTP /1.1" + host, "400 version"},
      {"HTTP/ 1.1", "GET / HTTP/ 1.1" + host, "400 version"},
      {"a lower-case version", "GET / http/1.1" + host, "400 version"},
      {"another protocol", "GET / RTSP/1.0" + host, "400 version"},
      {"a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, "400 method_not_a_token"},
      {"the line of a proxy", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET / HTTP/1.1" + host,
       "400 version"},
      {"a long target", "GET /" + std::string(9000, 'a') + " HTTP/1.1" + host,
       "414 target_too_long"},
  });
}

// RFC 9112, 3.2 and 3.3; RFC 9110, 4.2 and 9.3.6.
TEST(RequestStrictness, TargetsAndHosts) {
  const std::string host = " HTTP/1.1\r\nHost: h\r\n\r\n";
  Check({
      {"origin-form", "GET /a?b" + host, "none"},
      {"origin-form with two slashes", "GET //evil/a" + host, "none"},
      {"origin-form that looks absolute", "GET /http://evil/" + host, "none"},
      {"absolute-form", "GET http://a/b" + host, "none"},
      {"absolute-form in capitals", "GET HTTP://A/b" + host, "none"},
      {"absolute-form with a port", "GET http://a:80/b" + host, "none"},
      {"absolute-form without a path", "GET http://a" + host, "none"},
      {"absolute-form with only a query", "GET http://a?b" + host, "none"},
      {"absolute-form without Host", "GET http://a/ HTTP/1.1\r\n\r\n", "400 host"},
      {"absolute-form with a user", "GET http://u@a/" + host, "400 target"},
      {"absolute-form with a password", "GET http://u:p@a/" + host, "400 target"},
      {"absolute-form without authority", "GET http:///b" + host, "400 target"},
      {"absolute-form with only a port", "GET http://:80/b" + host, "400 target"},
      {"absolute-form with one slash", "GET http:/a/b" + host, "400 target"},
      {"absolute-form with a backslash", "GET http://a\\b/" + host, "400 target"},
      {"absolute-form with a bad port", "GET http://a:8x/" + host, "400 target"},
      {"https", "GET https://a/" + host, "400 target"},
      {"another scheme", "GET file:///etc/passwd" + host, "400 target"},
      {"authority-form with CONNECT", "CONNECT a:443" + host, "501 connect"},
      {"CONNECT with a path", "CONNECT /a" + host, "501 connect"},
      {"authority-form with GET", "GET a:443" + host, "400 target"},
      {"asterisk-form", "OPTIONS *" + host, "none"},
      {"an asterisk with GET", "GET *" + host, "400 target"},
      {"an asterisk and more", "OPTIONS */a" + host, "400 target"},
      {"a path without a slash", "GET a" + host, "400 target"},
      {"a query alone", "GET ?a" + host, "400 target"},
      {"a path that goes up", "GET ../a" + host, "400 target"},
      {"an at before a host", "GET @evil/a" + host, "400 target"},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", "400 host"},
      {"no Host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "none"},
      {"an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "none"},
      {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400 host"},
      {"one Host twice", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", "400 host"},
      {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "400 host"},
      {"a list of Hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "400 host"},
      {"two words", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400 host"},
      {"a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400 host"},
      {"a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "400 host"},
      {"a scheme", "GET / HTTP/1.1\r\nHost: http://a\r\n\r\n", "400 host"},
      {"a port that is none", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", "400 host"},
      {"two ports", "GET / HTTP/1.1\r\nHost: a:80:90\r\n\r\n", "400 host"},
      {"an address", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "none"},
      {"an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "400 host"},
      {"text behind a bracket", "GET / HTTP/1.1\r\nHost: [::1]evil\r\n\r\n", "400 host"},
      {"bytes above ASCII", "GET / HTTP/1.1\r\nHost: \xc3\xa4.example\r\n\r\n", "400 host"},
      {"a folded first line", "GET / HTTP/1.1\r\n Host: a\r\nHost: b\r\n\r\n", "400 folded_line"},
      {"a space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
       "400 field_name_not_a_token"},
      {"X-Forwarded-Host is not Host", "GET / HTTP/1.1\r\nX-Forwarded-Host: a\r\n\r\n", "400 host"},
  });
}

// RFC 9112, 5; RFC 9110, 5.5.
TEST(RequestStrictness, Fields) {
  Check({
      {"a field", Line("X: a"), "none"},
      {"white space is not part of a value", Line("X: \t a b \t"), "none"},
      {"an empty value", Line("X:"), "none"},
      {"every character of a token", Line("!#$%&'*+-.^_`|~09azAZ: a"), "none"},
      {"obs-text in a value", Line("X: caf\xc3\xa9"), "none"},
      {"a colon in a value", Line("X: a: b"), "none"},
      {"no colon", Line("X"), "400 field_without_colon"},
      {"no name", Line(": a"), "400 field_name_not_a_token"},
      {"only a colon", Line(":"), "400 field_name_not_a_token"},
      {"a pseudo-header of HTTP/2", Line(":method: GET"), "400 field_name_not_a_token"},
      {"a space before the colon", Line("X : a"), "400 field_name_not_a_token"},
      {"a slash in the name", Line("X/Y: a"), "400 field_name_not_a_token"},
      {"brackets in the name", Line("X[]: a"), "400 field_name_not_a_token"},
      {"a CR in the name", Line("X\rY: a"), "400 field_without_colon"},
      {"folded", Line("X: a\r\n b"), "400 folded_line"},
      {"folded into nothing", Line("X: a\r\n \r\nY: b"), "400 folded_line"},
      {"a request line among the fields", Line("GET /b HTTP/1.1"), "400 field_name_not_a_token"},
      {"NUL", Line("X: \0"s), "400 control_character_in_field"},
      {"escape", Line("X: \x1b[0m"), "400 control_character_in_field"},
      {"DEL", Line("X: \x7f"), "400 control_character_in_field"},
      {"the end by LF LF", "GET / HTTP/1.1\r\nHost: h\n\nGET /b HTTP/1.1\r\n\r\n",
       "400 line_not_ended_by_crlf"},
      {"the end by CRLF LF", "GET / HTTP/1.1\r\nHost: h\r\n\nGET /b HTTP/1.1\r\n\r\n",
       "400 line_not_ended_by_crlf"},
      {"the end by CRLF CR", "GET / HTTP/1.1\r\nHost: h\r\n\rGET /b HTTP/1.1\r\n\r\n",
       "400 line_not_ended_by_crlf"},
      {"a head that is too large", Line("X: " + std::string(20'000, 'a')), "431 head_too_large"},
      {"an expectation", Line("Expect: 100-Continue"), "none"},
      {"another expectation", Line("Expect: 200-ok"), "417 expect"},
      {"an expectation twice", Line("Expect: 100-continue\r\nExpect: x"), "417 expect"},
      {"an obfuscated expectation", Line("Expect: y 100-continue"), "417 expect"},
  });
}

TEST(RequestStrictness, HearsOfAnUpgradeOnlyWhereItIsMeant) {
  const struct {
    const char* lines;
    bool upgrade;
  } table[] = {
      {"Connection: Upgrade\r\nUpgrade: websocket", true},
      {"Connection: keep-alive, upgrade\r\nUpgrade: websocket", true},
      {"Upgrade: websocket", false},
      {"Connection: upgrade", false},
      {"Connection: upgrade\r\nUpgrade:", false},
      {"Connection: upgrade\r\nUpgrade: a\r\nUpgrade: b", false},
      {"Connection: upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: a", false},
      {"Connection: upgrade\r\nUpgrade: websocket, H2C", false},
  };
  for (const auto& row : table) {
    RequestHead head;
    const std::string bytes = Line(row.lines);
    ASSERT_EQ(ParseRequestHead(bytes, 0, HeadLimits{}, head).state, Parse::kDone) << row.lines;
    EXPECT_EQ(UnderstandRequest(head).upgrade, row.upgrade) << row.lines;
  }
}

}  // namespace
}  // namespace gocomet::http
