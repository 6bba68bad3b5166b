#include "test_certificates.h"

#include <cstdio>
#include <memory>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/base/text.h"

namespace gocomet::controlplane {
namespace {

constexpr long kSecondsGood = 3600;

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(FILE* file) const { (void)std::fclose(file); }
};

struct Identity {
  std::unique_ptr<EVP_PKEY, Free> key;
  std::unique_ptr<X509, Free> certificate;
};

void AddExtension(X509* certificate, int kind, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Signed by `issuer`, or by itself where that is null.
Identity Make(const char* name, long serial, const Identity* issuer) {
  Identity made{std::unique_ptr<EVP_PKEY, Free>(EVP_EC_gen("P-256")),
                std::unique_ptr<X509, Free>(X509_new())};
  X509* certificate = made.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -kSecondsGood);
  X509_gmtime_adj(X509_getm_notAfter(certificate), kSecondsGood);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  const X509* signer = issuer == nullptr ? certificate : issuer->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(signer));
  if (issuer == nullptr) {
    AddExtension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  } else {
    AddExtension(certificate, NID_subject_alt_name, "IP:127.0.0.1");
  }
  X509_sign(certificate, issuer == nullptr ? made.key.get() : issuer->key.get(), EVP_sha256());
  return made;
}

void WriteCertificate(const Identity& identity, const std::string& path) {
  const std::unique_ptr<FILE, Free> file(std::fopen(path.c_str(), "w"));
  ASSERT_NE(file, nullptr) << path;
  EXPECT_EQ(PEM_write_X509(file.get(), identity.certificate.get()), 1);
}

void WriteKey(const Identity& identity, const std::string& path) {
  const std::unique_ptr<FILE, Free> file(std::fopen(path.c_str(), "w"));
  ASSERT_NE(file, nullptr) << path;
  EXPECT_EQ(
      PEM_write_PrivateKey(file.get(), identity.key.get(), nullptr, nullptr, 0, nullptr, nullptr),
      1);
}

}  // namespace

TestCertificates::TestCertificates(const std::string& in_directory) : directory(in_directory) {
  const Identity authority = Make("gocomet test authority", 1, nullptr);
  const Identity server = Make("gocomet test engine", 2, &authority);
  const Identity client = Make("gocomet test client", 3, &authority);
  WriteCertificate(authority, Cat(directory, "/ca.pem"));
  WriteCertificate(server, Cat(directory, "/server-cert.pem"));
  WriteKey(server, Cat(directory, "/server-key.pem"));
  WriteCertificate(client, Cat(directory, "/cert.pem"));
  WriteKey(client, Cat(directory, "/key.pem"));
}

}  // namespace gocomet::controlplane
