// Measures the control plane with 1000 services of 10 workers and 50 balancers: its restart, how
// soon a change has reached every balancer, and how long it takes to list all workers. Prints the
// rows of a markdown table. The client, 50 balancers' streams and the workers' answers to probes
// share the machine with it.
//
//     scale_benchmark [CHANGES]
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "bench/scale_world.h"
#include "common/base/text.h"
#include "gocomet/v1/workers.grpc.pb.h"

namespace gocomet::controlplane {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr std::chrono::seconds kPatience{120};
constexpr int kLists = 20;

[[noreturn]] void GiveUp(const std::string& why) {
  std::fprintf(stderr, "error: %s\n", why.c_str());
  std::exit(1);
}

Milliseconds WaitUntil(SteadyTime since, const char* what, const std::function<bool()>& met) {
  while (!met()) {
    if (std::chrono::steady_clock::now() - since > kPatience) GiveUp(Cat(what, " takes too long"));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return std::chrono::steady_clock::now() - since;
}

double Quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1,
                         static_cast<size_t>(q * static_cast<double>(values.size())))];
}

void PrintRow(const char* what, const char* goal, const std::string& measured) {
  std::printf("| %s | %s | %s |\n", what, goal, measured.c_str());
  std::fflush(stdout);
}

// When each balancer got something newer than it had.
class Arrivals {
 public:
  void Note(uint64_t version) {
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard hold(mutex_);
    if (version < awaited_) return;
    if (version > newest_) newest_ = version;
    times_.push_back(now);
  }
  // Forgets what has come, and all that is not newer.
  void Begin() {
    const std::lock_guard hold(mutex_);
    awaited_ = newest_ + 1;
    times_.clear();
  }
  std::vector<SteadyTime> Times() const {
    const std::lock_guard hold(mutex_);
    return times_;
  }

 private:
  mutable std::mutex mutex_;  // Guards everything below.
  uint64_t newest_ = 0;
  uint64_t awaited_ = 0;
  std::vector<SteadyTime> times_;
};

std::vector<std::unique_ptr<ScaleBalancer>> ConnectBalancers(ScaleControlPlane& control_plane,
                                                             Arrivals& arrivals) {
  std::vector<std::unique_ptr<ScaleBalancer>> balancers;
  for (uint32_t i = 0; i < kBalancers; ++i) {
    balancers.push_back(std::make_unique<ScaleBalancer>(
        control_plane, BalancerName(i), [&arrivals](uint64_t version) { arrivals.Note(version); }));
  }
  return balancers;
}

void MeasureChanges(ScaleControlPlane& control_plane, Arrivals& arrivals, int changes) {
  const auto stub = v1::WorkerService::NewStub(
      grpc::CreateChannel(control_plane.public_address(), grpc::InsecureChannelCredentials()));
  std::vector<double> took;
  for (int i = 0; i < changes; ++i) {
    arrivals.Begin();
    const SteadyTime begin = std::chrono::steady_clock::now();
    grpc::ClientContext context;
    v1::Worker worker;
    grpc::Status status;
    if (i % 2 == 0) {
      v1::DrainWorkerRequest request;
      request.set_id("service-500-5");
      status = stub->DrainWorker(&context, request, &worker);
    } else {
      v1::UndrainWorkerRequest request;
      request.set_id("service-500-5");
      status = stub->UndrainWorker(&context, request, &worker);
    }
    if (!status.ok()) GiveUp(status.error_message());
    WaitUntil(begin, "a change", [&] { return arrivals.Times().size() >= kBalancers; });
    for (const SteadyTime time : arrivals.Times())
      took.push_back(Milliseconds(time - begin).count());
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  char text[80];
  std::snprintf(text, sizeof(text), "%.0f ms (p50 %.0f, most %.0f)", Quantile(took, 0.99),
                Quantile(took, 0.5), Quantile(took, 1));
  PrintRow("a change has reached 50 balancers, p99", "50 ms", text);
}

void MeasureLists(ScaleControlPlane& control_plane) {
  const auto stub = v1::WorkerService::NewStub(
      grpc::CreateChannel(control_plane.public_address(), grpc::InsecureChannelCredentials()));
  std::vector<double> took;
  for (int i = 0; i < kLists; ++i) {
    const SteadyTime begin = std::chrono::steady_clock::now();
    int listed = 0;
    v1::ListWorkersRequest request;
    request.set_page_size(1000);
    do {
      grpc::ClientContext context;
      v1::ListWorkersResponse response;
      const grpc::Status status = stub->ListWorkers(&context, request, &response);
      if (!status.ok()) GiveUp(status.error_message());
      listed += response.workers_size();
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    if (listed != kServices * kReplicas) GiveUp(Cat("only ", listed, " workers were listed"));
    took.push_back(Milliseconds(std::chrono::steady_clock::now() - begin).count());
  }
  char text[80];
  std::snprintf(text, sizeof(text), "%.0f ms (most %.0f)", Quantile(took, 0.5), Quantile(took, 1));
  PrintRow("10,000 workers are listed, median", "300 ms", text);
}

void Run(int changes) {
  char directory[] = "/tmp/gocomet-scale-XXXXXX";
  if (::mkdtemp(directory) == nullptr) GiveUp("cannot make a directory in /tmp");
  {
    ScaleRuntime runtime(directory);
    Arrivals arrivals;
    const auto life = [&](const char* what, const char* goal,
                          const std::function<void(ScaleControlPlane&)>& measure) {
      const SteadyTime begin = std::chrono::steady_clock::now();
      ScaleControlPlane control_plane(directory, runtime);
      const auto balancers = ConnectBalancers(control_plane, arrivals);
      const Milliseconds took =
          WaitUntil(begin, what, [&] { return control_plane.cluster().ready(); });
      char text[40];
      std::snprintf(text, sizeof(text), "%.1f s", took.count() / 1000);
      PrintRow(what, goal, text);
      measure(control_plane);
    };
    life("10,000 workers are started and ready", "-", [](ScaleControlPlane&) {});
    life("restart: 10,000 workers are adopted and ready", "3 s",
         [&](ScaleControlPlane& control_plane) {
           MeasureChanges(control_plane, arrivals, changes);
           MeasureLists(control_plane);
         });
  }
  std::error_code error;
  std::filesystem::remove_all(directory, error);
}

}  // namespace
}  // namespace gocomet::controlplane

int main(int argc, char** argv) { gocomet::controlplane::Run(argc > 1 ? std::atoi(argv[1]) : 100); }
