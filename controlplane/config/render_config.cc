#include "common/base/text.h"
#include "controlplane/config/config_keys.h"
#include "controlplane/config/config_text.h"

namespace gocomet::controlplane {

std::string RenderConfig(const ConfigFile& file) {
  const ConfigFile defaults;
  std::string text;
  bool group_begun = false;
  for (const ConfigKey& key : ConfigKeys()) {
    const std::string value = key.write(file);
    if (!key.is_main && value == key.write(defaults)) continue;
    const size_t dot = key.path.find('.');
    if (dot == std::string::npos) {
      text += Cat(key.path, ": ", value, "\n");
      continue;
    }
    if (!group_begun) text += Cat(kControlPlaneGroup, ":\n");
    group_begun = true;
    text += Cat("  ", key.path.substr(dot + 1), ": ", value, "\n");
  }
  return text;
}

}  // namespace gocomet::controlplane
