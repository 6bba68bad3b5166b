#include "controlplane/app/local_admin.h"

#include <sys/stat.h>

#include "common/base/file.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/access/token_text.h"
#include "controlplane/rpc/access_service.h"

namespace gocomet::controlplane {
namespace {

constexpr size_t kIdBytes = 6;
constexpr size_t kSecretBytes = 32;
constexpr mode_t kOthers = 077;

bool OthersMayRead(const std::string& path) {
  struct stat file {};
  return ::stat(path.c_str(), &file) != 0 || (file.st_mode & kOthers) != 0;
}

}  // namespace

absl::StatusOr<AccessToken> OpenLocalAdmin(const std::string& token_file, WallTime now) {
  auto content = ReadFile(token_file);
  if (!content.ok() && !absl::IsNotFound(content.status())) return content.status();
  std::string text = content.value_or("");
  if (text.ends_with('\n')) text.pop_back();
  if (!ParseTokenText(text) || OthersMayRead(token_file)) {
    text = MakeTokenText(RandomHex(kIdBytes), RandomHex(kSecretBytes));
    GOCOMET_RETURN_IF_ERROR(WriteFileAtomically(token_file, text + "\n", 0600));
  }
  AccessToken token;
  token.id = ParseTokenText(text)->id;
  token.name = kLocalAdmin;
  token.role = Role::kAdmin;
  token.hash = HashToken(text);
  token.create_time = now;
  token.author = "gocomet-controlplane";
  return token;
}

}  // namespace gocomet::controlplane
