#include "tests/end_to_end/load.h"

#include <chrono>

#include "common/base/random.h"
#include "common/base/text.h"
#include "tests/end_to_end/http_client.h"

namespace gocomet::testing {

Load::Load(std::vector<uint16_t> ports, std::string path, int clients, Connections connections)
    : path_(std::move(path)), connections_(connections) {
  for (int i = 0; i < clients; ++i) {
    const uint16_t port = ports[static_cast<size_t>(i) % ports.size()];
    clients_.emplace_back([this, port] { RunClient(port); });
  }
}

void Load::RunClient(uint16_t port) {
  HttpConnection connection(port);
  const auto started = std::chrono::steady_clock::now();
  while (!stopping_.load()) {
    const auto answer = connection.Get(path_);
    if (connections_ == Connections::kNew) connection = HttpConnection(port);
    if (connections_ == Connections::kKeepAliveWithPauses) {
      std::this_thread::sleep_for(std::chrono::microseconds(RandomIncarnation() % 20'000));
    }
    const std::lock_guard hold(mutex_);
    if (answer.ok() && answer->status == 200) {
      ++result_.successful;
    } else if (answer.ok() && answer->status == 500 && answer->body == "Randomized Server Error") {
      ++result_.failed;
    } else {
      const auto after = std::chrono::duration_cast<std::chrono::milliseconds>(
          std::chrono::steady_clock::now() - started);
      result_.unexpected.push_back(Cat("port ", port, " after ", after.count(), " ms: ",
                                       answer.ok() ? Cat(answer->status, " ", answer->body)
                                                   : std::string(MessageOf(answer.status()))));
      if (result_.unexpected.size() > 1000) return;
      continue;
    }
    answered_.fetch_add(1);
  }
}

Load::Result Load::Stop() {
  stopping_.store(true);
  for (std::thread& client : clients_) {
    if (client.joinable()) client.join();
  }
  const std::lock_guard hold(mutex_);
  return result_;
}

}  // namespace gocomet::testing
