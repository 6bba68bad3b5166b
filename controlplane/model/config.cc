#include "controlplane/model/config.h"

namespace gocomet::controlplane {

const char* ToString(RuntimeKind kind) {
  switch (kind) {
    case RuntimeKind::kAuto:
      return "auto";
    case RuntimeKind::kDocker:
      return "docker";
    case RuntimeKind::kProcess:
      return "process";
    case RuntimeKind::kExternal:
      return "external";
  }
  return "unknown";
}

}  // namespace gocomet::controlplane
