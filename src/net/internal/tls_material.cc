#include "net/internal/tls_material.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>

#include "base/clock.h"
#include "base/file.h"

namespace muir::net {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using BioPtr = std::unique_ptr<BIO, Freed<BIO_free>>;
using Pkcs12Ptr = std::unique_ptr<PKCS12, Freed<PKCS12_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;
struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
};
using StackPtr = std::unique_ptr<STACK_OF(X509), FreeStack>;

constexpr size_t kPemLine = 64;

BioPtr reader_of(BytesView bytes) { return BioPtr(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size()))); }

std::string written(const BIO* bio) {
  const char* data = nullptr;
  const long size = BIO_get_mem_data(const_cast<BIO*>(bio), &data);
  return {data, static_cast<size_t>(std::max(size, 0L))};
}

std::string name_text(const X509_NAME* name) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253);
  return written(out.get());
}

std::string time_text(const ASN1_TIME* time) {
  std::tm utc{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &utc) != 1) return "an unreadable time";
  char out[40];
  return {out, std::strftime(out, sizeof out, "%Y-%m-%d %H:%M:%S GMT", &utc)};
}

// Properties files make it easy to lose PEM's line ends: blanks are taken for them, and the lines made anew.
std::string with_line_ends(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t begin = text.find("-----BEGIN ");
    const size_t head_end = begin == std::string_view::npos ? begin : text.find("-----", begin + 11);
    const size_t end = head_end == std::string_view::npos ? head_end : text.find("-----END ", head_end + 5);
    const size_t tail_end = end == std::string_view::npos ? end : text.find("-----", end + 9);
    if (tail_end == std::string_view::npos) return out += text;
    const std::string_view body = text.substr(head_end + 5, end - head_end - 5);
    out += text.substr(begin, head_end + 5 - begin);
    out += '\n';
    if (body.find(':') != std::string_view::npos) {  // headers of the old encrypted form need their own line ends
      out += body.substr(std::min(body.find_first_not_of(" \r\n"), body.size()));
    } else {
      size_t column = 0;
      for (const char c : body) {
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
        out += c;
        if (++column % kPemLine == 0) out += '\n';
      }
      if (column % kPemLine != 0) out += '\n';
    }
    out += text.substr(end, tail_end + 5 - end);
    out += '\n';
    text.remove_prefix(tail_end + 5);
  }
  return out;
}

struct Source {
  Bytes bytes;
  std::string origin;  // "private key /etc/muir/key.pem", "certificate chain (PEM text)"
};

Result<Bytes> read_named(std::string_view what, const std::string& path) {
  auto bytes = system_env().read_file(path);
  if (!bytes.ok()) return bytes.status().annotate(fmt::format("{} {}", what, path));
  return bytes;
}

Result<Source> source_of(std::string_view what, const TlsPem& pem) {
  if (!pem.text.empty()) return Source{with_line_ends(pem.text), fmt::format("{} (PEM text)", what)};
  return Source{MUIR_TRY(read_named(what, pem.path)), fmt::format("{} {}", what, pem.path)};
}

// Java's own formats begin with these.
bool is_java_store(BytesView bytes) {
  return bytes.starts_with("\xFE\xED\xFE\xED") || bytes.starts_with("\xCE\xCE\xCE\xCE");
}

Status java_store(const std::string& origin, const std::string& path) {
  return error(Code::invalid_argument,
               "{}: a Java key store (JKS), which is not read here; convert it: keytool -importkeystore -srckeystore "
               "{} -destkeystore {}.p12 -deststoretype PKCS12",
               origin, path, path);
}

Result<std::vector<Certificate>> parse_certificates(const Source& source) {
  std::vector<Certificate> out;
  const BioPtr in = reader_of(source.bytes);
  ERR_clear_error();
  while (X509* certificate = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) out.emplace_back(certificate);
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = openssl_reason();
  if (!at_end) {
    return error(Code::invalid_argument, "{}: certificate number {} is damaged: {}", source.origin, out.size() + 1,
                 reason);
  }
  if (out.empty()) {
    return error(Code::invalid_argument, "{}: holds no certificate (-----BEGIN CERTIFICATE-----)", source.origin);
  }
  return out;
}

struct Password {
  const std::string& text;
  bool asked = false;
};

int give_password(char* out, int size, int /*writing*/, void* data) {
  auto& password = *static_cast<Password*>(data);
  password.asked = true;
  if (password.text.empty() || password.text.size() > static_cast<size_t>(size)) return -1;
  std::copy(password.text.begin(), password.text.end(), out);
  return static_cast<int>(password.text.size());
}

