#pragma once

#include <string>

#include <google/protobuf/message.h>

namespace gocomet::ctl {

// A message in Protobuf's JSON mapping: lowerCamelCase names, 64-bit numbers as strings, times in
// RFC 3339, every scalar and list present even where it is empty. DEL and C1
// controls are escaped, so no text has power over the terminal.
std::string ToPrettyJson(const google::protobuf::Message& message);  // Indented by 2, ends a line.
std::string ToJsonLine(const google::protobuf::Message& message);    // On one line, ends it.

// The same content as YAML.
std::string ToYaml(const google::protobuf::Message& message);

}  // namespace gocomet::ctl
