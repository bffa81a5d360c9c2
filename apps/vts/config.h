// Configuration of the vehicle tracking system: keys, defaults, and what they become.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "apps/vts/gateway.h"
#include "apps/vts/topology.h"
#include "base/config_def.h"
#include "net/tls.h"
#include "streams/streams_config.h"

namespace muir::vts {

struct VtsConfig {
  std::string bootstrap_servers;
  std::string http_host;
  std::string http_protocol;  // http or https
  uint16_t http_port = 0;
  std::vector<std::string> http_allowed_origins;
  std::vector<std::string> http_allowed_hosts;  // of this server and the registry, as the next one
  size_t http_memory_bytes_max = 0;
  // With vts.http.protocol=https, made from vts.http.ssl.* and ssl.*; its options for who has to trust this server.
  std::shared_ptr<const net::TlsContext> http_tls;
  net::TlsOptions http_tls_options;
  int32_t partitions = 0;
  int64_t retention_bytes = 0;  // per partition of the topics that grow
  GatewayOptions gateway{};
  TopologyOptions topology{};
  streams::StreamsConfig streams{};
  Properties client;  // for producers, consumers and admins

  // `state_dir` holds the local stores unless state.dir is given.
  static Result<VtsConfig> parse(const Properties& given, const std::string& state_dir);
  // All that is wrong with what is given, also with keys of Streams and clients.
  static ConfigMistakes mistakes(const Properties& given);
};

// Every key of the vehicle tracking system itself; keys of streams, clients and broker go on to these.
const ConfigDefOf<VtsConfig>& vts_config();

}  // namespace muir::vts
