// Certificates and keys from PEM and PKCS12, as OpenSSL's objects; every error names its file and the fault.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/tls.h"

// OpenSSL's X509 and EVP_PKEY.
struct x509_st;
struct evp_pkey_st;

namespace muir::net {

struct FreeCertificate {
  void operator()(x509_st* certificate) const;
};
struct FreeKey {
  void operator()(evp_pkey_st* key) const;
};
using Certificate = std::unique_ptr<x509_st, FreeCertificate>;
using PrivateKey = std::unique_ptr<evp_pkey_st, FreeKey>;

struct TlsIdentity {
  std::vector<Certificate> chain{};  // the own one first; empty: no identity
  PrivateKey key{};
  std::string origin{};  // of the certificate, for messages
};

// The key belongs to the first certificate, which is valid now.
Result<TlsIdentity> load_identity(const TlsOptions& options);
// Empty when none is configured.
Result<std::vector<Certificate>> load_trusted(const TlsOptions& options);

// TLS 1.3 has suites of its own.
bool is_tls_1_3_suite(const std::string& suite);
// OpenSSL's name of a suite up to TLS 1.2, "(NONE)" when it has none; its own names stay as they are.
std::string openssl_suite(const std::string& suite);

// "CN=broker-1,O=Muir"
std::string subject_of(const x509_st* certificate);
std::string issuer_of(const x509_st* certificate);
// "2026-03-01 12:00:00 GMT"
std::string not_before_of(const x509_st* certificate);
std::string not_after_of(const x509_st* certificate);
// "localhost, 127.0.0.1": the names that it is for.
std::string names_of(const x509_st* certificate);

// Why OpenSSL's last call on this thread failed, in its words; empties its list.
std::string openssl_reason();

}  // namespace muir::net
