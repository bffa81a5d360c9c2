// Kafka's configuration keys of TLS (security.protocol, ssl.*), read once for clients and servers alike.
//
// Sources: Kafka's SslConfigs and KIP-651 (PEM). Functions are thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/config_def.h"
#include "base/status.h"
#include "net/tls.h"

namespace muir::net {

// The keys without a prefix, with Kafka's defaults.
const ConfigDef& tls_config();
bool is_tls_key(std::string_view name);

// Of security.protocol or a listener: whether "SSL" or "PLAINTEXT" is spoken, in any case of letters. Code::unsupported
// for SASL_PLAINTEXT and SASL_SSL, invalid_argument for the rest; `key` is named in the message.
Result<bool> is_tls_protocol(std::string_view protocol, std::string_view key = "security.protocol");

// The options that the keys describe. Each is looked up under every prefix in turn ("listener.name.internal.", "") and
// the first that is there counts. No file is opened.
using TlsPrefixes = std::vector<std::string>;
// Every value that is wrong, and what does not go together. `named`: how a key without prefix is called in messages, if
// not as it was given.
ConfigMistakes tls_mistakes(const Properties& properties, const TlsPrefixes& prefixes = {""},
                            const ConfigDef::Named& named = {});
Result<TlsOptions> tls_options(const Properties& properties, const TlsPrefixes& prefixes = {""});

// The options made ready; errors name the keys and what is wrong.
Result<std::shared_ptr<const TlsContext>> tls_server(const Properties& properties, const TlsPrefixes& prefixes = {""});
Result<std::shared_ptr<const TlsContext>> tls_client(const Properties& properties, const TlsPrefixes& prefixes = {""});

}  // namespace muir::net
