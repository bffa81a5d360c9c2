// CertificateAuthority: certificates and keys made at run time, for tests of TLS. Elliptic curve keys (P-256), which
// are quick to make. Owned by one thread; failures are CHECKs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace muir::testing {

struct CertificateRequest {
  std::string common_name = "test server";
  std::vector<std::string> hosts{"localhost", "127.0.0.1"};  // subject alternative names; addresses are recognised
  int64_t valid_from_s = -3600;                              // relative to now
  int64_t valid_to_s = 86'400;
};

// PEM. The chain holds the certificate and, when an intermediate authority made it, that one's.
struct IssuedCertificate {
  std::string chain;
  std::string key;
};

class CertificateAuthority {
 public:
  // A root, signed by itself.
  explicit CertificateAuthority(const std::string& name = "Test authority");
  ~CertificateAuthority();
  CertificateAuthority(CertificateAuthority&&) noexcept;
  CertificateAuthority& operator=(CertificateAuthority&&) noexcept;

  [[nodiscard]] const std::string& certificate() const;  // PEM
  [[nodiscard]] IssuedCertificate issue(const CertificateRequest& request = {}) const;
  // An authority whose certificate this one signs.
  [[nodiscard]] CertificateAuthority intermediate(const std::string& name) const;

 private:
  struct Impl;
  explicit CertificateAuthority(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The key as encrypted PKCS#8 PEM (AES-256).
std::string encrypted_key(const std::string& key, const std::string& password);
// PKCS12 files, as bytes: a key with its chain; certificates without a key.
Bytes pkcs12_key_store(const IssuedCertificate& identity, const std::string& password);
Bytes pkcs12_trust_store(const std::string& certificates, const std::string& password);

}  // namespace muir::testing
