#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace gocomet::http {

// Bytes between two pages that nobody may touch: reading before the first or past the last one ends
// the process.
class GuardedBytes {
 public:
  GuardedBytes() {
    void* pages = ::mmap(nullptr, 3 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) std::abort();
    pages_ = static_cast<char*>(pages);
    if (::mprotect(pages_ + page_, page_, PROT_READ | PROT_WRITE) != 0) std::abort();
  }
  ~GuardedBytes() { ::munmap(pages_, 3 * page_); }
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;

  size_t size_max() const { return page_; }
  // Copies of `bytes`, valid until the next call: right behind the first page, or right before the
  // last one.
  std::string_view AtFront(std::string_view bytes) { return Put(pages_ + page_, bytes); }
  std::string_view AtBack(std::string_view bytes) {
    return Put(pages_ + 2 * page_ - bytes.size(), bytes);
  }

 private:
  static std::string_view Put(char* to, std::string_view bytes) {
    std::memcpy(to, bytes.data(), bytes.size());
    return {to, bytes.size()};
  }

  const size_t page_ = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  char* pages_ = nullptr;
};

}  // namespace gocomet::http
