#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdio>
#include <string>

// Takes the place of the C library's look-ups by name in the static worker. Those would load shared
// libraries at run time, which an empty root file system does not have; and the worker looks up
// nothing, since each address it takes is a number or a path. What gRPC and libevent could still
// ask for is answered with "no such name", and addresses are written as numbers.
namespace {

bool Put(const char* text, char* out, socklen_t size) {
  if (out == nullptr || size == 0) return true;
  return std::snprintf(out, size, "%s", text) < static_cast<int>(size);
}

}  // namespace

extern "C" {

int getaddrinfo(const char* /*name*/, const char* /*service*/, const addrinfo* /*hints*/,
                addrinfo** /*result*/) {
  return EAI_NONAME;
}
void freeaddrinfo(addrinfo* /*list*/) noexcept {}

int getnameinfo(const sockaddr* address, socklen_t /*length*/, char* host, socklen_t host_size,
                char* service, socklen_t service_size, int flags) {
  char number[INET6_ADDRSTRLEN] = "";
  in_port_t port = 0;
  switch (address->sa_family) {
    case AF_INET: {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
      ::inet_ntop(AF_INET, &v4->sin_addr, number, sizeof(number));
      port = ntohs(v4->sin_port);
      break;
    }
    case AF_INET6: {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
      ::inet_ntop(AF_INET6, &v6->sin6_addr, number, sizeof(number));
      port = ntohs(v6->sin6_port);
      break;
    }
    case AF_UNIX:
      return Put("unix", host, host_size) && Put("0", service, service_size) ? 0 : EAI_OVERFLOW;
    default:
      return EAI_FAMILY;
  }
  if ((flags & NI_NAMEREQD) != 0) return EAI_NONAME;
  const bool fits =
      Put(number, host, host_size) && Put(std::to_string(port).c_str(), service, service_size);
  return fits ? 0 : EAI_OVERFLOW;
}

protoent* getprotobynumber(int /*protocol*/) { return nullptr; }
servent* getservbyname(const char* /*name*/, const char* /*protocol*/) { return nullptr; }
int getservbyport_r(int /*port*/, const char* /*protocol*/, servent* /*buffer*/, char* /*strings*/,
                    size_t /*strings_size*/, servent** result) {
  *result = nullptr;
  return 0;
}

}  // extern "C"
