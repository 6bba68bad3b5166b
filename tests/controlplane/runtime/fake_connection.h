#pragma once

#include <string>
#include <string_view>

#include "common/base/unique_fd.h"

namespace gocomet::controlplane {

// One accepted connection, with or without TLS. One thread.
class FakeConnection {
 public:
  // `tls`: an SSL_CTX, or null for plain text.
  FakeConnection(UniqueFd fd, void* tls);
  ~FakeConnection();
  FakeConnection(const FakeConnection&) = delete;
  FakeConnection& operator=(const FakeConnection&) = delete;

  // False where the other side is refused.
  bool Open();
  // Within a few milliseconds: bytes, nothing yet, or the end.
  enum class Got { kBytes, kNothing, kEnd };
  Got Read(std::string* into);
  void Send(std::string_view text);

 private:
  const UniqueFd fd_;
  void* const ssl_;  // An SSL, or null.
};

}  // namespace gocomet::controlplane
