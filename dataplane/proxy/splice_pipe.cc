#include "dataplane/proxy/splice_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace gocomet::dataplane {
namespace {

// What an unprivileged process may ask for is 1 MiB (pipe(7)); this much keeps both sides busy.
constexpr int kPipeBytes = 256 * 1024;

}  // namespace

std::unique_ptr<SplicePipe> SplicePipe::Make() {
  int ends[2];
  if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return nullptr;
  UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  if (::fcntl(write_end.get(), F_SETPIPE_SZ, kPipeBytes) < kPipeBytes) return nullptr;
  return std::unique_ptr<SplicePipe>(new SplicePipe(std::move(read_end), std::move(write_end)));
}

ssize_t SplicePipe::Fill(int socket, uint64_t bytes) {
  const ssize_t got =
      ::splice(socket, nullptr, write_end_.get(), nullptr, std::min<uint64_t>(bytes, kPipeBytes),
               SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (got > 0) held_ += static_cast<size_t>(got);
  // The kernel says the same of a socket without bytes and of a pipe without room.
  full_ = got < 0 && errno == EAGAIN && held_ > 0;
  return got;
}

// Without SPLICE_F_MORE: what is there must not wait for what a slow worker has yet to say.
ssize_t SplicePipe::Drain(int socket) {
  const ssize_t sent =
      ::splice(read_end_.get(), nullptr, socket, nullptr, held_, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (sent > 0) {
    held_ -= static_cast<size_t>(sent);
    full_ = false;
  }
  return sent;
}

std::unique_ptr<SplicePipe> SplicePipePool::Take() {
  if (free_.empty()) return SplicePipe::Make();
  std::unique_ptr<SplicePipe> pipe = std::move(free_.back());
  free_.pop_back();
  return pipe;
}

void SplicePipePool::Give(std::unique_ptr<SplicePipe> pipe) {
  if (pipe && pipe->empty() && free_.size() < kKeptMax) free_.push_back(std::move(pipe));
}

}  // namespace gocomet::dataplane
