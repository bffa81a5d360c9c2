#include "testing/certificates.h"

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cstring>

#include "base/check.h"

namespace muir::testing {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;

std::string written(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

Bio reader(const std::string& text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

Key make_key() {
  Key key(EVP_EC_gen("P-256"));
  MUIR_CHECK(key != nullptr, "no key could be made");
  return key;
}

std::string pem_of(const Key& key) {
  const Bio out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return written(out);
}

std::string pem_of(const Certificate& certificate) {
  const Bio out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), certificate.get());
  return written(out);
}

Key read_key(const std::string& pem) {
  Key key(PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, nullptr, nullptr));
  MUIR_CHECK(key != nullptr, "a test's key is no PEM");
  return key;
}

std::vector<Certificate> read_certificates(const std::string& pem) {
  std::vector<Certificate> out;
  const Bio in = reader(pem);
  while (X509* certificate = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) out.emplace_back(certificate);
  return out;
}

void add_extension(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
  MUIR_CHECK(extension != nullptr, "certificate extension {}", value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

std::string alternative_names(const std::vector<std::string>& hosts) {
  std::string out;
  for (const std::string& host : hosts) {
    unsigned char address[16];
    const bool numeric =
        ::inet_pton(AF_INET, host.c_str(), address) == 1 || ::inet_pton(AF_INET6, host.c_str(), address) == 1;
    out += fmt::format("{}{}:{}", out.empty() ? "" : ",", numeric ? "IP" : "DNS", host);
  }
  return out;
}

// A certificate for `key`; `issuer` is null for one that signs itself.
Certificate make_certificate(const CertificateRequest& request, const Key& key, X509* issuer, const Key& issuer_key,
                             bool authority) {
  Certificate out(X509_new());
  X509* certificate = out.get();
  X509_set_version(certificate, X509_VERSION_3);
  uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), request.valid_from_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate), request.valid_to_s);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(request.common_name.c_str()), -1, -1, 0);
  X509* signer = issuer == nullptr ? certificate : issuer;
  X509_set_issuer_name(certificate, X509_get_subject_name(signer));
  X509_set_pubkey(certificate, key.get());
  add_extension(certificate, signer, NID_basic_constraints, authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  add_extension(certificate, signer, NID_subject_key_identifier, "hash");
  if (authority) {
    add_extension(certificate, signer, NID_key_usage, "critical,keyCertSign,cRLSign");
  } else {
    add_extension(certificate, signer, NID_ext_key_usage, "serverAuth,clientAuth");
    if (!request.hosts.empty())
      add_extension(certificate, signer, NID_subject_alt_name, alternative_names(request.hosts));
  }
  MUIR_CHECK(X509_sign(certificate, issuer_key.get(), EVP_sha256()) > 0, "certificate {} was not signed",
             request.common_name);
  return out;
}

constexpr int64_t kAuthoritySeconds = 10L * 365 * 86'400;

Bytes encoded(PKCS12* p12) {
  MUIR_CHECK(p12 != nullptr, "no PKCS12 could be made");
  const Bio out(BIO_new(BIO_s_mem()));
  i2d_PKCS12_bio(out.get(), p12);
  PKCS12_free(p12);
  return written(out);
}

}  // namespace

struct CertificateAuthority::Impl {
  Key key;
  Certificate own;
  std::string pem;
  std::string chain;  // what issued certificates carry behind their own; empty for a root
};

CertificateAuthority::CertificateAuthority(const std::string& name) : impl_(std::make_unique<Impl>()) {
  impl_->key = make_key();
  impl_->own =
      make_certificate({.common_name = name, .valid_to_s = kAuthoritySeconds}, impl_->key, nullptr, impl_->key, true);
  impl_->pem = pem_of(impl_->own);
}
CertificateAuthority::CertificateAuthority(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CertificateAuthority::~CertificateAuthority() = default;
CertificateAuthority::CertificateAuthority(CertificateAuthority&&) noexcept = default;
CertificateAuthority& CertificateAuthority::operator=(CertificateAuthority&&) noexcept = default;

const std::string& CertificateAuthority::certificate() const { return impl_->pem; }

IssuedCertificate CertificateAuthority::issue(const CertificateRequest& request) const {
  const Key key = make_key();
  const Certificate certificate = make_certificate(request, key, impl_->own.get(), impl_->key, false);
  return {.chain = pem_of(certificate) + impl_->chain, .key = pem_of(key)};
}

CertificateAuthority CertificateAuthority::intermediate(const std::string& name) const {
  auto impl = std::make_unique<Impl>();
  impl->key = make_key();
  impl->own = make_certificate({.common_name = name, .valid_to_s = kAuthoritySeconds}, impl->key, impl_->own.get(),
                               impl_->key, true);
  impl->pem = pem_of(impl->own);
  impl->chain = impl->pem + impl_->chain;
  return CertificateAuthority(std::move(impl));
}

std::string encrypted_key(const std::string& key, const std::string& password) {
  const Bio out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(out.get(), read_key(key).get(), EVP_aes_256_cbc(), password.data(),
                                static_cast<int>(password.size()), nullptr, nullptr);
  return written(out);
}

Bytes pkcs12_key_store(const IssuedCertificate& identity, const std::string& password) {
  const std::vector<Certificate> chain = read_certificates(identity.chain);
  STACK_OF(X509)* others = sk_X509_new_null();
  for (size_t i = 1; i < chain.size(); ++i) sk_X509_push(others, chain[i].get());
  PKCS12* p12 =
      PKCS12_create(password.c_str(), "muir", read_key(identity.key).get(), chain.at(0).get(), others, 0, 0, 0, 0, 0);
  sk_X509_free(others);
  return encoded(p12);
}

Bytes pkcs12_trust_store(const std::string& certificates, const std::string& password) {
  const std::vector<Certificate> all = read_certificates(certificates);
  STACK_OF(X509)* stack = sk_X509_new_null();
  for (const Certificate& certificate : all) sk_X509_push(stack, certificate.get());
  PKCS12* p12 = PKCS12_create(password.c_str(), nullptr, nullptr, nullptr, stack, 0, 0, 0, 0, 0);
  sk_X509_free(stack);
  return encoded(p12);
}

}  // namespace muir::testing
