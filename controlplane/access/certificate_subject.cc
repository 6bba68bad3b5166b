#include "controlplane/access/certificate_subject.h"

#include <memory>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace gocomet::controlplane {
namespace {

// What people read: anything but visible ASCII could deceive them.
std::string Printable(std::string text) {
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text;
}

std::vector<std::string> EntriesOf(const X509_NAME* name, int kind) {
  std::vector<std::string> values;
  int place = -1;
  while ((place = X509_NAME_get_index_by_NID(name, kind, place)) >= 0) {
    const ASN1_STRING* data = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, place));
    unsigned char* bytes = nullptr;
    const int length = ASN1_STRING_to_UTF8(&bytes, data);
    if (length < 0) continue;
    values.push_back(
        Printable(std::string(reinterpret_cast<char*>(bytes), static_cast<size_t>(length))));
    OPENSSL_free(bytes);
  }
  return values;
}

}  // namespace

absl::StatusOr<CertificateSubject> ReadCertificateSubject(const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bytes(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(bytes.get(), nullptr, nullptr, nullptr), X509_free);
  if (!certificate) {
    return absl::UnauthenticatedError("the client's certificate cannot be read");
  }
  const X509_NAME* name = X509_get_subject_name(certificate.get());
  const std::vector<std::string> names = EntriesOf(name, NID_commonName);
  if (names.empty() || names.front().empty()) {
    return absl::UnauthenticatedError(
        "the client's certificate names nobody: have it issued with a common name (CN)");
  }
  return CertificateSubject{names.front(), EntriesOf(name, NID_organizationName)};
}

}  // namespace gocomet::controlplane
