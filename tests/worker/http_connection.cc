#include "tests/worker/http_connection.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <cstdlib>

#include "common/base/text.h"

namespace gocomet::worker {

HttpConnection::HttpConnection(const Address& address)
    : socket_(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval patience{.tv_sec = 10, .tv_usec = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (::connect(socket_.get(), address.socket_address(), address.socket_address_length()) != 0) {
    socket_.Reset();
  }
}

void HttpConnection::Send(std::string_view method, std::string_view target) {
  const std::string request = Cat(method, " ", target, " HTTP/1.1\r\nHost: test\r\n\r\n");
  ::send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL);
}

bool HttpConnection::ReadMore() {
  char chunk[4096];
  const ssize_t got = ::recv(socket_.get(), chunk, sizeof(chunk), 0);
  if (got <= 0) return false;
  buffer_.append(chunk, static_cast<size_t>(got));
  return true;
}

HttpAnswer HttpConnection::Receive(bool head) {
  constexpr std::string_view kHeadEnd = "\r\n\r\n";
  size_t head_end = 0;
  while ((head_end = buffer_.find(kHeadEnd)) == std::string::npos) {
    if (!ReadMore()) return {};
  }
  HttpAnswer answer;
  answer.status = std::atoi(buffer_.c_str() + buffer_.find(' '));
  size_t at = buffer_.find("\r\n") + 2;
  while (at < head_end) {
    const size_t colon = buffer_.find(": ", at);
    const size_t end = buffer_.find("\r\n", at);
    answer.headers[buffer_.substr(at, colon - at)] = buffer_.substr(colon + 2, end - colon - 2);
    at = end + 2;
  }
  const size_t body = head_end + kHeadEnd.size();
  const size_t length =
      head ? 0 : std::strtoul(answer.headers["Content-Length"].c_str(), nullptr, 10);
  while (buffer_.size() < body + length) {
    if (!ReadMore()) return {};
  }
  answer.body = buffer_.substr(body, length);
  buffer_.erase(0, body + length);
  return answer;
}

bool HttpConnection::EndsHere() {
  char byte = 0;
  return buffer_.empty() && ::recv(socket_.get(), &byte, 1, 0) == 0;
}

HttpAnswer Fetch(const Address& address, std::string_view target, std::string_view method) {
  HttpConnection connection(address);
  if (!connection.connected()) return {};
  connection.Send(method, target);
  return connection.Receive(method == "HEAD");
}

}  // namespace gocomet::worker
