#pragma once

#include <string>

namespace gocomet::controlplane {

// A certificate authority, a server on 127.0.0.1 and a client, as PEM files under the names that
// DOCKER_CERT_PATH wants: ca.pem, cert.pem and key.pem for the client, server-cert.pem and
// server-key.pem beside them. Good for an hour.
struct TestCertificates {
  explicit TestCertificates(const std::string& in_directory);
  std::string directory;
};

}  // namespace gocomet::controlplane
