#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "gocomet/v1/report.grpc.pb.h"

namespace gocomet::worker {

// A ReportService in this process, on a Unix socket. It keeps the newest report of each incarnation
// and answers with the sum per worker id, as the control plane does. Its memory may be shared by
// several lives, one after another, as a database would be.
class FakeControlPlane {
 public:
  struct Memory {
    std::mutex mutex;
    std::vector<v1::WorkerHello> hellos;
    std::vector<v1::WorkerReport> reports;        // In order of arrival.
    std::map<uint64_t, v1::WorkerReport> newest;  // By incarnation.
    std::vector<v1::ClusterStatistics::Row> others;
    std::vector<std::string> tokens;
  };
  struct Manners {
    bool answers_questions = true;
    bool acknowledges = true;
    std::string refusal;  // Where set, every stream ends with it, UNAUTHENTICATED.
  };

  FakeControlPlane(const std::string& socket_path, Memory& memory, Manners manners);
  FakeControlPlane(const std::string& socket_path, Memory& memory)
      : FakeControlPlane(socket_path, memory, Manners()) {}
  // Ends every stream at once.
  ~FakeControlPlane();

  void SendSettings(int64_t delay_ms, uint32_t failure_percent);

 private:
  class Service;
  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
};

// Of the newest report; zeroes where none came.
v1::RequestCounters NewestCounters(FakeControlPlane::Memory& memory);
size_t ReportCount(FakeControlPlane::Memory& memory);
size_t QuestionCount(FakeControlPlane::Memory& memory);
size_t HelloCount(FakeControlPlane::Memory& memory);

}  // namespace gocomet::worker
