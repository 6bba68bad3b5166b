#include "ctl/output/yaml.h"

#include <algorithm>
#include <string_view>

#include <nlohmann/json.hpp>

namespace gocomet::ctl {
namespace {

using Json = nlohmann::ordered_json;

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// A first letter rules out numbers and times; the words are those of YAML 1.1 and 1.2.
bool MayStandPlain(const std::string& text) {
  static constexpr std::string_view kReserved[] = {"true", "false", "yes", "no",  "on", "off",
                                                   "null", "y",     "n",   "inf", "nan"};
  if (text.empty() || !IsLetter(text.front())) return false;
  const bool harmless = std::all_of(text.begin(), text.end(), [](char c) {
    return IsLetter(c) || IsDigit(c) || c == '_' || c == '-' || c == '.' || c == '/' || c == '+';
  });
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return harmless &&
         std::find(std::begin(kReserved), std::end(kReserved), lower) == std::end(kReserved);
}

std::string Scalar(const Json& value) {
  if (value.is_string() && MayStandPlain(value.get_ref<const std::string&>())) {
    return value.get<std::string>();
  }
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool IsBlock(const Json& value) { return value.is_structured() && !value.empty(); }

void Append(std::string& out, const Json& value, size_t indent);

void AppendObject(std::string& out, const Json& object, size_t indent, bool first_line_begun) {
  for (const auto& [key, value] : object.items()) {
    if (!first_line_begun) out.append(indent, ' ');
    first_line_begun = false;
    out += Scalar(Json(key)) + ":";
    if (IsBlock(value)) {
      out += "\n";
      // A list stands under its key without further indentation, as kubectl prints it.
      Append(out, value, value.is_array() ? indent : indent + 2);
    } else {
      out += " " + Scalar(value) + "\n";
    }
  }
}

void Append(std::string& out, const Json& value, size_t indent) {
  if (!IsBlock(value)) {
    out += Scalar(value) + "\n";
  } else if (value.is_object()) {
    AppendObject(out, value, indent, false);
  } else {
    for (const Json& item : value) {
      out.append(indent, ' ');
      out += "- ";
      if (item.is_object() && !item.empty()) {
        AppendObject(out, item, indent + 2, true);
      } else {
        Append(out, item, indent + 2);
      }
    }
  }
}

}  // namespace

std::string JsonToYaml(const nlohmann::ordered_json& json) {
  std::string out;
  Append(out, json, 0);
  return out;
}

}  // namespace gocomet::ctl
