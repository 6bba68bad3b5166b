#include "controlplane/config/config_key.h"

#include <charconv>

#include "common/base/text.h"
#include "controlplane/config/config_key_types.h"

namespace gocomet::controlplane {
namespace {

std::string FlowGroup(const ConfigKey& key, const void* owner) {
  std::string text;
  const void* inner = Enter(key, owner);
  for (const ConfigKey& part : key.group->keys) {
    const std::string value = FlowText(part, inner);
    if (!value.empty()) text += Cat(text.empty() ? "" : ", ", part.name, ": ", value);
  }
  return Cat("{", text, "}");
}

}  // namespace

std::string FlowText(const ConfigKey& key, const void* owner) {
  if (key.scalar) {
    std::string text = key.scalar->write(owner);
    if (!text.empty()) return text;
  }
  if (key.group) return FlowGroup(key, owner);
  if (!key.entries) return "";
  std::string text;
  key.entries->each(owner, [&](const std::string& name, const void* entry) {
    const std::string value = FlowText(*key.entries->entry, entry);
    text += text.empty() ? "" : ", ";
    text += key.entries->named ? Cat(name, ": ", value) : value;
  });
  if (text.empty()) return "";
  return key.entries->named ? Cat("{", text, "}") : Cat("[", text, "]");
}

std::optional<uint64_t> DecimalNumber(const YamlNode& node) {
  const std::string& text = node.text;
  if (node.kind != YamlNode::Kind::kPlain || text.empty() || (text.size() > 1 && text[0] == '0')) {
    return std::nullopt;
  }
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool IsText(const YamlNode& scalar) {
  return scalar.kind == YamlNode::Kind::kQuoted ||
         (scalar.kind == YamlNode::Kind::kPlain && !LooksLikeOtherType(scalar.text));
}

}  // namespace gocomet::controlplane
