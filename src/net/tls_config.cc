#include "net/tls_config.h"

#include <algorithm>

namespace muir::net {
namespace {

// The values of the keys as they are; what they mean together is tls_options().
struct TlsKeys {
  std::vector<std::string> cipher_suites{};
  std::vector<std::string> versions{};
  std::string client_auth{};
  std::string identification{};
  std::string key_password{};
  std::string chain{};
  std::string key{};
  std::string key_store{};
  std::string key_store_password{};
  std::string key_store_type{};
  std::string trusted{};
  std::string trust_store{};
  std::string trust_store_password{};
  std::string trust_store_type{};
};

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return out;
}

// Java's own type JKS is also what Java calls a PKCS12 file whose type nobody gave, so the file decides between these.
bool is_pem(std::string_view type) { return upper(type) == "PEM"; }
const std::vector<std::string> kStoreTypes{"PKCS12", "PEM", "JKS"};

constexpr const char* kKeyStore = "ssl.keystore.location";
constexpr const char* kKey = "ssl.keystore.key";
constexpr const char* kChain = "ssl.keystore.certificate.chain";
constexpr const char* kTrustStore = "ssl.truststore.location";
constexpr const char* kTrusted = "ssl.truststore.certificates";

// PEM comes as text or in a file, and a store is no text.
void check_identity(const TlsKeys& given, ConfigMistakes& out) {
  const char* text = !given.chain.empty() ? kChain : !given.key.empty() ? kKey : nullptr;
  if (text == nullptr) return;
  const std::string shown(kHiddenValue);
  if (!is_pem(given.key_store_type))
    out.push_back({text, shown, "is PEM text; set ssl.keystore.type=PEM with it"});
  else if (!given.key_store.empty())
    out.push_back({text, shown, "ssl.keystore.location is given, too: give one of them"});
}

void check_trust(const TlsKeys& given, ConfigMistakes& out) {
  if (given.trusted.empty()) return;
  const std::string shown = "(PEM)";
  if (!is_pem(given.trust_store_type))
    out.push_back({kTrusted, shown, "is PEM text; set ssl.truststore.type=PEM with it"});
  else if (!given.trust_store.empty())
    out.push_back({kTrusted, shown, "ssl.truststore.location is given, too: give one of them"});
}

const ConfigDefOf<TlsKeys>& keys() {
  static const ConfigDefOf<TlsKeys> def(
      "TLS",
      {{{.name = "ssl.cipher.suites",
         .type = ConfigType::list,
         .doc = "Cipher suites, by IANA's names; none: OpenSSL's default"},
        &TlsKeys::cipher_suites},
       {{.name = "ssl.client.auth",
         .fallback = "none",
         .doc = "Servers: whether clients show a certificate",
         .allowed = {"none", "requested", "required"},
         .any_case = true},
        &TlsKeys::client_auth},
       {{.name = "ssl.enabled.protocols",
         .type = ConfigType::list,
         .fallback = "TLSv1.2,TLSv1.3",
         .doc = "TLS versions that are spoken",
         .filled = true,
         .allowed = {"TLSv1.2", "TLSv1.3"}},
        &TlsKeys::versions},
       {{.name = "ssl.endpoint.identification.algorithm",
         .fallback = "https",
         .doc = "Clients: check that the server's certificate is for its host; empty: do not",
         .check = [](std::string_view value) -> std::string {
           return value.empty() || upper(value) == "HTTPS" ? "" : "expected https or nothing";
         }},
        &TlsKeys::identification},
       {{.name = "ssl.key.password", .doc = "Password of an encrypted PEM key", .secret = true},
        &TlsKeys::key_password},
       {{.name = kChain, .doc = "Certificate chain as PEM text"}, &TlsKeys::chain},
       {{.name = kKey, .doc = "Private key as PEM text", .secret = true}, &TlsKeys::key},
       {{.name = kKeyStore, .doc = "File with the private key and its certificate chain"}, &TlsKeys::key_store},
       {{.name = "ssl.keystore.password", .doc = "Password of a PKCS12 key store", .secret = true},
        &TlsKeys::key_store_password},
       {{.name = "ssl.keystore.type",
         .fallback = "PKCS12",
         .doc = "What it is; JKS, as Java calls both, is read as PKCS12",
         .allowed = kStoreTypes,
         .any_case = true},
        &TlsKeys::key_store_type},
       {{.name = "ssl.protocol", .fallback = "TLSv1.3", .doc = "Accepted; ssl.enabled.protocols decides"}},
       {{.name = kTrusted, .doc = "Trusted certificates as PEM text"}, &TlsKeys::trusted},
       {{.name = kTrustStore, .doc = "File with the trusted certificates; none: the system's"}, &TlsKeys::trust_store},
       {{.name = "ssl.truststore.password", .doc = "Password of a PKCS12 trust store", .secret = true},
        &TlsKeys::trust_store_password},
       {{.name = "ssl.truststore.type",
         .fallback = "PKCS12",
         .doc = "What it is; JKS, as Java calls both, is read as PKCS12",
         .allowed = kStoreTypes,
         .any_case = true},
        &TlsKeys::trust_store_type}},
      {check_identity, check_trust});
  return def;
}

// The key as it was given, or under the first prefix.
std::string name_of(const Properties& properties, const TlsPrefixes& prefixes, const std::string& key) {
  for (const std::string& prefix : prefixes) {
    if (properties.contains(prefix + key)) return prefix + key;
  }
  return prefixes.empty() ? key : prefixes.front() + key;
}

// The values that count, by the keys' own names.
Properties without_prefixes(const Properties& properties, const TlsPrefixes& prefixes) {
  Properties out;
  for (const ConfigKey& key : keys().keys()) {
    const auto found = properties.find(name_of(properties, prefixes, key.name));
    if (found != properties.end()) out.emplace(key.name, found->second);
  }
  return out;
}

// Sentences name other keys of the same place.
std::string renamed(std::string text, const ConfigDef::Named& named) {
  for (const ConfigKey& key : keys().keys()) {
    const size_t at = text.find(key.name);
    if (at != std::string::npos) text.replace(at, key.name.size(), named(key.name));
  }
  return text;
}

TlsOptions options_of(TlsKeys given) {
  TlsOptions out{.key_password = std::move(given.key_password), .cipher_suites = std::move(given.cipher_suites)};
  out.certificate_chain.text = std::move(given.chain);
  out.private_key.text = std::move(given.key);
  if (is_pem(given.key_store_type)) {  // one file for both, as Kafka has it
    out.certificate_chain.path = given.key_store;
    out.private_key.path = given.key_store;
  } else {
    out.key_store = {.path = given.key_store, .password = given.key_store_password};
  }
  out.trusted_certificates.text = std::move(given.trusted);
  if (is_pem(given.trust_store_type)) {
    out.trusted_certificates.path = given.trust_store;
  } else {
    out.trust_store = {.path = given.trust_store, .password = given.trust_store_password};
  }
  const auto speaks = [&](std::string_view version) {
    return std::find(given.versions.begin(), given.versions.end(), version) != given.versions.end();
  };
  out.version_min = speaks("TLSv1.2") ? TlsVersion::v1_2 : TlsVersion::v1_3;
  out.version_max = speaks("TLSv1.3") ? TlsVersion::v1_3 : TlsVersion::v1_2;
  const std::string auth = upper(given.client_auth);
  out.client_auth = auth == "NONE"        ? TlsClientAuth::none
                    : auth == "REQUESTED" ? TlsClientAuth::requested
                                          : TlsClientAuth::required;
  out.check_host = !given.identification.empty();
  return out;
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

const ConfigDef& tls_config() { return keys(); }

bool is_tls_key(std::string_view name) { return keys().find(name) != nullptr; }

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

ConfigMistakes tls_mistakes(const Properties& properties, const TlsPrefixes& prefixes, const ConfigDef::Named& named) {
  const ConfigDef::Named as_given = [&](const std::string& key) { return name_of(properties, prefixes, key); };
  ConfigMistakes out = keys().mistakes(without_prefixes(properties, prefixes));
  for (ConfigMistake& one : out) {
    one.key = (named ? named : as_given)(one.key);
    one.why = renamed(std::move(one.why), named ? named : as_given);
  }
  return out;
}

Result<TlsOptions> tls_options(const Properties& properties, const TlsPrefixes& prefixes) {
  MUIR_RETURN_IF_ERROR(status_of(tls_mistakes(properties, prefixes)));
  TlsKeys given;
  keys().fill(without_prefixes(properties, prefixes), given);
  return options_of(std::move(given));
}

Result<std::shared_ptr<const TlsContext>> tls_server(const Properties& properties, const TlsPrefixes& prefixes) {
  return annotated(TlsContext::server(MUIR_TRY(tls_options(properties, prefixes))), properties, prefixes);
}

Result<std::shared_ptr<const TlsContext>> tls_client(const Properties& properties, const TlsPrefixes& prefixes) {
  return annotated(TlsContext::client(MUIR_TRY(tls_options(properties, prefixes))), properties, prefixes);
}

}  // namespace muir::net
