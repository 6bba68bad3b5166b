#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/end_to_end/http_client.h"
#include "tests/end_to_end/load.h"
#include "tests/end_to_end/on_each_runtime.h"

namespace gocomet::testing {

// Clients of every kind at all balancers, or at those on these ports: they keep their connections
// busy, let them idle now and then, or open one for each request.
class AllClients {
 public:
  explicit AllClients(const System& system) : AllClients(system.balancer_ports()) {}
  explicit AllClients(const std::vector<uint16_t>& ports) {
    using Connections = Load::Connections;
    for (const auto connections :
         {Connections::kKeepAlive, Connections::kKeepAliveWithPauses, Connections::kNew}) {
      loads_.push_back(std::make_unique<Load>(ports, kHello, 2, connections));
    }
  }
  uint64_t answered() const {
    uint64_t sum = 0;
    for (const auto& load : loads_) sum += load->answered();
    return sum;
  }
  void AwaitMore(uint64_t requests = 50) const {
    const uint64_t before = answered();
    EXPECT_TRUE(WaitUntil([&] { return answered() >= before + requests; }));
  }
  // Ends them. Each request without an answer of the demo worker's.
  std::vector<std::string> Failures() {
    std::vector<std::string> failures;
    for (const auto& load : loads_) {
      const Load::Result result = load->Stop();
      failures.insert(failures.end(), result.unexpected.begin(), result.unexpected.end());
    }
    return failures;
  }

 private:
  std::vector<std::unique_ptr<Load>> loads_;
};

}  // namespace gocomet::testing
