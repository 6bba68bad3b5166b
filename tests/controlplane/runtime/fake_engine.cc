#include "fake_engine.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

constexpr int kTickMilliseconds = 5;

void SendAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    text.remove_prefix(static_cast<size_t>(sent));
  }
}

bool Readable(int fd) {
  pollfd ready{fd, POLLIN, 0};
  return ::poll(&ready, 1, kTickMilliseconds) > 0;
}

size_t BodyLengthIn(const std::string& head) {
  const size_t at = head.find("Content-Length: ");
  return at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
}

}  // namespace

FakeEngine::FakeEngine(Handler handler)
    : socket_(directory_.path() + "/docker.sock"),
      handler_(std::move(handler)),
      version_body_(R"({"Version":"20.10.24","ApiVersion":"1.41","MinAPIVersion":"1.12"})"),
      listener_(ListenUnix(socket_)),
      acceptor_([this] { Accept(); }) {}

FakeEngine::~FakeEngine() {
  ending_ = true;
  acceptor_.join();
  for (std::thread& connection : connections_) connection.join();
}

std::vector<FakeEngine::Request> FakeEngine::requests() const {
  const std::lock_guard hold(mutex_);
  return requests_;
}

size_t FakeEngine::CountOf(const std::string& method, const std::string& target_begin) const {
  const std::vector<Request> all = requests();
  return static_cast<size_t>(std::count_if(all.begin(), all.end(), [&](const Request& request) {
    return request.Is(method, target_begin);
  }));
}

void FakeEngine::Accept() {
  while (!ending_) {
    if (!Readable(listener_.get())) continue;
    const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++open_;
    connections_.emplace_back([this, fd] {
      Serve(UniqueFd(fd));
      --open_;
    });
  }
}

bool FakeEngine::ReadRequest(int fd, Request& request) const {
  std::string text;
  char buffer[65536];
  while (!ending_) {
    if (!Readable(fd)) continue;
    const ssize_t got = ::recv(fd, buffer, sizeof(buffer), 0);
    if (got <= 0) return false;
    text.append(buffer, static_cast<size_t>(got));
    const size_t head_end = text.find("\r\n\r\n");
    if (head_end == std::string::npos) continue;
    const std::string head = text.substr(0, head_end);
    if (text.size() < head_end + 4 + BodyLengthIn(head)) continue;
    const size_t target = head.find(' ') + 1;
    request.method = head.substr(0, target - 1);
    request.target = head.substr(target, head.find(' ', target) - target);
    request.body = text.substr(head_end + 4);
    if (request.target.rfind("/v1.", 0) == 0) {
      const size_t end = request.target.find('/', 1);
      request.version = request.target.substr(2, end - 2);
      request.target.erase(0, end);
    }
    return true;
  }
  return false;
}

void FakeEngine::WaitWhile(int fd, const std::function<bool()>& waits) const {
  char byte = 0;
  while (!ending_ && waits()) {
    if (Readable(fd) && ::recv(fd, &byte, 1, MSG_DONTWAIT) == 0) return;  // The client has gone.
  }
}

void FakeEngine::Serve(const UniqueFd& connection) {
  const int fd = connection.get();
  Request request;
  if (!ReadRequest(fd, request)) return;
  {
    const std::lock_guard hold(mutex_);
    requests_.push_back(request);
  }
  Answer answer = request.target == "/version" ? Answer{200, version_body_} : handler_(request);
  if (answer.fault == Answer::Fault::kHang) return WaitWhile(fd, [] { return true; });
  std::string head = Cat("HTTP/1.1 ", answer.status, " Answer\r\nConnection: close\r\n");
  if (answer.fault == Answer::Fault::kStreamUntilRelease) {
    SendAll(fd, Cat(head, "\r\n", answer.body));
    return WaitWhile(fd, [this] { return !released_; });
  }
  const size_t missing = answer.fault == Answer::Fault::kCut ? 10 : 0;
  SendAll(fd, Cat(head, "Content-Length: ", answer.body.size() + missing, "\r\n\r\n", answer.body));
}

}  // namespace gocomet::controlplane
