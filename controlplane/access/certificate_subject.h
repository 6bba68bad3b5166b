#pragma once

#include <string>
#include <vector>

#include <absl/status/statusor.h>

namespace gocomet::controlplane {

// Whom an X.509 certificate (RFC 5280) is about.
struct CertificateSubject {
  std::string common_name;
  std::vector<std::string> organizations;
};

// From the first certificate in PEM. UNAUTHENTICATED where it cannot be read, or names nobody.
absl::StatusOr<CertificateSubject> ReadCertificateSubject(const std::string& pem);

}  // namespace gocomet::controlplane
