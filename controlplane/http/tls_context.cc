#include "controlplane/http/tls_context.h"

#include <sys/stat.h>

#include <chrono>
#include <utility>

#include <openssl/err.h>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "controlplane/access/tls_files.h"

namespace gocomet::controlplane {
namespace {

constexpr std::chrono::seconds kLookAgain{1};

}  // namespace

std::string TlsContext::StampOf(const TlsFiles& files) {
  std::string stamp;
  for (const std::string& path : {files.certificate, files.key}) {
    struct stat file {};
    if (::stat(path.c_str(), &file) != 0) return "";
    stamp += Cat(file.st_ino, ".", file.st_size, ".", file.st_mtim.tv_sec, ".",
                 file.st_mtim.tv_nsec, " ");
  }
  return stamp;
}

absl::StatusOr<TlsContext::Context> TlsContext::Read(const TlsFiles& files) {
  GOCOMET_RETURN_IF_ERROR(CheckTlsFiles(files));
  Context context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return absl::ResourceExhaustedError("no memory for TLS");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  const bool taken =
      SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) == 1 &&
      SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) == 1;
  ERR_clear_error();
  if (taken) return context;
  return absl::InvalidArgumentError(
      Cat("TLS cannot use the certificate in ", files.certificate, " with ", files.key));
}

absl::StatusOr<TlsContext> TlsContext::Open(const TlsFiles& files) {
  std::string stamp = StampOf(files);
  GOCOMET_ASSIGN_OR_RETURN(Context context, Read(files));
  return TlsContext(files, std::move(context), std::move(stamp), SystemClock().Steady());
}

SSL* TlsContext::NewConnection() {
  const SteadyTime now = SystemClock().Steady();
  if (now >= looked_at_ + kLookAgain) {
    looked_at_ = now;
    std::string stamp = StampOf(files_);
    if (stamp != stamp_) {
      if (auto context = Read(files_); context.ok()) {
        context_ = *std::move(context);
        stamp_ = std::move(stamp);
      }
    }
  }
  return SSL_new(context_.get());
}

}  // namespace gocomet::controlplane
