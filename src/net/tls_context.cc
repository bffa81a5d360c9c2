#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net/internal/tls_context_impl.h"
#include "net/internal/tls_material.h"
#include "net/tls.h"

namespace muir::net {
namespace {

int protocol_of(TlsVersion version) { return version == TlsVersion::v1_2 ? TLS1_2_VERSION : TLS1_3_VERSION; }

// OpenSSL has a list of its own for TLS 1.3, with IANA's names, and another for the older versions, with names that it
// made up. A version none of whose suites is named is switched off.
Status set_cipher_suites(SSL_CTX* context, const TlsOptions& options) {
  if (options.cipher_suites.empty()) return {};
  std::string modern;
  std::string older;
  for (const std::string& suite : options.cipher_suites) {
    const bool is_modern = is_tls_1_3_suite(suite);
    const std::string name = is_modern ? suite : openssl_suite(suite);
    std::string& list = is_modern ? modern : older;
    ERR_clear_error();
    const bool known = is_modern ? SSL_CTX_set_ciphersuites(context, name.c_str()) == 1
                                 : SSL_CTX_set_cipher_list(context, name.c_str()) == 1;
    (void)openssl_reason();
    if (!known) return error(Code::invalid_argument, "cipher suite \"{}\" is unknown, or too weak to be used", suite);
    if (!list.empty()) list += ':';
    list += name;
  }
  if (modern.empty() && options.version_min == TlsVersion::v1_3)
    return error(Code::invalid_argument, "none of the cipher suites is one of TLS 1.3, the only protocol enabled");
  if (older.empty() && options.version_max == TlsVersion::v1_2)
    return error(Code::invalid_argument, "none of the cipher suites is one of TLS 1.2, the only protocol enabled");
  SSL_CTX_set_ciphersuites(context, modern.c_str());
  if (modern.empty()) SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  if (older.empty()) {
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  } else {
    SSL_CTX_set_cipher_list(context, older.c_str());
  }
  return {};
}

Status set_identity(SSL_CTX* context, const TlsIdentity& identity) {
  if (identity.chain.empty()) return {};
  ERR_clear_error();
  if (SSL_CTX_use_certificate(context, identity.chain[0].get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, identity.key.get()) != 1) {
    return error(Code::invalid_argument, "{}: {}", identity.origin, openssl_reason());
  }
  for (size_t i = 1; i < identity.chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, identity.chain[i].get()) != 1)
      return error(Code::invalid_argument, "{}: certificate number {}: {}", identity.origin, i + 1, openssl_reason());
  }
  return {};
}

Status set_trust(SSL_CTX* context, const std::vector<Certificate>& trusted, bool is_server) {
  if (trusted.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    return {};
  }
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  // As in Java, every certificate in the trust store is an anchor, also one that has an issuer itself.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  for (const Certificate& certificate : trusted) {
    if (X509_STORE_add_cert(store, certificate.get()) != 1)
      return error(Code::invalid_argument, "trusted certificate {}: {}", subject_of(certificate.get()),
                   openssl_reason());
    if (is_server) SSL_CTX_add_client_CA(context, certificate.get());
  }
  return {};
}

Result<std::unique_ptr<TlsContext::Impl>> make_context(const TlsOptions& options, bool is_server) {
  if (options.version_min > options.version_max)
    return error(Code::invalid_argument, "the lowest TLS version is above the highest");
  const TlsIdentity identity = MUIR_TRY(load_identity(options));
  const std::vector<Certificate> trusted = MUIR_TRY(load_trusted(options));
  if (is_server && identity.chain.empty())
    return error(Code::invalid_argument, "a TLS server needs a certificate and its private key, and none is given");
  if (is_server && options.client_auth != TlsClientAuth::none && trusted.empty()) {
    return error(Code::invalid_argument,
                 "clients are asked for a certificate, but no trusted certificates are given to judge it by");
  }
  auto impl = std::make_unique<TlsContext::Impl>();
  impl->is_server = is_server;
  impl->check_host = options.check_host;
  impl->handshake_timeout_ms = options.handshake_timeout_ms;
  impl->context = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
  SSL_CTX* context = impl->context;
  if (context == nullptr) return error(Code::internal, "TLS context: {}", openssl_reason());
  SSL_CTX_set_min_proto_version(context, protocol_of(options.version_min));
  SSL_CTX_set_max_proto_version(context, protocol_of(options.version_max));
  SSL_CTX_set_options(
      context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_TICKET);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY | SSL_MODE_NO_AUTO_CHAIN);
  // The chain is sent as it was given, as Java does it. Each connection does a whole handshake and has its certificates
  // checked: nothing is resumed.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_dh_auto(context, 1);
  MUIR_RETURN_IF_ERROR(set_cipher_suites(context, options));
  MUIR_RETURN_IF_ERROR(set_identity(context, identity));
  MUIR_RETURN_IF_ERROR(set_trust(context, trusted, is_server));
  int verify = SSL_VERIFY_PEER;
  if (is_server && options.client_auth == TlsClientAuth::none) verify = SSL_VERIFY_NONE;
  if (is_server && options.client_auth == TlsClientAuth::required) verify |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(context, verify, nullptr);
  return impl;
}

}  // namespace

TlsContext::Impl::~Impl() { SSL_CTX_free(context); }

TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<const TlsContext>> TlsContext::server(const TlsOptions& options) {
  auto impl = MUIR_TRY(make_context(options, true));
  return std::shared_ptr<const TlsContext>(new TlsContext(std::move(impl)));
}

Result<std::shared_ptr<const TlsContext>> TlsContext::client(const TlsOptions& options) {
  auto impl = MUIR_TRY(make_context(options, false));
  return std::shared_ptr<const TlsContext>(new TlsContext(std::move(impl)));
}

}  // namespace muir::net
