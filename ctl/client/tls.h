#pragma once

#include <string>

namespace gocomet::ctl {

// How to speak TLS to the control plane: contents of PEM files.
struct Tls {
  bool enabled = false;
  std::string authorities;  // Empty: those of this machine.
  // Who the client is, where the control plane takes certificates.
  std::string certificate;
  std::string key;
  std::string server_name;  // In the certificate, where it is not the address; may be empty.
};

}  // namespace gocomet::ctl
