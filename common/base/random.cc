#include "common/base/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

#include "common/base/hex.h"

namespace gocomet {
namespace {

void FillRandom(void* buffer, size_t size) {
  auto* at = static_cast<unsigned char*>(buffer);
  while (size > 0) {
    const ssize_t got = ::getrandom(at, size, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      std::abort();  // Without randomness there are no secrets; nothing sensible can go on.
    }
    at += got;
    size -= static_cast<size_t>(got);
  }
}

}  // namespace

std::string RandomHex(size_t bytes) {
  std::vector<unsigned char> raw(bytes);
  FillRandom(raw.data(), raw.size());
  return ToHex(raw.data(), raw.size());
}

uint64_t RandomIncarnation() {
  uint64_t value = 0;
  while (value == 0) FillRandom(&value, sizeof(value));
  return value;
}

}  // namespace gocomet
