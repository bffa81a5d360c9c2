// TlsOptions and TlsContext: who a server or client is, whom it trusts, and how its connections are encrypted.
//
// A context is read once from files or text and then shared by every connection of a server or client: the options of
// FrameServer, FrameClient, HttpServer, HttpClient and WebSocketClient take one. TLS 1.2 and 1.3 (RFC 5246, 8446).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace muir::net {

// PEM as text or in a file; neither: none. In text, blanks may stand where PEM has line ends.
struct TlsPem {
  std::string text{};
  std::string path{};
  [[nodiscard]] bool empty() const { return text.empty() && path.empty(); }
};

// A PKCS12 file. Empty path: none.
struct TlsStore {
  std::string path{};
  std::string password{};
};

enum class TlsClientAuth : unsigned char { none, requested, required };
enum class TlsVersion : unsigned char { v1_2, v1_3 };

struct TlsOptions {
  // Who this side is: a store with a key and its certificate chain, or both as PEM, the own certificate first. Servers
  // need one; clients, when the server asks for their certificate. One PEM file may hold the key and the chain.
  TlsStore key_store{};
  TlsPem certificate_chain{};
  TlsPem private_key{};
  std::string key_password{};  // of an encrypted private_key

  // Whom it trusts: issuers, or single certificates. None given: a client trusts what the system trusts.
  TlsStore trust_store{};
  TlsPem trusted_certificates{};

  TlsClientAuth client_auth = TlsClientAuth::none;  // servers: whether clients show a certificate
  bool check_host = true;  // clients: the server's certificate must be for the host that was asked for

  TlsVersion version_min = TlsVersion::v1_2;
  TlsVersion version_max = TlsVersion::v1_3;
  // IANA's names (TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) or OpenSSL's; empty: OpenSSL's default.
  std::vector<std::string> cipher_suites{};

  int64_t handshake_timeout_ms = 10'000;  // from the first byte to the last of the handshake
};

// Immutable; thread-safe.
class TlsContext {
 public:
  // Errors say which file or text, and what is wrong with it: not_found for a missing file, invalid_argument for the
  // rest (a wrong password, a key that does not belong to its certificate, an expired certificate, an unknown suite).
  // Passwords and keys are never part of them. Shared because every connection holds its context.
  static Result<std::shared_ptr<const TlsContext>> server(const TlsOptions& options);
  static Result<std::shared_ptr<const TlsContext>> client(const TlsOptions& options = {});
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // For net's own sources.
  struct Impl;
  [[nodiscard]] const Impl& impl() const { return *impl_; }

 private:
  explicit TlsContext(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

// The same options as plain PEM, whatever form they came in, for a library that runs its own TLS. The key is not
// encrypted: keep it in memory. Empty texts for what was not given.
struct TlsPemTexts {
  std::string certificate_chain{};
  std::string private_key{};
  std::string trusted_certificates{};
  std::string cipher_list{};  // OpenSSL's names of the suites up to TLS 1.2, with ':' between them
};
Result<TlsPemTexts> tls_pem_texts(const TlsOptions& options);

// Fuzz entry: the readers of PEM and PKCS12; 1 when one of them takes the input.
int fuzz_tls_material(BytesView input);

}  // namespace muir::net
