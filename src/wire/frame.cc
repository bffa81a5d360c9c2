#include "wire/frame.h"

#include <algorithm>

namespace muir::wire {

Status decode_request_header(ByteReader& reader, RequestHeader& header) {
  // Key and version say which header follows, so they are read ahead.
  ByteReader ahead(reader.rest());
  header.request_api_key = ahead.i16();
  header.request_api_version = ahead.i16();
  header.correlation_id = ahead.i32();
  if (!ahead.ok()) return error(Code::invalid_argument, "request header: {} bytes are too few", reader.remaining());
  const ApiInfo* api = find_api(header.request_api_key);
  if (api == nullptr) return error(Code::unsupported, "request for api key {}: no such API", header.request_api_key);
  const int16_t version = std::clamp(header.request_api_version, api->version_min, api->version_max);
  return decode(reader, api->request_header_version(version), header);
}

void begin_request(ByteWriter& writer, ApiKey key, int16_t version, int32_t correlation_id,
                   const std::optional<std::string>& client_id) {
  writer.i32(0);
  encode(RequestHeader{.request_api_key = static_cast<int16_t>(key),
                       .request_api_version = version,
                       .correlation_id = correlation_id,
                       .client_id = client_id},
         api_info(key).request_header_version(version), writer);
}

void begin_response(ByteWriter& writer, ApiKey key, int16_t version, int32_t correlation_id) {
  writer.i32(0);
  encode(ResponseHeader{.correlation_id = correlation_id}, api_info(key).response_header_version(version), writer);
}

void end_frame(ByteWriter& writer, size_t start) {
  writer.patch_be(start, static_cast<int32_t>(writer.size() - start - sizeof(int32_t)));
}

}  // namespace muir::wire
