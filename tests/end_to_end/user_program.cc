// A service as a user might bring it: it knows nothing of GoComet, and answers with a word of its
// own. `--port N` or PORT says where it listens, `--word WORD` what it says. GET /variable/NAME
// answers with a variable of its environment, /file with the content of /data/file, /eat with ever
// more memory, /exit by ending with status 3. It ends at once on its signal, as most programs do.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr size_t kMebibyte = 1 << 20;
constexpr char kVariable[] = "/variable/";

// Each page is written to: only then it counts.
[[noreturn]] void Eat() {
  static std::vector<std::string> eaten;
  while (true) eaten.emplace_back(kMebibyte, 'x');
}

std::string Answer(const std::string& path, const std::string& word) {
  if (path == "/eat") Eat();
  if (path == "/exit") std::_Exit(3);
  if (path == "/file") {
    std::ostringstream content;
    content << std::ifstream("/data/file").rdbuf();
    return content.str();
  }
  if (path.rfind(kVariable, 0) == 0) {
    const char* value = std::getenv(path.c_str() + std::strlen(kVariable));
    return value == nullptr ? "" : value;
  }
  return word;
}

void Serve(int fd, const std::string& word) {
  std::string request;
  char bytes[4096];
  while (true) {
    const size_t end = request.find("\r\n\r\n");
    if (end == std::string::npos) {
      const ssize_t got = ::recv(fd, bytes, sizeof(bytes), 0);
      if (got <= 0) break;
      request.append(bytes, static_cast<size_t>(got));
      continue;
    }
    const size_t path = request.find(' ') + 1;
    const std::string body = Answer(request.substr(path, request.find(' ', path) - path), word);
    request.erase(0, end + 4);
    const std::string answer =
        "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    if (::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) break;
  }
  ::close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  // The first process of a container ignores signals that it does not handle.
  for (const int signal : {SIGTERM, SIGINT, SIGQUIT}) std::signal(signal, [](int) { ::_exit(0); });
  const char* port = std::getenv("PORT");
  std::string word = "no word";
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--port") == 0) port = argv[i + 1];
    if (std::strcmp(argv[i], "--word") == 0) word = argv[i + 1];
  }
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(std::atoi(port == nullptr ? "0" : port)));
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(listener, 128) != 0) {
    std::perror("user-program cannot listen");
    return 1;
  }
  std::printf("user-program says '%s' on port %s\n", word.c_str(), port == nullptr ? "0" : port);
  std::fflush(stdout);
  while (true) {
    const int fd = ::accept(listener, nullptr, nullptr);
    if (fd >= 0) std::thread(Serve, fd, word).detach();
  }
}
