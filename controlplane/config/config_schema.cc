#include "controlplane/config/config_schema.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "controlplane/config/config_keys.h"

namespace gocomet::controlplane {
namespace {

using Json = nlohmann::ordered_json;

Json SchemaOf(const ConfigKey& key, const void* owner);

Json SchemaOfScalar(const ScalarShape& shape) {
  Json schema;
  switch (shape.kind) {
    case ScalarShape::Kind::kWholeNumber:
      schema = {{"type", "integer"}, {"minimum", shape.min}, {"maximum", shape.max}};
      break;
    case ScalarShape::Kind::kNumber:
      schema = {{"type", "number"}, {"minimum", shape.min}, {"maximum", shape.max}};
      break;
    case ScalarShape::Kind::kBoolean:
      schema = {{"type", "boolean"}};
      break;
    case ScalarShape::Kind::kAnything:
      schema = {{"type", {"string", "number", "boolean", "null"}}};
      break;
    case ScalarShape::Kind::kText:
      schema = {{"type", "string"}};
      if (!shape.pattern.empty()) schema["pattern"] = shape.pattern;
      if (!shape.choices.empty()) schema["enum"] = shape.choices;
      break;
  }
  if (!shape.or_zero) return schema;
  return {{"anyOf", {schema, {{"const", 0}}}}};
}

Json SchemaOfGroup(const ConfigKey& key, const void* owner) {
  Json properties = Json::object();
  Json required = Json::array();
  const void* inner = owner != nullptr ? Enter(key, owner) : nullptr;
  for (const ConfigKey& each : key.group->keys) {
    properties[each.name] = SchemaOf(each, inner);
    if (each.is_required) required.push_back(each.name);
  }
  Json schema = {{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  schema["additionalProperties"] = false;
  return schema;
}

Json SchemaOfEntries(const ConfigKey::Entries& entries) {
  const auto blank = entries.blank("example");
  Json entry = SchemaOf(*entries.entry, blank.get());
  if (!entries.named) {
    Json schema = {{"type", "array"}, {"items", std::move(entry)}};
    if (entries.max > 0) schema["maxItems"] = entries.max;
    return schema;
  }
  Json schema = {{"type", "object"}};
  if (!entries.name_pattern.empty()) schema["propertyNames"] = {{"pattern", entries.name_pattern}};
  if (entries.max > 0) schema["maxProperties"] = entries.max;
  schema["additionalProperties"] = std::move(entry);
  return schema;
}

std::string DescriptionOf(const ConfigKey& key) {
  std::string text = key.meaning;
  const auto add = [&text](const std::string& sentence) {
    text += (text.empty() ? "" : " ") + sentence;
  };
  if (!key.expected.empty()) add("Expected: " + key.expected + ".");
  if (!key.applies_to.empty()) add("Only for " + key.applies_to + ".");
  return text;
}

// As YAML would read it; nothing where it has none.
Json DefaultOf(const ConfigKey& key, const void* owner) {
  if (owner == nullptr || !key.scalar || key.is_required) return nullptr;
  const std::string text = key.scalar->write(owner);
  switch (key.scalar->shape.kind) {
    case ScalarShape::Kind::kWholeNumber:
    case ScalarShape::Kind::kNumber:
    case ScalarShape::Kind::kBoolean:
      return Json::parse(text, nullptr, false).is_discarded() ? Json() : Json::parse(text);
    default:
      // A text that YAML must quote is none that a key has by itself.
      return text.empty() || text.front() == '"' ? Json() : Json(text);
  }
}

// `owner` is one that nothing was said of.
Json SchemaOf(const ConfigKey& key, const void* owner) {
  Json forms = Json::array();
  if (key.scalar) forms.push_back(SchemaOfScalar(key.scalar->shape));
  if (key.group) forms.push_back(SchemaOfGroup(key, owner));
  if (key.entries) forms.push_back(SchemaOfEntries(*key.entries));
  Json schema;
  if (const std::string description = DescriptionOf(key); !description.empty()) {
    schema["description"] = description;
  }
  if (Json value = DefaultOf(key, owner); !value.is_null()) schema["default"] = std::move(value);
  if (forms.size() > 1) {
    schema["anyOf"] = std::move(forms);
  } else {
    schema.update(forms.front());
  }
  return schema;
}

}  // namespace

std::string ConfigSchema() {
  const ConfigFile defaults;
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                 {"title", "config.yaml of GoComet"}};
  schema.update(SchemaOf(ConfigRoot(), &defaults));
  return schema.dump(2) + "\n";
}

}  // namespace gocomet::controlplane
