#include "controlplane/access/role.h"

#include <algorithm>
#include <string_view>

namespace gocomet::controlplane {
namespace {

constexpr std::string_view kOrganizationPrefix = "gocomet:";

}  // namespace

Role RoleOfOrganizations(std::span<const std::string> organizations) {
  Role highest = Role::kNobody;
  for (const std::string& organization : organizations) {
    if (!organization.starts_with(kOrganizationPrefix)) continue;
    const auto role = ParseRole(std::string_view(organization).substr(kOrganizationPrefix.size()));
    if (role) highest = std::max(highest, *role);
  }
  return highest;
}

}  // namespace gocomet::controlplane
