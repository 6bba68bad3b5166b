// docs/api.md names every method of every service and no other, so that neither can drift.
#include <fstream>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "gocomet/v1/balancers.pb.h"
#include "gocomet/v1/cluster.pb.h"
#include "gocomet/v1/config.pb.h"
#include "gocomet/v1/events.pb.h"
#include "gocomet/v1/report.pb.h"
#include "gocomet/v1/rollouts.pb.h"
#include "gocomet/v1/statistics.pb.h"
#include "gocomet/v1/sync.pb.h"
#include "gocomet/v1/workers.pb.h"

namespace gocomet::controlplane {
namespace {

// `SERVICE/METHOD (unary)`, or `(stream)` for one that streams its answers, or `(both ways)`.
std::set<std::string> MethodsInProtos() {
  std::set<std::string> methods;
  for (const google::protobuf::FileDescriptor* file :
       {v1::Balancer::descriptor()->file(), v1::ClusterStatus::descriptor()->file(),
        v1::Config::descriptor()->file(), v1::Event::descriptor()->file(),
        v1::WorkerReport::descriptor()->file(), v1::Rollout::descriptor()->file(),
        v1::Statistics::descriptor()->file(), v1::Snapshot::descriptor()->file(),
        v1::Worker::descriptor()->file()}) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        const google::protobuf::MethodDescriptor* method = file->service(s)->method(m);
        const char* kind = method->client_streaming()   ? "both ways"
                           : method->server_streaming() ? "stream"
                                                        : "unary";
        methods.insert(Cat(file->service(s)->name(), "/", method->name(), " (", kind, ")"));
      }
    }
  }
  return methods;
}

// Rows of tables: | `Service/Method` | kind | … |
std::set<std::string> MethodsInDocument() {
  std::set<std::string> methods;
  std::ifstream file(Cat(GOCOMET_SOURCE, "/docs/api.md"));
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("| `")) continue;
    const size_t end = line.find("` | ", 3);
    const size_t kind_end = line.find(" | ", end + 4);
    const std::string name = line.substr(3, end - 3);
    if (end == std::string::npos || kind_end == std::string::npos) continue;
    if (name.find('/') == std::string::npos) continue;
    methods.insert(Cat(name, " (", line.substr(end + 4, kind_end - end - 4), ")"));
  }
  return methods;
}

TEST(ApiDocument, NamesTheMethodsThatTheProtosDeclareAndNoOthers) {
  EXPECT_THAT(MethodsInDocument(), ::testing::ContainerEq(MethodsInProtos()));
}

}  // namespace
}  // namespace gocomet::controlplane