Result<PrivateKey> parse_key(const Source& source, const std::string& text) {
  const BioPtr in = reader_of(source.bytes);
  Password password{text};
  ERR_clear_error();
  PrivateKey key(PEM_read_bio_PrivateKey(in.get(), nullptr, &give_password, &password));
  if (key) return key;
  const bool absent = source.bytes.find("PRIVATE KEY-----") == Bytes::npos;
  const std::string reason = openssl_reason();
  if (password.asked && text.empty())
    return error(Code::invalid_argument, "{}: is encrypted, and no key password is given", source.origin);
  if (password.asked) {
    return error(Code::invalid_argument, "{}: cannot be decrypted with the key password given: is it another one?",
                 source.origin);
  }
  if (absent)
    return error(Code::invalid_argument, "{}: holds no private key (-----BEGIN PRIVATE KEY-----)", source.origin);
  return error(Code::invalid_argument, "{}: is damaged: {}", source.origin, reason);
}

struct Pkcs12Content {
  PrivateKey key{};
  Certificate certificate{};
  std::vector<Certificate> others{};
};

Result<Pkcs12Content> parse_pkcs12(const Source& source, const TlsStore& store) {
  if (is_java_store(source.bytes)) return java_store(source.origin, store.path);
  if (source.bytes.find("-----BEGIN ") != Bytes::npos)
    return error(Code::invalid_argument, "{}: is PEM text, not PKCS12; say so in the store's type", source.origin);
  ERR_clear_error();
  const BioPtr in = reader_of(source.bytes);
  const Pkcs12Ptr p12(d2i_PKCS12_bio(in.get(), nullptr));
  if (!p12) {
    (void)openssl_reason();
    return error(Code::invalid_argument, "{}: is not a PKCS12 file, or is damaged", source.origin);
  }
  const char* password = store.password.c_str();
  if (PKCS12_mac_present(p12.get()) == 1 && PKCS12_verify_mac(p12.get(), password, -1) != 1 &&
      (!store.password.empty() || PKCS12_verify_mac(p12.get(), nullptr, 0) != 1)) {
    (void)openssl_reason();
    return error(Code::invalid_argument, "{}: {}", source.origin,
                 store.password.empty() ? "needs a password, and none is given" : "wrong password");
  }
  EVP_PKEY* key = nullptr;
  X509* certificate = nullptr;
  STACK_OF(X509)* others = nullptr;
  const bool parsed = PKCS12_parse(p12.get(), password, &key, &certificate, &others) == 1;
  Pkcs12Content out{.key = PrivateKey(key), .certificate = Certificate(certificate)};
  const StackPtr stack(others);
  if (!parsed) {
    return error(Code::invalid_argument,
                 "{}: cannot be decrypted ({}); a store made by an old program may use algorithms that are refused "
                 "today: make it anew with a current keytool or openssl",
                 source.origin, openssl_reason());
  }
  while (stack && sk_X509_num(stack.get()) > 0) out.others.emplace_back(sk_X509_shift(stack.get()));
  (void)openssl_reason();
  return out;
}

Result<TlsIdentity> identity_of_store(const TlsStore& store) {
  const Source source{MUIR_TRY(read_named("key store", store.path)), fmt::format("key store {}", store.path)};
  Pkcs12Content content = MUIR_TRY(parse_pkcs12(source, store));
  if (!content.key || !content.certificate)
    return error(Code::invalid_argument, "{}: holds no private key with its certificate", source.origin);
  TlsIdentity out{.key = std::move(content.key), .origin = source.origin};
  out.chain.push_back(std::move(content.certificate));
  for (Certificate& other : content.others) out.chain.push_back(std::move(other));
  return out;
}

Result<TlsIdentity> identity_of_pem(const TlsOptions& options) {
  if (options.certificate_chain.empty())
    return error(Code::invalid_argument, "a private key is given, but no certificate chain");
  if (options.private_key.empty())
    return error(Code::invalid_argument, "a certificate chain is given, but no private key");
  const Source chain = MUIR_TRY(source_of("certificate chain", options.certificate_chain));
  const Source key = MUIR_TRY(source_of("private key", options.private_key));
  TlsIdentity out{.origin = chain.origin};
  out.chain = MUIR_TRY(parse_certificates(chain));
  out.key = MUIR_TRY(parse_key(key, options.key_password));
  if (X509_check_private_key(out.chain[0].get(), out.key.get()) == 1) return out;
  (void)openssl_reason();
  return error(Code::invalid_argument, "{}: does not belong to the first certificate of the {} ({})", key.origin,
               chain.origin, subject_of(out.chain[0].get()));
}

Status check_dates(const TlsIdentity& identity) {
  const X509* own = identity.chain[0].get();
  auto now = static_cast<std::time_t>(system_clock().now_ms() / 1000);
  if (X509_cmp_time(X509_get0_notAfter(own), &now) < 0) {
    return error(Code::invalid_argument, "{}: certificate {} expired on {}", identity.origin, subject_of(own),
                 not_after_of(own));
  }
  if (X509_cmp_time(X509_get0_notBefore(own), &now) > 0) {
    return error(Code::invalid_argument, "{}: certificate {} is valid only from {} on", identity.origin,
                 subject_of(own), not_before_of(own));
  }
  return {};
}

}  // namespace

