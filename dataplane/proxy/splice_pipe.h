#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/base/unique_fd.h"

namespace gocomet::dataplane {

// A way for bytes from one socket to another that does not lead through this process (splice(2)): a
// kernel pipe, of bounded size. Belongs to one thread.
class SplicePipe {
 public:
  // Null where the kernel gives no pipe, or only a small one.
  static std::unique_ptr<SplicePipe> Make();

  bool empty() const { return held_ == 0; }
  bool full() const { return full_; }
  // At most `bytes` from `socket` into the pipe: as recv, with EAGAIN where the socket has none
  // now; or where the pipe takes no more, and then it is full.
  ssize_t Fill(int socket, uint64_t bytes);
  // What is in the pipe into `socket`: as send.
  ssize_t Drain(int socket);

 private:
  SplicePipe(UniqueFd read_end, UniqueFd write_end)
      : read_end_(std::move(read_end)), write_end_(std::move(write_end)) {}

  const UniqueFd read_end_;
  const UniqueFd write_end_;
  size_t held_ = 0;
  bool full_ = false;
};

// Keeps empty pipes for those who need one next.
class SplicePipePool {
 public:
  // Null where none can be had: then bytes go another way.
  std::unique_ptr<SplicePipe> Take();
  void Give(std::unique_ptr<SplicePipe> pipe);

 private:
  static constexpr size_t kKeptMax = 16;
  std::vector<std::unique_ptr<SplicePipe>> free_;
};

}  // namespace gocomet::dataplane
