#pragma once

#include <string>
#include <string_view>

#include "controlplane/config/config_key.h"

namespace gocomet::controlplane {

// Why there is no such key in this group of ConfigRoot()'s tree: names the key that was meant, here
// or where it belongs, or those that there are.
std::string ExplainUnknownKey(const ConfigKey& group, std::string_view written);

// What a key expects, for people.
std::string Expectation(const ConfigKey& key);

}  // namespace gocomet::controlplane