void FreeCertificate::operator()(x509_st* certificate) const { X509_free(certificate); }
void FreeKey::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

bool is_tls_1_3_suite(const std::string& suite) {
  return suite.starts_with("TLS_AES_") || suite.starts_with("TLS_CHACHA20_") || suite.starts_with("TLS_SM4_");
}

std::string openssl_suite(const std::string& suite) {
  return suite.starts_with("TLS_") ? ::OPENSSL_cipher_name(suite.c_str()) : suite;
}

std::string openssl_reason() {
  const unsigned long last = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = last == 0 ? nullptr : ERR_reason_error_string(last);
  return reason == nullptr ? "no reason given" : reason;
}

std::string subject_of(const x509_st* certificate) { return name_text(X509_get_subject_name(certificate)); }
std::string issuer_of(const x509_st* certificate) { return name_text(X509_get_issuer_name(certificate)); }
std::string not_before_of(const x509_st* certificate) { return time_text(X509_get0_notBefore(certificate)); }
std::string not_after_of(const x509_st* certificate) { return time_text(X509_get0_notAfter(certificate)); }

std::string names_of(const x509_st* certificate) {
  const NamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string out;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS && name->type != GEN_IPADD) continue;
    const BioPtr text(BIO_new(BIO_s_mem()));
    GENERAL_NAME_print(text.get(), const_cast<GENERAL_NAME*>(name));  // "DNS:localhost"
    const std::string printed = written(text.get());
    if (!out.empty()) out += ", ";
    out += printed.substr(printed.find(':') + 1);
  }
  return out.empty() ? "no host at all" : out;
}

Result<TlsIdentity> load_identity(const TlsOptions& options) {
  const bool pem = !options.certificate_chain.empty() || !options.private_key.empty();
  if (options.key_store.path.empty() && !pem) return TlsIdentity{};
  if (!options.key_store.path.empty() && pem)
    return error(Code::invalid_argument, "a key store and PEM certificates are given: give one of them");
  auto identity = pem ? identity_of_pem(options) : identity_of_store(options.key_store);
  if (!identity.ok()) return identity;
  MUIR_RETURN_IF_ERROR(check_dates(*identity));
  return identity;
}

Result<std::vector<Certificate>> load_trusted(const TlsOptions& options) {
  if (!options.trust_store.path.empty() && !options.trusted_certificates.empty())
    return error(Code::invalid_argument, "a trust store and PEM certificates are given: give one of them");
  if (!options.trusted_certificates.empty())
    return parse_certificates(MUIR_TRY(source_of("trusted certificates", options.trusted_certificates)));
  if (options.trust_store.path.empty()) return std::vector<Certificate>();
  const TlsStore& store = options.trust_store;
  const Source source{MUIR_TRY(read_named("trust store", store.path)), fmt::format("trust store {}", store.path)};
  Pkcs12Content content = MUIR_TRY(parse_pkcs12(source, store));
  if (content.certificate) content.others.push_back(std::move(content.certificate));
  if (content.others.empty()) return error(Code::invalid_argument, "{}: holds no certificate", source.origin);
  return std::move(content.others);
}

Result<TlsPemTexts> tls_pem_texts(const TlsOptions& options) {
  const TlsIdentity identity = MUIR_TRY(load_identity(options));
  const std::vector<Certificate> trusted = MUIR_TRY(load_trusted(options));
  const auto text_of = [](const std::vector<Certificate>& certificates) {
    const BioPtr out(BIO_new(BIO_s_mem()));
    for (const Certificate& certificate : certificates) PEM_write_bio_X509(out.get(), certificate.get());
    return written(out.get());
  };
  TlsPemTexts out{.certificate_chain = text_of(identity.chain), .trusted_certificates = text_of(trusted)};
  if (identity.key) {
    const BioPtr key(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(key.get(), identity.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    out.private_key = written(key.get());
  }
  for (const std::string& suite : options.cipher_suites) {
    if (is_tls_1_3_suite(suite)) continue;
    if (!out.cipher_list.empty()) out.cipher_list += ':';
    out.cipher_list += openssl_suite(suite);
  }
  return out;
}

int fuzz_tls_material(BytesView input) {
  const Source source{Bytes(input), "input"};
  bool decoded = parse_certificates(source).ok();
  decoded |= parse_certificates({with_line_ends(input), "input"}).ok();
  decoded |= parse_key(source, "password").ok();
  decoded |= parse_pkcs12(source, {.path = "input", .password = "password"}).ok();
  return decoded ? 1 : 0;
}

}  // namespace muir::net
