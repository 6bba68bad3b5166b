#pragma once

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <string_view>

namespace gocomet::dataplane {

// Writes both parts to a socket with one call, as send. Not both may be empty.
inline ssize_t WriteBoth(int fd, std::string_view first, std::string_view second) {
  // One part is most of what is written, and the kernel takes it with less ado.
  if (second.empty()) return ::send(fd, first.data(), first.size(), MSG_NOSIGNAL);
  if (first.empty()) return ::send(fd, second.data(), second.size(), MSG_NOSIGNAL);
  iovec parts[2] = {{const_cast<char*>(first.data()), first.size()},
                    {const_cast<char*>(second.data()), second.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

}  // namespace gocomet::dataplane
