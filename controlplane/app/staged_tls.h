#pragma once

#include <string>

#include <absl/status/statusor.h>

#include "controlplane/model/config.h"

namespace gocomet::controlplane {

// Copies of the TLS files that servers read whenever they like: always a certificate with its key,
// whatever happens to the files of the config. A value that owns its directory; one thread.
class StagedTls {
 public:
  // `source`: absolute paths. `directory` is replaced (mode 0700). Errors name the file at fault.
  static absl::StatusOr<StagedTls> Open(TlsFiles source, std::string directory);

  // The copies. None where there is nothing to copy.
  const TlsFiles& files() const { return files_; }

  // Takes over what the sources hold now; false where that is nothing new. After an error the
  // copies are as they were.
  absl::StatusOr<bool> Refresh();

  // Deletes the copies.
  void Remove() const;

 private:
  struct Contents {
    std::string certificate, key, client_authority;
    bool operator==(const Contents&) const = default;
  };

  StagedTls(TlsFiles source, std::string directory);
  absl::StatusOr<Contents> Read() const;
  absl::Status Stage(const Contents& contents);
  TlsFiles FilesIn(const std::string& directory) const;

  TlsFiles source_;
  std::string directory_;
  TlsFiles files_;
  Contents staged_;
  uint64_t number_ = 0;  // Of the sub-directory that is in use.
};

}  // namespace gocomet::controlplane
