#include "common/base/token_file.h"

#include <algorithm>

#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace gocomet {

absl::StatusOr<std::string> ReadTokenFile(const std::string& path) {
  constexpr size_t kTokenBytesMax = 4096;
  GOCOMET_ASSIGN_OR_RETURN(std::string token, ReadFile(path));
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  const bool legal =
      !token.empty() && token.size() <= kTokenBytesMax &&
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (legal) return token;
  return absl::InvalidArgumentError(
      Cat("the token file ", path, " must hold one line of visible ASCII characters"));
}

}  // namespace gocomet
