#pragma once

#include <string>

namespace gocomet::controlplane {

// config.yaml as JSON Schema (2020-12), for editors: what each key means and may hold. What a
// schema cannot say (ports that overlap, names that exist) only a validation finds. Ends with a
// newline.
std::string ConfigSchema();

}  // namespace gocomet::controlplane
