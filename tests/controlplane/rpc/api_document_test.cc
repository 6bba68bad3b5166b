// docs/api.md names every method of every service and no other, so that neither can drift.
#include <fstream>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "tests/controlplane/rpc/proto_services.h"

namespace gocomet::controlplane {
namespace {

// `SERVICE/METHOD (unary)`, or `(stream)` for one that streams its answers, or `(both ways)`.
std::set<std::string> MethodsInProtos() {
  std::set<std::string> methods;
  for (const google::protobuf::ServiceDescriptor* service : ProtoServices()) {
    for (int m = 0; m < service->method_count(); ++m) {
      const google::protobuf::MethodDescriptor* method = service->method(m);
      const char* kind = method->client_streaming()   ? "both ways"
                         : method->server_streaming() ? "stream"
                                                      : "unary";
      methods.insert(Cat(service->name(), "/", method->name(), " (", kind, ")"));
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
