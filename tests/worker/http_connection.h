#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/base/address.h"
#include "common/base/unique_fd.h"

namespace gocomet::worker {

struct HttpAnswer {
  int status = 0;  // 0: the connection ended before an answer.
  std::map<std::string, std::string> headers;
  std::string body;
};

// A blocking HTTP/1.1 client connection for tests; every wait ends after 10 s.
class HttpConnection {
 public:
  explicit HttpConnection(const Address& address);

  bool connected() const { return socket_.valid(); }
  int fd() const { return socket_.get(); }
  void Send(std::string_view method, std::string_view target);
  // Without the body where the request was a HEAD.
  HttpAnswer Receive(bool head = false);
  // True where the server closes the connection without another byte.
  bool EndsHere();
  void Close() { socket_.Reset(); }

 private:
  bool ReadMore();

  UniqueFd socket_;
  std::string buffer_;
};

HttpAnswer Fetch(const Address& address, std::string_view target, std::string_view method = "GET");

}  // namespace gocomet::worker
