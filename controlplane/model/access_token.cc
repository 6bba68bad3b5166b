#include "controlplane/model/access_token.h"

namespace gocomet::controlplane {

const char* ToString(Role role) {
  switch (role) {
    case Role::kNobody:
      return "nobody";
    case Role::kViewer:
      return "viewer";
    case Role::kOperator:
      return "operator";
    case Role::kAdmin:
      return "admin";
  }
  return "nobody";
}

std::optional<Role> ParseRole(std::string_view text) {
  for (const Role role : {Role::kViewer, Role::kOperator, Role::kAdmin}) {
    if (text == ToString(role)) return role;
  }
  return std::nullopt;
}

}  // namespace gocomet::controlplane
