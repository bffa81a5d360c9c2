// What the tests of TLS share: an authority, and the options of servers and clients that know it.
#pragma once

#include <memory>
#include <string>

#include "net/tls.h"
#include "testing/certificates.h"

namespace muir::net {

inline const testing::CertificateAuthority& authority() {
  static const testing::CertificateAuthority made("Test authority");
  return made;
}

inline TlsOptions with_identity(const testing::IssuedCertificate& identity, TlsOptions options = {}) {
  options.certificate_chain.text = identity.chain;
  options.private_key.text = identity.key;
  return options;
}

inline TlsOptions with_trust(TlsOptions options = {}) {
  options.trusted_certificates.text = authority().certificate();
  return options;
}

// For localhost and 127.0.0.1.
inline TlsOptions server_options(TlsOptions options = {}) {
  static const testing::IssuedCertificate identity = authority().issue();
  return with_identity(identity, std::move(options));
}

inline std::shared_ptr<const TlsContext> server_context(const TlsOptions& options) {
  auto context = TlsContext::server(options);
  MUIR_CHECK(context.ok(), "{}", context.status().to_string());
  return std::move(*context);
}

inline std::shared_ptr<const TlsContext> client_context(const TlsOptions& options) {
  auto context = TlsContext::client(options);
  MUIR_CHECK(context.ok(), "{}", context.status().to_string());
  return std::move(*context);
}

}  // namespace muir::net
