#include <algorithm>

#include "broker/api/api_table.h"
#include "broker/api/handlers.h"

namespace muir::broker {
namespace {

// KIP-511: [a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?
bool valid_software(const std::string& text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  return !text.empty() && letter(text.front()) && letter(text.back()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || c == '-' || c == '.'; });
}

}  // namespace

wire::ApiVersionsResponse api_versions_response() {
  wire::ApiVersionsResponse response;
  for (const ApiHandler& handler : api_handlers()) {
    // librdkafka up to 2.11 sends uncompressed batches unless Produce 0 is listed (KAFKA-18659); it never sends it.
    const int16_t least = handler.key == wire::ApiKey::produce ? int16_t{0} : handler.version_min;
    response.api_keys.push_back({static_cast<int16_t>(handler.key), least, handler.version_max});
  }
  response.finalized_features_epoch = 0;
  return response;
}

void handle_api_versions(BrokerContext&, const RequestInfo& info, wire::ApiVersionsRequest request,
                         Reply<wire::ApiVersionsResponse> reply) {
  if (info.version >= 3 &&
      !(valid_software(request.client_software_name) && valid_software(request.client_software_version))) {
    wire::ApiVersionsResponse refused;
    refused.error_code = wire::ErrorCode::invalid_request;
    return reply(refused);
  }
  reply(api_versions_response());
}

}  // namespace muir::broker
