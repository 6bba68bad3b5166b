#pragma once

#include <string>

#include <google/protobuf/message.h>

namespace gocomet::controlplane {

// What an event says of a request: its short fields, without texts of configs, which may hold
// secrets.
struct RequestSummary {
  std::string fields;  // ` name=worker replicas=4`; empty where none is set.
  std::string author;  // On one line, shortened.
};

RequestSummary SummarizeRequest(const google::protobuf::Message& request);

}  // namespace gocomet::controlplane
