#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "common/base/unique_fd.h"

// A strict HTTP/1.1 client for tests: what it does not understand is an error.
namespace gocomet::testing {

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // Names in lower case.
  std::string body;
};

// One keep-alive connection to 127.0.0.1:PORT; blocking, with a deadline on each request.
class HttpConnection {
 public:
  explicit HttpConnection(uint16_t port,
                          std::chrono::milliseconds timeout = std::chrono::seconds(10));

  // `fields`: further lines of the head, `Name: value` each; a `Host` replaces our own.
  absl::StatusOr<HttpAnswer> Get(const std::string& path,
                                 const std::vector<std::string>& fields = {});
  bool open() const { return fd_.valid(); }

 private:
  absl::Status Connect();
  absl::StatusOr<HttpAnswer> ReadAnswer();
  absl::Status ReadMore();

  uint16_t port_;
  std::chrono::milliseconds timeout_;
  UniqueFd fd_;
  std::string buffer_;
};

// One request on a connection of its own.
absl::StatusOr<HttpAnswer> HttpGet(uint16_t port, const std::string& path,
                                   const std::vector<std::string>& fields = {});

// `count` requests at the same time, each on a connection of its own, spread over the ports in
// turn. The answers in no particular order; an error where one did not come whole in time, or is
// one that a balancer had to give itself.
absl::StatusOr<std::vector<HttpAnswer>> HttpBurst(const std::vector<uint16_t>& ports,
                                                  const std::string& path, int count,
                                                  std::chrono::milliseconds timeout);

// The end of a head and Content-Length's body, where both are there. Used by both of the above.
bool ParseAnswer(std::string& bytes, HttpAnswer& answer);

}  // namespace gocomet::testing
