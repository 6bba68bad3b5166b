#include "tests/end_to_end/http_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace gocomet::testing {
namespace {

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

std::string Request(uint16_t port, const std::string& path,
                    const std::vector<std::string>& fields = {}) {
  std::string head = Cat("GET ", path, " HTTP/1.1\r\n");
  const bool has_host = std::any_of(fields.begin(), fields.end(), [](const std::string& field) {
    return field.starts_with("Host:");
  });
  if (!has_host) head += Cat("Host: 127.0.0.1:", port, "\r\n");
  for (const std::string& field : fields) head += Cat(field, "\r\n");
  return head + "\r\n";
}

}  // namespace

bool ParseAnswer(std::string& bytes, HttpAnswer& answer) {
  const size_t end = bytes.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  answer = HttpAnswer{};
  answer.status = std::atoi(bytes.substr(9, 3).c_str());
  size_t at = bytes.find("\r\n") + 2;
  while (at < end + 2) {
    const size_t line_end = bytes.find("\r\n", at);
    const std::string line = bytes.substr(at, line_end - at);
    const size_t colon = line.find(':');
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    const size_t value = line.find_first_not_of(' ', colon + 1);
    answer.headers[name] = value == std::string::npos ? "" : line.substr(value);
    at = line_end + 2;
  }
  const size_t length = std::strtoul(answer.headers["content-length"].c_str(), nullptr, 10);
  if (bytes.size() < end + 4 + length) return false;
  answer.body = bytes.substr(end + 4, length);
  bytes.erase(0, end + 4 + length);
  return true;
}

HttpConnection::HttpConnection(uint16_t port, std::chrono::milliseconds timeout)
    : port_(port), timeout_(timeout) {}

absl::Status HttpConnection::Connect() {
  buffer_.clear();
  fd_.Reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval wait{timeout_.count() / 1000, timeout_.count() % 1000 * 1000};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
  const sockaddr_in address = Loopback(port_);
  if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    absl::Status status = absl::ErrnoToStatus(errno, Cat("connect to port ", port_));
    fd_.Reset();
    return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<HttpAnswer> HttpConnection::Get(const std::string& path,
                                               const std::vector<std::string>& fields) {
  if (!fd_.valid()) GOCOMET_RETURN_IF_ERROR(Connect());
  const std::string request = Request(port_, path, fields);
  if (::send(fd_.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    const absl::Status status = absl::ErrnoToStatus(errno, "send");
    fd_.Reset();
    return status;
  }
  auto answer = ReadAnswer();
  if (!answer.ok() || answer->headers["connection"] == "close") fd_.Reset();
  return answer;
}

absl::StatusOr<HttpAnswer> HttpConnection::ReadAnswer() {
  HttpAnswer answer;
  while (!ParseAnswer(buffer_, answer)) GOCOMET_RETURN_IF_ERROR(ReadMore());
  if (answer.status < 100) return absl::DataLossError("the answer is not HTTP");
  return answer;
}

absl::Status HttpConnection::ReadMore() {
  char bytes[16384];
  const ssize_t got = ::recv(fd_.get(), bytes, sizeof(bytes), 0);
  if (got < 0) return absl::ErrnoToStatus(errno, "receive");
  if (got == 0) {
    return absl::UnavailableError(
        Cat("the connection was closed after ", buffer_.size(), " bytes of an answer"));
  }
  buffer_.append(bytes, static_cast<size_t>(got));
  return absl::OkStatus();
}

absl::StatusOr<HttpAnswer> HttpGet(uint16_t port, const std::string& path,
                                   const std::vector<std::string>& fields) {
  return HttpConnection(port).Get(path, fields);
}

absl::StatusOr<std::vector<HttpAnswer>> HttpBurst(const std::vector<uint16_t>& ports,
                                                  const std::string& path, int count,
                                                  std::chrono::milliseconds timeout) {
  struct Call {
    UniqueFd fd;
    uint16_t port = 0;
    bool sent = false;
    std::string bytes;
  };
  std::vector<Call> calls(static_cast<size_t>(count));
  for (size_t i = 0; i < calls.size(); ++i) {
    Call& call = calls[i];
    call.port = ports[i % ports.size()];
    call.fd.Reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const sockaddr_in address = Loopback(call.port);
    if (::connect(call.fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) !=
            0 &&
        errno != EINPROGRESS) {
      return absl::ErrnoToStatus(errno, Cat("connect to port ", call.port));
    }
  }
  std::vector<HttpAnswer> answers;
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (answers.size() < calls.size()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return absl::DeadlineExceededError(
          Cat(calls.size() - answers.size(), " of ", count, " answers did not come in time"));
    }
    std::vector<pollfd> waits;
    std::vector<Call*> waiting;
    for (Call& call : calls) {
      if (!call.fd.valid()) continue;
      waits.push_back({call.fd.get(), static_cast<short>(call.sent ? POLLIN : POLLOUT), 0});
      waiting.push_back(&call);
    }
    ::poll(waits.data(), waits.size(), 100);
    for (size_t i = 0; i < waits.size(); ++i) {
      Call& call = *waiting[i];
      if (waits[i].revents == 0) continue;
      if (!call.sent) {
        const std::string request = Request(call.port, path);
        if (::send(call.fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
          return absl::ErrnoToStatus(errno, Cat("send to port ", call.port));
        }
        call.sent = true;
        continue;
      }
      char bytes[4096];
      const ssize_t got = ::recv(call.fd.get(), bytes, sizeof(bytes), 0);
      if (got < 0 && errno == EAGAIN) continue;
      if (got <= 0)
        return absl::UnavailableError(Cat("port ", call.port, " closed a connection early"));
      call.bytes.append(bytes, static_cast<size_t>(got));
      HttpAnswer answer;
      if (!ParseAnswer(call.bytes, answer)) continue;
      if (answer.headers.contains("x-gocomet-error")) {
        return absl::UnavailableError(
            Cat("port ", call.port, ": ", answer.status, " ", answer.body));
      }
      answers.push_back(std::move(answer));
      call.fd.Reset();
    }
  }
  return answers;
}

}  // namespace gocomet::testing
