#pragma once

#include <span>
#include <string>

#include "controlplane/model/access_token.h"

namespace gocomet::controlplane {

// The highest role that the organizations of a certificate's subject give: `gocomet:operator` gives
// kOperator, as Kubernetes takes groups from there.
Role RoleOfOrganizations(std::span<const std::string> organizations);

}  // namespace gocomet::controlplane
