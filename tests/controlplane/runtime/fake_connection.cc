#include "fake_connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace gocomet::controlplane {
namespace {

constexpr int kTickMilliseconds = 5;

SSL* Of(void* ssl) { return static_cast<SSL*>(ssl); }

}  // namespace

FakeConnection::FakeConnection(UniqueFd fd, void* tls)
    : fd_(std::move(fd)), ssl_(tls == nullptr ? nullptr : SSL_new(static_cast<SSL_CTX*>(tls))) {
  const timeval patience{5, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

FakeConnection::~FakeConnection() {
  if (ssl_ != nullptr) SSL_free(Of(ssl_));
}

bool FakeConnection::Open() {
  if (ssl_ == nullptr) return true;
  SSL_set_fd(Of(ssl_), fd_.get());
  if (SSL_accept(Of(ssl_)) == 1) return true;
  if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST) {  // In the words of Go's server.
    constexpr std::string_view kRefusal =
        "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    (void)::send(fd_.get(), kRefusal.data(), kRefusal.size(), MSG_NOSIGNAL);
    ::shutdown(fd_.get(), SHUT_WR);
    char rest[4096];
    while (::recv(fd_.get(), rest, sizeof(rest), 0) > 0) {
    }
  }
  ERR_clear_error();
  return false;
}

FakeConnection::Got FakeConnection::Read(std::string* into) {
  const bool pending = ssl_ != nullptr && SSL_pending(Of(ssl_)) > 0;
  pollfd ready{fd_.get(), POLLIN, 0};
  if (!pending && ::poll(&ready, 1, kTickMilliseconds) <= 0) return Got::kNothing;
  char buffer[65536];
  const int got = ssl_ != nullptr ? SSL_read(Of(ssl_), buffer, sizeof(buffer))
                                  : static_cast<int>(::recv(fd_.get(), buffer, sizeof(buffer), 0));
  if (got <= 0) return Got::kEnd;
  into->append(buffer, static_cast<size_t>(got));
  return Got::kBytes;
}

void FakeConnection::Send(std::string_view text) {
  while (!text.empty()) {
    const int sent =
        ssl_ != nullptr
            ? SSL_write(Of(ssl_), text.data(), static_cast<int>(text.size()))
            : static_cast<int>(::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL));
    if (sent <= 0) return;
    text.remove_prefix(static_cast<size_t>(sent));
  }
}

}  // namespace gocomet::controlplane
