#include "ctl/output/json.h"

#include <cstdio>

#include <google/protobuf/util/json_util.h>
#include <nlohmann/json.hpp>

#include "ctl/output/yaml.h"

namespace gocomet::ctl {
namespace {

std::string Mapped(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string json;
  // Fails only for an Any of an unknown type, which no message of ours holds.
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  return status.ok() ? json : "{}";
}

// Outside of strings JSON is ASCII, so an escape is right wherever such a character stands.
std::string WithoutPower(const std::string& json) {
  std::string clean;
  clean.reserve(json.size());
  for (size_t i = 0; i < json.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(json[i]);
    const unsigned char next = i + 1 < json.size() ? static_cast<unsigned char>(json[i + 1]) : 0;
    const bool is_c1 = c == 0xC2 && next >= 0x80 && next < 0xA0;
    if (c != 0x7F && !is_c1) {
      clean += json[i];
      continue;
    }
    char escape[8];
    std::snprintf(escape, sizeof(escape), "\\u%04x", is_c1 ? next : c);
    clean += escape;
    if (is_c1) ++i;
  }
  return clean;
}

nlohmann::ordered_json Parsed(const google::protobuf::Message& message) {
  return nlohmann::ordered_json::parse(Mapped(message), nullptr, /*allow_exceptions=*/false);
}

}  // namespace

std::string ToPrettyJson(const google::protobuf::Message& message) {
  return WithoutPower(Parsed(message).dump(2)) + "\n";
}

std::string ToJsonLine(const google::protobuf::Message& message) {
  return WithoutPower(Mapped(message)) + "\n";
}

std::string ToYaml(const google::protobuf::Message& message) {
  return WithoutPower(JsonToYaml(Parsed(message)));
}

}  // namespace gocomet::ctl
