#include "net/tls_config.h"

#include <algorithm>

namespace muir::net {
namespace {

const std::vector<ConfigKey>& keys() {
  static const std::vector<ConfigKey> all = {
      {.name = "ssl.cipher.suites",
       .type = ConfigType::list,
       .doc = "Cipher suites, by IANA's names; none: OpenSSL's default"},
      {.name = "ssl.client.auth",
       .fallback = "none",
       .doc = "Servers: whether clients show a certificate",
       .allowed = {"none", "requested", "required"}},
      {.name = "ssl.enabled.protocols",
       .type = ConfigType::list,
       .fallback = "TLSv1.2,TLSv1.3",
       .doc = "TLS versions that are spoken"},
      {.name = "ssl.endpoint.identification.algorithm",
       .fallback = "https",
       .doc = "Clients: check that the server's certificate is for its host; empty: do not"},
      {.name = "ssl.key.password", .doc = "Password of an encrypted PEM key", .secret = true},
      {.name = "ssl.keystore.certificate.chain", .doc = "Certificate chain as PEM text"},
      {.name = "ssl.keystore.key", .doc = "Private key as PEM text", .secret = true},
      {.name = "ssl.keystore.location", .doc = "File with the private key and its certificate chain"},
      {.name = "ssl.keystore.password", .doc = "Password of a PKCS12 key store", .secret = true},
      {.name = "ssl.keystore.type", .fallback = "PKCS12", .doc = "PKCS12 or PEM"},
      {.name = "ssl.protocol", .fallback = "TLSv1.3", .doc = "Accepted; ssl.enabled.protocols decides"},
      {.name = "ssl.truststore.certificates", .doc = "Trusted certificates as PEM text"},
      {.name = "ssl.truststore.location", .doc = "File with the trusted certificates; none: the system's"},
      {.name = "ssl.truststore.password", .doc = "Password of a PKCS12 trust store", .secret = true},
      {.name = "ssl.truststore.type", .fallback = "PKCS12", .doc = "PKCS12 or PEM"},
  };
  return all;
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return out;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string_view one = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
    if (!one.empty()) out.emplace_back(one);
  }
  return out;
}

// Looks keys up under the prefixes.
class Reader {
 public:
  Reader(const Properties& properties, const TlsPrefixes& prefixes) : properties_(properties), prefixes_(prefixes) {}

  // The key as it was given, or under the first prefix.
  [[nodiscard]] std::string name(const std::string& key) const {
    for (const std::string& prefix : prefixes_) {
      if (properties_.contains(prefix + key)) return prefix + key;
    }
    return prefixes_.empty() ? key : prefixes_.front() + key;
  }
  [[nodiscard]] std::string text(const std::string& key) const {
    const auto found = properties_.find(name(key));
    if (found != properties_.end()) return found->second;
    const auto& all = keys();
    return std::find_if(all.begin(), all.end(), [&](const ConfigKey& known) { return known.name == key; })->fallback;
  }

