#include "controlplane/access/tls_files.h"

#include <memory>
#include <string>
#include <string_view>

#include <absl/status/statusor.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "common/base/file.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Bytes = std::unique_ptr<BIO, decltype(&BIO_free)>;

Bytes BytesOf(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

absl::Status AtKey(std::string_view key, const absl::Status& status) {
  return WithContext(status, Cat("control-plane.tls.", key));
}

absl::StatusOr<Certificate> ReadCertificate(std::string_view key, const std::string& path) {
  auto text = ReadFile(path);
  if (!text.ok()) return AtKey(key, text.status());
  Certificate certificate(PEM_read_bio_X509(BytesOf(*text).get(), nullptr, nullptr, nullptr),
                          X509_free);
  ERR_clear_error();
  if (certificate) return certificate;
  return AtKey(key, absl::InvalidArgumentError(
                        Cat(path, " holds no certificate in PEM (-----BEGIN CERTIFICATE-----)")));
}

// A key with a password cannot be read: nobody is there to type it.
int NoPassword(char*, int, int, void*) { return -1; }

absl::StatusOr<Key> ReadKey(const std::string& path) {
  auto text = ReadFile(path);
  if (!text.ok()) return AtKey("key", text.status());
  Key key(PEM_read_bio_PrivateKey(BytesOf(*text).get(), nullptr, NoPassword, nullptr),
          EVP_PKEY_free);
  ERR_clear_error();
  if (key) return key;
  return AtKey("key", absl::InvalidArgumentError(
                          Cat(path,
                              " holds no private key in PEM (-----BEGIN PRIVATE KEY-----) "
                              "without a password")));
}

}  // namespace

absl::Status CheckTlsFiles(const TlsFiles& files) {
  GOCOMET_ASSIGN_OR_RETURN(const Certificate certificate,
                           ReadCertificate("certificate", files.certificate));
  GOCOMET_ASSIGN_OR_RETURN(const Key key, ReadKey(files.key));
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    ERR_clear_error();
    return AtKey("key", absl::InvalidArgumentError(Cat(files.key, " is not the private key of the ",
                                                       "certificate in ", files.certificate)));
  }
  if (X509_cmp_current_time(X509_get0_notAfter(certificate.get())) < 0) {
    return AtKey("certificate",
                 absl::InvalidArgumentError(Cat("the certificate in ", files.certificate,
                                                " has expired; have it issued again")));
  }
  if (files.client_authority.empty()) return absl::OkStatus();
  return ReadCertificate("client-ca", files.client_authority).status();
}

}  // namespace gocomet::controlplane
