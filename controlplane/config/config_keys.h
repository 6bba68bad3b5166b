#pragma once

#include <string_view>

#include "controlplane/config/config_key.h"
#include "controlplane/config/config_key_types.h"
#include "controlplane/model/config.h"

// The keys of config.yaml: the only place that says what they may hold and where their values live.
namespace gocomet::controlplane {

// All of them, in the order of config.yaml, as one group whose owner is a ConfigFile.
const ConfigKey& ConfigRoot();

// Of one service, and of one route.
KeysOf<Service> ServiceKeys();
KeysOf<Route> RouteKeys();

// `services:` and `routes:`, of the config.
ConfigKey::Entries ServiceEntries();
ConfigKey::Entries RouteEntries();

// The service that the flat keys define.
inline constexpr std::string_view kFlatService = "worker";

// Makes it where there is none yet; of a config that stays as it is, a service without copies.
Service& FlatService(ConfigFile& file);
const Service& FlatService(const ConfigFile& file);
// Null where there is none.
const Service* FindService(const Config& config, std::string_view name);

// A service of that name of which nothing else was said.
Service BlankService(const std::string& name);

}  // namespace gocomet::controlplane
