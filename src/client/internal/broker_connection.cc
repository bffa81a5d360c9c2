#include "client/internal/broker_connection.h"

#include "wire/messages/api_versions.h"

namespace muir::client::internal {

Result<std::unique_ptr<BrokerConnection>> BrokerConnection::open(const Endpoint& endpoint, const std::string& client_id,
                                                                 int64_t timeout_ms,
                                                                 const std::shared_ptr<const net::TlsContext>& tls) {
  const Deadline deadline(timeout_ms);
  net::FrameClientOptions options;
  options.connect_timeout_ms = timeout_ms;
  options.tls = tls;
  auto frames = MUIR_TRY(net::FrameClient::connect(endpoint.host, endpoint.port, options));
  std::unique_ptr<BrokerConnection> connection(new BrokerConnection(endpoint, client_id, std::move(frames)));
  MUIR_RETURN_IF_ERROR(connection->negotiate(deadline.left_ms()));
  return connection;
}

// ApiVersions v3 first; a broker that does not know it answers in the layout of v0 with UNSUPPORTED_VERSION (KIP-511).
Status BrokerConnection::negotiate(int64_t timeout_ms) {
  const Deadline deadline(timeout_ms);
  wire::ApiVersionsResponse answer;
  for (const int16_t version : {int16_t{3}, int16_t{0}}) {
    wire::ApiVersionsRequest request;
    request.client_software_name = "muir";
    request.client_software_version = "1";
    Bytes frame;
    wire::encode_request(request, version, next_correlation_id_++, client_id_, frame);
    MUIR_RETURN_IF_ERROR(send(frame, deadline.left_ms()));
    const Bytes bytes = MUIR_TRY(receive(deadline.left_ms()));
    Result<int32_t> decoded = wire::decode_response(bytes, version, answer);
    if (version == 3 && (!decoded.ok() || answer.error_code == wire::ErrorCode::unsupported_version)) continue;
    if (!decoded.ok()) return refuse("ApiVersionsResponse", decoded.status());
    break;
  }
  MUIR_RETURN_IF_ERROR(wire::to_status(answer.error_code, fmt::format("ApiVersions of {}", to_string(endpoint_))));
  for (const auto& api : answer.api_keys) versions_[api.api_key] = {api.min_version, api.max_version};
  return {};
}

Result<int16_t> BrokerConnection::version_of(wire::ApiKey key, int16_t min, int16_t max, int16_t cap) const {
  const auto it = versions_.find(static_cast<int16_t>(key));
  if (it == versions_.end())
    return error(Code::unsupported, "{}: {} is not offered", to_string(endpoint_), wire::name_of(key));
  const int16_t version = std::min({it->second.max, max, cap});
  if (version >= std::max(it->second.min, min)) return version;
  return error(Code::unsupported, "{}: {} is offered in versions {} to {}, this client speaks {} to {}",
               to_string(endpoint_), wire::name_of(key), it->second.min, it->second.max, min, std::min(max, cap));
}

Status BrokerConnection::send(const Bytes& frame, int64_t timeout_ms) {
  if (broken_) return error(Code::unavailable, "{}: the connection is closed", to_string(endpoint_));
  // encode_request() writes the size, and so does the connection.
  Status status = frames_->send(BytesView(frame).substr(4), timeout_ms);
  if (status.ok()) return status;
  broken_ = true;
  return status.annotate(to_string(endpoint_));
}

Result<Bytes> BrokerConnection::receive(int64_t timeout_ms) {
  if (broken_) return error(Code::unavailable, "{}: the connection is closed", to_string(endpoint_));
  Result<Bytes> frame = frames_->receive(timeout_ms);
  if (frame.ok()) return frame;
  broken_ = true;
  return frame.status().annotate(to_string(endpoint_));
}

Status BrokerConnection::refuse(const char* what, const Status& why) {
  broken_ = true;
  return error(Code::data_loss, "{}: {}: {}", to_string(endpoint_), what,
               why.ok() ? "the answer is to another request" : why.message());
}

}  // namespace muir::client::internal
