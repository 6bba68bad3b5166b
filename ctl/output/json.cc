#include "ctl/output/json.h"

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

nlohmann::ordered_json Parsed(const google::protobuf::Message& message) {
  return nlohmann::ordered_json::parse(Mapped(message), nullptr, /*allow_exceptions=*/false);
}

}  // namespace

std::string ToPrettyJson(const google::protobuf::Message& message) {
  return Parsed(message).dump(2) + "\n";
}

std::string ToJsonLine(const google::protobuf::Message& message) { return Mapped(message) + "\n"; }

std::string ToYaml(const google::protobuf::Message& message) { return JsonToYaml(Parsed(message)); }

}  // namespace gocomet::ctl
