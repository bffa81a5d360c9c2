#include "net/internal/tls_session.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>

#include "net/internal/tls_context_impl.h"
#include "net/internal/tls_material.h"

namespace muir::net {
namespace {

// The plaintext of one record at most (RFC 8446, 5.1).
constexpr size_t kRecordBytes = 16 * 1024;
// A record begins with its type; a conversation begins with a handshake (22) or an alert (21).
constexpr char kAlert = 21;
constexpr char kHandshake = 22;
// A record's header and that of the message in it.
constexpr size_t kHeadBytes = 9;
// OpenSSL makes room for all that a ClientHello announces, before it has come; the largest real ones have 2 KiB.
constexpr size_t kHelloBytesMax = 16 * 1024;

bool is_address(const std::string& host) {
  unsigned char out[16];
  return ::inet_pton(AF_INET, host.c_str(), out) == 1 || ::inet_pton(AF_INET6, host.c_str(), out) == 1;
}

// What to do about an alert of the peer's (RFC 8446, 6.2), where that is known.
std::string_view advice(int alert) {
  switch (alert) {
    case SSL_AD_UNKNOWN_CA: return "; it does not trust the issuer of our certificate";
    case SSL_AD_CERTIFICATE_EXPIRED: return "; our certificate has expired";
    case TLS13_AD_CERTIFICATE_REQUIRED: return "; it wants a certificate from us, and none is configured";
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_CERTIFICATE_UNKNOWN: return "; it does not accept our certificate";
    case SSL_AD_HANDSHAKE_FAILURE: return "; no cipher suite in common, or it wants a certificate that was not given";
    case SSL_AD_PROTOCOL_VERSION: return "; no TLS version in common";
    default: return "";
  }
}

bool is_about_certificates(int alert) {
  return alert == SSL_AD_UNKNOWN_CA || (alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN) ||
         alert == SSL_AD_ACCESS_DENIED || alert == TLS13_AD_CERTIFICATE_REQUIRED;
}

}  // namespace

struct TlsSession::Impl {
  std::shared_ptr<const TlsContext> context;
  std::string host;
  SSL* ssl = nullptr;
  Bytes in;  // ciphertext that has arrived
  size_t in_begin = 0;
  Bytes out;
  Bytes head;             // of the peer's first record
  bool foreign = false;   // what came first was not TLS
  std::string rejection;  // why the peer's certificate was refused

  ~Impl() { SSL_free(ssl); }

