// Frames: int32 size, header, body, as requests and responses travel on a connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/cursor.h"
#include "base/status.h"
#include "wire/api_key.h"
#include "wire/messages/header.h"

namespace muir::wire {

// Reads the header of a request from the bytes after its size; the body follows in `reader`.
// An API that is not in the table is Code::unsupported, with key, version and correlation id filled in;
// a version that is not in the table decodes as its nearest.
Status decode_request_header(ByteReader& reader, RequestHeader& header);

// Starts a frame: reserves the size and writes the header. end_frame() fills in the size.
void begin_request(ByteWriter& writer, ApiKey key, int16_t version, int32_t correlation_id,
                   const std::optional<std::string>& client_id);
void begin_response(ByteWriter& writer, ApiKey key, int16_t version, int32_t correlation_id);
// `start` is the writer's size before begin_*().
void end_frame(ByteWriter& writer, size_t start);

// A whole frame, size included, appended to `out`.
template <class Request>
void encode_request(const Request& request, int16_t version, int32_t correlation_id,
                    const std::optional<std::string>& client_id, Bytes& out) {
  ByteWriter writer(out);
  const size_t start = writer.size();
  begin_request(writer, Request::kApiKey, version, correlation_id, client_id);
  encode(request, version, writer);
  end_frame(writer, start);
}
template <class Response>
void encode_response(const Response& response, int16_t version, int32_t correlation_id, Bytes& out) {
  ByteWriter writer(out);
  const size_t start = writer.size();
  begin_response(writer, Response::kApiKey, version, correlation_id);
  encode(response, version, writer);
  end_frame(writer, start);
}

// Reads the bytes of a response after its size: header and body. Returns the correlation id.
template <class Response>
Result<int32_t> decode_response(BytesView bytes, int16_t version, Response& response) {
  ByteReader reader(bytes);
  ResponseHeader header;
  MUIR_RETURN_IF_ERROR(decode(reader, api_info(Response::kApiKey).response_header_version(version), header));
  MUIR_RETURN_IF_ERROR(decode(reader, version, response));
  return header.correlation_id;
}

}  // namespace muir::wire
