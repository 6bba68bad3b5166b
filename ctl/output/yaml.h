#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace gocomet::ctl {

// Block style, in the order of the JSON. A string stands plain only where every YAML reader takes
// it for a string; otherwise it is quoted as in JSON, which is YAML too.
std::string JsonToYaml(const nlohmann::ordered_json& json);

}  // namespace gocomet::ctl
