#pragma once

#include <memory>
#include <string>

#include <absl/status/statusor.h>
#include <openssl/ssl.h>

#include "common/base/clock.h"
#include "controlplane/model/config.h"

namespace gocomet::controlplane {

// The server's side of TLS for each connection of an HTTP server. Files that have changed are read
// again; those that cannot be used leave in place what was read before. One thread.
class TlsContext {
 public:
  // INVALID_ARGUMENT names the file at fault.
  static absl::StatusOr<TlsContext> Open(const TlsFiles& files);

  // For one more connection; whoever gets it frees it. Null where there is no memory.
  SSL* NewConnection();

 private:
  using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
  TlsContext(TlsFiles files, Context context, std::string stamp, SteadyTime now)
      : files_(std::move(files)),
        context_(std::move(context)),
        stamp_(std::move(stamp)),
        looked_at_(now) {}

  static absl::StatusOr<Context> Read(const TlsFiles& files);
  static std::string StampOf(const TlsFiles& files);

  TlsFiles files_;
  Context context_;
  std::string stamp_;  // When the files that were read last had been changed.
  SteadyTime looked_at_;
};

}  // namespace gocomet::controlplane