 private:
  const Properties& properties_;
  const TlsPrefixes& prefixes_;
};

Status wrong(const Reader& reader, const std::string& key, std::string_view wanted) {
  return error(Code::invalid_argument, "configuration key {}: \"{}\" is not {}", reader.name(key), reader.text(key),
               wanted);
}

// Whether a store is PEM. Java's own type JKS is also what Java calls a PKCS12 file whose type nobody gave, so the file
// decides between these two.
Result<bool> is_pem(const Reader& reader, const std::string& key) {
  const std::string type = upper(reader.text(key));
  if (type == "PEM") return true;
  if (type == "PKCS12" || type == "JKS") return false;
  return wrong(reader, key, "PKCS12 or PEM");
}

Status needs_pem(const Reader& reader, const char* key, const char* type_key) {
  return error(Code::invalid_argument, "configuration key {}: is PEM text; set {}=PEM with it", reader.name(key),
               reader.name(type_key));
}

Status read_identity(const Reader& reader, TlsOptions& out) {
  const bool pem = MUIR_TRY(is_pem(reader, "ssl.keystore.type"));
  const std::string location = reader.text("ssl.keystore.location");
  out.certificate_chain.text = reader.text("ssl.keystore.certificate.chain");
  out.private_key.text = reader.text("ssl.keystore.key");
  out.key_password = reader.text("ssl.key.password");
  if (!pem) {
    for (const char* key : {"ssl.keystore.certificate.chain", "ssl.keystore.key"}) {
      if (!reader.text(key).empty()) return needs_pem(reader, key, "ssl.keystore.type");
    }
    out.key_store = {.path = location, .password = reader.text("ssl.keystore.password")};
    return {};
  }
  if (location.empty()) return {};
  if (!out.certificate_chain.empty() || !out.private_key.empty()) {
    return error(Code::invalid_argument, "configuration keys {} and {}: give one of them",
                 reader.name("ssl.keystore.location"), reader.name("ssl.keystore.key"));
  }
  out.certificate_chain.path = location;  // one file for both, as Kafka has it
  out.private_key.path = location;
  return {};
}

Status read_trust(const Reader& reader, TlsOptions& out) {
  const bool pem = MUIR_TRY(is_pem(reader, "ssl.truststore.type"));
  const std::string location = reader.text("ssl.truststore.location");
  out.trusted_certificates.text = reader.text("ssl.truststore.certificates");
  if (!pem) {
    if (!out.trusted_certificates.empty())
      return needs_pem(reader, "ssl.truststore.certificates", "ssl.truststore.type");
    out.trust_store = {.path = location, .password = reader.text("ssl.truststore.password")};
    return {};
  }
  if (location.empty()) return {};
  if (!out.trusted_certificates.empty()) {
    return error(Code::invalid_argument, "configuration keys {} and {}: give one of them",
                 reader.name("ssl.truststore.location"), reader.name("ssl.truststore.certificates"));
  }
  out.trusted_certificates.path = location;
  return {};
}

Status read_versions(const Reader& reader, TlsOptions& out) {
  bool v1_2 = false;
  bool v1_3 = false;
  for (const std::string& version : split(reader.text("ssl.enabled.protocols"))) {
    v1_2 |= version == "TLSv1.2";
    v1_3 |= version == "TLSv1.3";
    if (version != "TLSv1.2" && version != "TLSv1.3")
      return wrong(reader, "ssl.enabled.protocols", "a list of TLSv1.2 and TLSv1.3, the versions that are safe");
  }
  if (!v1_2 && !v1_3) return wrong(reader, "ssl.enabled.protocols", "a list of TLSv1.2 and TLSv1.3");
  out.version_min = v1_2 ? TlsVersion::v1_2 : TlsVersion::v1_3;
  out.version_max = v1_3 ? TlsVersion::v1_3 : TlsVersion::v1_2;
  return {};
}

// "configuration keys listener.name.internal.ssl.*" before what is wrong with the files they name: the first prefix
// that any of them was given under.
template <class T>
Result<T> annotated(Result<T> result, const Properties& properties, const TlsPrefixes& prefixes) {
  if (result.ok()) return result;
  std::string used = prefixes.empty() ? "" : prefixes.back();
  for (auto prefix = prefixes.rbegin(); prefix != prefixes.rend(); ++prefix) {
    const auto next = properties.lower_bound(*prefix + "ssl.");
    if (next != properties.end() && next->first.starts_with(*prefix + "ssl.")) used = *prefix;
  }
  return result.status().annotate(fmt::format("configuration keys {}ssl.*", used));
}

}  // namespace

std::span<const ConfigKey> tls_config_keys() { return keys(); }

bool is_tls_key(std::string_view name) {
  return std::any_of(keys().begin(), keys().end(), [&](const ConfigKey& key) { return key.name == name; });
}

Result<bool> is_tls_protocol(std::string_view protocol, std::string_view key) {
  const std::string name = upper(protocol);
  if (name == "PLAINTEXT") return false;
  if (name == "SSL") return true;
  if (name.starts_with("SASL_")) {
    return error(Code::unsupported, "configuration key {}: \"{}\": SASL is not spoken here; PLAINTEXT and SSL are", key,
                 protocol);
  }
  return error(Code::invalid_argument, "configuration key {}: \"{}\" is not PLAINTEXT or SSL", key, protocol);
}

Result<TlsOptions> tls_options(const Properties& properties, const TlsPrefixes& prefixes) {
  const Reader reader(properties, prefixes);
  TlsOptions out;
  MUIR_RETURN_IF_ERROR(read_identity(reader, out));
  MUIR_RETURN_IF_ERROR(read_trust(reader, out));
  MUIR_RETURN_IF_ERROR(read_versions(reader, out));
  out.cipher_suites = split(reader.text("ssl.cipher.suites"));
  const std::string auth = upper(reader.text("ssl.client.auth"));
  if (auth != "NONE" && auth != "REQUESTED" && auth != "REQUIRED")
    return wrong(reader, "ssl.client.auth", "none, requested or required");
  out.client_auth = auth == "NONE"        ? TlsClientAuth::none
                    : auth == "REQUESTED" ? TlsClientAuth::requested
                                          : TlsClientAuth::required;
  const std::string identification = upper(reader.text("ssl.endpoint.identification.algorithm"));
  if (!identification.empty() && identification != "HTTPS")
    return wrong(reader, "ssl.endpoint.identification.algorithm", "https or empty");
  out.check_host = !identification.empty();
  return out;
}

Result<std::shared_ptr<const TlsContext>> tls_server(const Properties& properties, const TlsPrefixes& prefixes) {
  return annotated(TlsContext::server(MUIR_TRY(tls_options(properties, prefixes))), properties, prefixes);
}

Result<std::shared_ptr<const TlsContext>> tls_client(const Properties& properties, const TlsPrefixes& prefixes) {
  return annotated(TlsContext::client(MUIR_TRY(tls_options(properties, prefixes))), properties, prefixes);
}

}  // namespace muir::net
