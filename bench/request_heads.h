#pragma once

#include <string_view>

// Heads as real clients send them.
namespace gocomet::bench {

struct NamedHead {
  const char* name;
  std::string_view bytes;
};

inline constexpr NamedHead kRequestHeads[] = {
    {"wrk", "GET /api/v1/hello HTTP/1.1\r\nHost: 127.0.0.1:5050\r\n\r\n"},
    {"curl",
     "GET /api/v1/hello HTTP/1.1\r\nHost: 127.0.0.1:5050\r\nUser-Agent: curl/7.88.1\r\n"
     "Accept: */*\r\n\r\n"},
    {"browser",
     "GET /shop/items?category=garden&page=2&sort=price HTTP/1.1\r\n"
     "Host: www.example.org\r\n"
     "Connection: keep-alive\r\n"
     "Cache-Control: max-age=0\r\n"
     "sec-ch-ua: \"Chromium\";v=\"128\", \"Not;A=Brand\";v=\"24\", \"Google Chrome\";v=\"128\"\r\n"
     "sec-ch-ua-mobile: ?0\r\n"
     "sec-ch-ua-platform: \"Linux\"\r\n"
     "Upgrade-Insecure-Requests: 1\r\n"
     "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/128.0.0.0 Safari/537.36\r\n"
     "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
     "image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7\r\n"
     "Sec-Fetch-Site: same-origin\r\n"
     "Sec-Fetch-Mode: navigate\r\n"
     "Sec-Fetch-User: ?1\r\n"
     "Sec-Fetch-Dest: document\r\n"
     "Referer: https://www.example.org/shop/items?category=garden&page=1&sort=price\r\n"
     "Accept-Encoding: gzip, deflate, br, zstd\r\n"
     "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
     "Cookie: session=6f1d7c2e9a4b4f0d8b3c5e7f9a1b2c3d; theme=dark; consent=all; "
     "_visits=GA1.1.1234567890.1725184800\r\n\r\n"},
    {"api_client",
     "POST /v2/orders/83b1c2d4/items HTTP/1.1\r\n"
     "Host: api.internal.example.org:8443\r\n"
     "User-Agent: orders-service/4.17.2 (go1.22; linux/amd64)\r\n"
     "Content-Length: 348\r\n"
     "Content-Type: application/json; charset=utf-8\r\n"
     "Accept: application/json\r\n"
     "Authorization: Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IjIwMjQtMDkifQ."
     "eyJpc3MiOiJodHRwczovL2F1dGguZXhhbXBsZS5vcmciLCJzdWIiOiJvcmRlcnMtc2VydmljZSIsImF1ZCI6ImFwaS5p"
     "bnRlcm5hbCIsImlhdCI6MTcyNTE4NDgwMCwiZXhwIjoxNzI1MTg4NDAwLCJzY29wZSI6Im9yZGVycy5yZWFkIG9yZGVy"
     "cy53cml0ZSJ9.Q2hhbmdlTWVQbGVhc2VUaGlzSXNOb3RBU2lnbmF0dXJlQnV0SXRIYXNUaGVSaWdodExlbmd0aEZvckF"
     "SU0EyNTZTaWduYXR1cmVXaGljaElzMzQyQ2hhcmFjdGVyc0xvbmdJbkJhc2U2NA\r\n"
     "Idempotency-Key: 0b5d5f0e-7f5a-4d1c-9c1e-2f6a8b7c9d0e\r\n"
     "X-Request-Id: 4f9d2a6c1b3e4d5f8a7b6c5d4e3f2a1b\r\n"
     "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
     "Accept-Encoding: gzip\r\n\r\n"},
    {"long_cookies",
     "GET /account HTTP/1.1\r\n"
     "Host: www.example.org\r\n"
     "User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:129.0) Gecko/20100101 "
     "Firefox/129.0\r\n"
     "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
     "Accept-Language: en-US,en;q=0.5\r\n"
     "Accept-Encoding: gzip, deflate, br, zstd\r\n"
     "Connection: keep-alive\r\n"
     "Cookie: sid=s%3A0a1b2c3d4e5f60718293a4b5c6d7e8f9.Zm9vYmFyYmF6cXV4cXV1eGNvcmdlZ3JhdWx0; "
     "cart=eyJpdGVtcyI6W3siaWQiOjEyMywicXR5IjoxfSx7ImlkIjo0NTYsInF0eSI6Mn0seyJpZCI6Nzg5LCJxdHkiOjN"
     "9XSwiY3VycmVuY3kiOiJFVVIifQ; experiments=checkout-v2:b,search-ranking:a,hero-banner:c,"
     "recommendations:control; locale=en-US; tz=Europe/Berlin; last_seen=2024-09-01T12%3A00%3A00Z; "
     "csrf=9f8e7d6c5b4a39281706f5e4d3c2b1a0; prefs=eyJkZW5zaXR5IjoiY29tcGFjdCIsInRoZW1lIjoiZGFyayIs"
     "Im5vdGlmaWNhdGlvbnMiOnsiZW1haWwiOnRydWUsInB1c2giOmZhbHNlfX0; "
     "_ga=GA1.2.1122334455.1725184800; "
     "_gid=GA1.2.5544332211.1725184800; ab=1; returning=1\r\n"
     "Upgrade-Insecure-Requests: 1\r\n"
     "Sec-Fetch-Dest: document\r\n"
     "Sec-Fetch-Mode: navigate\r\n"
     "Sec-Fetch-Site: same-origin\r\n"
     "Priority: u=0, i\r\n\r\n"},
};

}  // namespace gocomet::bench