  // Both directions of the connection are buffers of this struct.
  static int bio_read(BIO* bio, char* into, int size) {
    auto& self = *static_cast<Impl*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const size_t n = std::min(static_cast<size_t>(size), self.in.size() - self.in_begin);
    if (n == 0) {
      BIO_set_retry_read(bio);
      return -1;
    }
    std::memcpy(into, self.in.data() + self.in_begin, n);
    self.in_begin += n;
    if (self.in_begin == self.in.size()) {
      self.in = {};  // who waits holds none
      self.in_begin = 0;
    }
    return static_cast<int>(n);
  }
  static int bio_write(BIO* bio, const char* from, int size) {
    static_cast<Impl*>(BIO_get_data(bio))->out.append(from, static_cast<size_t>(size));
    return size;
  }
  static long bio_ctrl(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* out = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "muir buffers");
      BIO_meth_set_read(out, &bio_read);
      BIO_meth_set_write(out, &bio_write);
      BIO_meth_set_ctrl(out, &bio_ctrl);
      return out;
    }();
    return made;
  }

  static int data_index() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
  }

  // Keeps the first reason against the peer's certificate: OpenSSL's own error says only that there was one.
  static int on_verify(int good, X509_STORE_CTX* store) {
    if (good == 1) return 1;
    const auto* ssl = static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto& self = *static_cast<Impl*>(SSL_get_ex_data(ssl, data_index()));
    if (!self.rejection.empty()) return 0;
    const X509* certificate = X509_STORE_CTX_get_current_cert(store);
    const int reason = X509_STORE_CTX_get_error(store);
    self.rejection = certificate == nullptr ? X509_verify_cert_error_string(reason)
                                            : self.rejection_of(X509_STORE_CTX_get0_cert(store), certificate, reason);
    return 0;
  }

  // `own` is the peer's, `certificate` the one of its chain that is at fault.
  std::string rejection_of(const X509* own, const X509* certificate, int reason) const {
    const std::string subject = subject_of(certificate);
    switch (reason) {
      case X509_V_ERR_CERT_HAS_EXPIRED:
        return fmt::format("its certificate {} expired on {}", subject, not_after_of(certificate));
      case X509_V_ERR_CERT_NOT_YET_VALID:
        return fmt::format("its certificate {} is valid only from {} on", subject, not_before_of(certificate));
      case X509_V_ERR_HOSTNAME_MISMATCH:
      case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return fmt::format("its certificate {} is for {}, not for {}", subject, names_of(certificate), host);
      case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
      case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
      case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return fmt::format("the issuer of its certificate {} is not trusted: {} is not among the trusted certificates",
                           subject_of(own), issuer_of(certificate));
      default: return fmt::format("its certificate {}: {}", subject, X509_verify_cert_error_string(reason));
    }
  }

  // Whether the handshake may begin with what has come: a client's must not announce what it need never send.
  [[nodiscard]] Result<bool> begins_well() const {
    if (!context->impl().is_server || head[0] != kHandshake) return true;
    if (head.size() < kHeadBytes) return false;
    const auto byte = [this](size_t i) { return size_t{static_cast<unsigned char>(head[i])}; };
    const size_t record = byte(3) << 8 | byte(4);
    const size_t hello = byte(6) << 16 | byte(7) << 8 | byte(8);
    if (record >= kHeadBytes - 5 && hello <= kHelloBytesMax) return true;
    return error(Code::unavailable, "it announces a ClientHello of {} bytes, in a record of {}; at most {} are taken",
                 hello, record, kHelloBytesMax);
  }

  // After a call of OpenSSL's that failed for good.
  Status failure() {
    const unsigned long last = ERR_peek_last_error();
    const int reason = ERR_GET_REASON(last);
    const std::string words = openssl_reason();
    if (foreign) {
      return error(Code::unavailable, "the peer does not speak TLS: is {} for plaintext?",
                   context->impl().is_server ? "its configuration" : "this port");
    }
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && !rejection.empty())
      return error(Code::permission_denied, "{}", rejection);
    if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
      return error(Code::permission_denied, "the peer gave no certificate, and one is required");
    if (ERR_GET_LIB(last) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET) {
      const int alert = reason - SSL_AD_REASON_OFFSET;
      return error(is_about_certificates(alert) ? Code::permission_denied : Code::unavailable, "the peer refused: {}{}",
                   SSL_alert_desc_string_long(alert), advice(alert));
    }
    return error(Code::unavailable, "{}", words);
  }

  // The outcome of a call that returned `rc` <= 0: false when it only wants more bytes.
  Result<bool> outcome(int rc) {
    const int code = SSL_get_error(ssl, rc);
    if (code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE) return false;
    if (code == SSL_ERROR_ZERO_RETURN) return error(Code::unavailable, "the peer closed the connection");
    return failure();
  }

  Status encrypt(BytesView plain) {
    if (plain.empty()) return {};
    ERR_clear_error();
    size_t written = 0;
    if (SSL_write_ex(ssl, plain.data(), plain.size(), &written) == 1) return {};
    const Result<bool> why = outcome(0);
    return why.ok() ? error(Code::unavailable, "the connection takes no bytes now") : why.status();
  }
};

