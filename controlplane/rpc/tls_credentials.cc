#include "controlplane/rpc/tls_credentials.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include "common/base/status_macros.h"
#include "controlplane/access/tls_files.h"

namespace gocomet::controlplane {
namespace {

constexpr unsigned kReadAgainSeconds = 1;

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const TlsFiles& files) {
  namespace experimental = grpc::experimental;
  if (!files.enabled()) return grpc::InsecureServerCredentials();
  GOCOMET_RETURN_IF_ERROR(CheckTlsFiles(files));
  const auto provider = std::make_shared<experimental::FileWatcherCertificateProvider>(
      files.key, files.certificate, files.client_authority, kReadAgainSeconds);
  experimental::TlsServerCredentialsOptions options(provider);
  options.watch_identity_key_cert_pairs();
  if (files.client_authority.empty()) {
    options.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  } else {
    options.watch_root_certs();
    // Asked for, not demanded: a token does as well.
    options.set_cert_request_type(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return experimental::TlsServerCredentials(options);
}

}  // namespace gocomet::controlplane
