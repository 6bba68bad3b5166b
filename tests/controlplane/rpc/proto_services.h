#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "common/base/text.h"

namespace gocomet::controlplane {

// Every service of every file of proto/gocomet/v1, found there, so that a test knows of a new one
// before whoever wrote it remembers the test.
inline std::vector<const google::protobuf::ServiceDescriptor*> ProtoServices() {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(Cat(GOCOMET_SOURCE, "/proto/gocomet/v1"))) {
    names.push_back(Cat("gocomet/v1/", entry.path().filename().string()));
  }
  std::sort(names.begin(), names.end());
  std::vector<const google::protobuf::ServiceDescriptor*> services;
  for (const std::string& name : names) {
    const google::protobuf::FileDescriptor* file =
        google::protobuf::DescriptorPool::generated_pool()->FindFileByName(name);
    EXPECT_NE(file, nullptr) << name << " is not among the sources of proto/CMakeLists.txt, or "
                             << "nothing of it is linked into the control plane";
    if (file == nullptr) continue;
    for (int s = 0; s < file->service_count(); ++s) services.push_back(file->service(s));
  }
  return services;
}

}  // namespace gocomet::controlplane