TlsSession::TlsSession(std::shared_ptr<const TlsContext> context, std::string host) : impl_(std::make_unique<Impl>()) {
  Impl& impl = *impl_;
  impl.context = std::move(context);
  impl.host = std::move(host);
  const TlsContext::Impl& settings = impl.context->impl();
  impl.ssl = SSL_new(settings.context);
  MUIR_CHECK(impl.ssl != nullptr, "TLS connection: {}", openssl_reason());
  SSL_set_ex_data(impl.ssl, Impl::data_index(), &impl);
  BIO* bio = BIO_new(Impl::method());
  BIO_set_data(bio, &impl);
  BIO_set_init(bio, 1);
  SSL_set_bio(impl.ssl, bio, bio);
  SSL_set_verify(impl.ssl, SSL_get_verify_mode(impl.ssl), &Impl::on_verify);
  if (settings.is_server) {
    SSL_set_accept_state(impl.ssl);
    return;
  }
  SSL_set_connect_state(impl.ssl);
  const bool address = is_address(impl.host);
  if (!address && !impl.host.empty()) SSL_set_tlsext_host_name(impl.ssl, impl.host.c_str());  // RFC 6066: no addresses
  if (!settings.check_host) return;
  SSL_set_hostflags(impl.ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (address) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(impl.ssl), impl.host.c_str());
  } else {
    SSL_set1_host(impl.ssl, impl.host.c_str());
  }
}

TlsSession::~TlsSession() = default;

void TlsSession::feed(BytesView ciphertext) {
  if (ciphertext.empty()) return;
  Bytes& head = impl_->head;
  if (head.empty()) impl_->foreign = ciphertext[0] != kHandshake && ciphertext[0] != kAlert;
  if (head.size() < kHeadBytes) head += ciphertext.substr(0, kHeadBytes - head.size());
  impl_->in += ciphertext;
}

Bytes TlsSession::take_output() { return std::exchange(impl_->out, {}); }

Result<bool> TlsSession::handshake() {
  ERR_clear_error();
  // OpenSSL looks at nothing before it has five bytes, and a peer that speaks another protocol may be waiting.
  if (impl_->foreign) return impl_->failure();
  if (!impl_->head.empty() && !MUIR_TRY(impl_->begins_well())) return false;
  const int rc = SSL_do_handshake(impl_->ssl);
  return rc == 1 ? Result<bool>(true) : impl_->outcome(rc);
}

Result<size_t> TlsSession::read(std::span<char> into) {
  ERR_clear_error();
  size_t n = 0;
  if (SSL_read_ex(impl_->ssl, into.data(), into.size(), &n) == 1) return n;
  MUIR_RETURN_IF_ERROR(impl_->outcome(0));
  return size_t{0};
}

Status TlsSession::write(std::span<const BytesView> pieces) {
  thread_local Bytes joined;  // small pieces of one record
  joined.clear();
  for (BytesView piece : pieces) {
    if (!joined.empty()) {
      const size_t n = std::min(piece.size(), kRecordBytes - joined.size());
      joined += piece.substr(0, n);
      piece.remove_prefix(n);
      if (joined.size() < kRecordBytes) continue;
      MUIR_RETURN_IF_ERROR(impl_->encrypt(joined));
      joined.clear();
    }
    const size_t whole = piece.size() / kRecordBytes * kRecordBytes;
    MUIR_RETURN_IF_ERROR(impl_->encrypt(piece.substr(0, whole)));
    joined = piece.substr(whole);
  }
  return impl_->encrypt(joined);
}

void TlsSession::close() {
  ERR_clear_error();
  if (SSL_is_init_finished(impl_->ssl) == 1) SSL_shutdown(impl_->ssl);
  ERR_clear_error();
}

size_t TlsSession::held_bytes() const {
  return impl_->in.capacity() + (SSL_has_pending(impl_->ssl) == 1 ? kRecordBytes : 0);
}

bool TlsSession::closed() const { return (SSL_get_shutdown(impl_->ssl) & SSL_RECEIVED_SHUTDOWN) != 0; }

int64_t TlsSession::handshake_timeout_ms() const { return impl_->context->impl().handshake_timeout_ms; }

}  // namespace muir::net
