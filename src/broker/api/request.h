// Requests and replies as handlers see them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "broker/api/response_errors.h"
#include "broker/listener.h"
#include "net/byte_budget.h"
#include "net/piece.h"
#include "wire/element_limit.h"
#include "wire/frame.h"
#include "wire/records_apart.h"

namespace muir::broker {

struct BrokerContext;

// What came with a request beside its body.
struct RequestInfo {
  int16_t version = 0;
  int32_t correlation_id = 0;
  std::string client_id;
  std::string client_host;     // "127.0.0.1"
  std::string client_address;  // "127.0.0.1:50312"
  // The one that the client came by; it is told that one's address. Lives as long as the broker.
  const Listener* listener = nullptr;
};

// Where the answer to one request goes. Thread-safe; exactly one of its calls is made, once.
class ReplySlot {
 public:
  virtual ~ReplySlot() = default;
  // The frame in pieces, without its length.
  virtual void send(std::vector<net::Piece> frame) = 0;
  // Produce with acks=0 gets no answer.
  virtual void send_nothing() = 0;
  virtual void close_connection() = 0;
  // Told of each error in the answer before it is sent.
  virtual void failed(wire::ErrorCode code) { (void)code; }
  // While the request is handled, by its handler: what follows on the connection waits until this one is answered, as
  // its bytes are kept. Returns what these have drawn on the budget of requests.
  virtual net::ByteBudget::Share hold_up() { return {}; }
  // Lets go of it when the request has been answered, or will not be.
  virtual void keep_until_answered(std::shared_ptr<void> what) { (void)what; }
  // Nobody is there any more who would read the answer.
  [[nodiscard]] virtual bool abandoned() const { return false; }
};

// Answers one request of a type. Copies answer the same request. Thread-safe.
template <class Response>
class Reply {
 public:
  Reply(std::shared_ptr<ReplySlot> slot, const RequestInfo& info)
      : slot_(std::move(slot)), version_(info.version), correlation_id_(info.correlation_id) {}

  void operator()(const Response& response) const {
    tell_errors(response);
    std::vector<net::Piece> pieces(1);
    pieces[0].owned = encoded(response);
    slot_->send(std::move(pieces));
  }
  // A response whose records are stand-ins (wire::RecordsApart): `records` has what they stand for, in their order.
  void with_records(const Response& response, std::vector<std::vector<net::Piece>> records) const {
    tell_errors(response);
    wire::RecordsApart apart;
    const Bytes rest = encoded(response);
    std::vector<net::Piece> pieces(1);
    size_t done = 0;
    for (size_t i = 0; i < apart.gaps().size(); ++i) {
      const size_t at = apart.gaps()[i].position;
      pieces.back().owned.append(rest, done, at - done);
      done = at;
      for (net::Piece& piece : records[i]) {
        if (piece.source) {
          pieces.push_back(std::move(piece));
          pieces.emplace_back();
        } else {
          pieces.back().owned.append(piece.view());
        }
      }
    }
    pieces.back().owned.append(rest, done);
    slot_->send(std::move(pieces));
  }
  void nothing() const { slot_->send_nothing(); }
  [[nodiscard]] net::ByteBudget::Share hold_up() const { return slot_->hold_up(); }
  [[nodiscard]] bool abandoned() const { return slot_->abandoned(); }
  void close_connection() const { slot_->close_connection(); }

 private:
  void tell_errors(const Response& response) const {
    for_each_error(response, [this](wire::ErrorCode code) {
      if (code != wire::ErrorCode::none) slot_->failed(code);
    });
  }
  [[nodiscard]] Bytes encoded(const Response& response) const {
    Bytes frame;
    ByteWriter writer(frame);
    encode(wire::ResponseHeader{.correlation_id = correlation_id_},
           wire::api_info(Response::kApiKey).response_header_version(version_), writer);
    encode(response, version_, writer);
    return frame;
  }

  // Shared by the copies that a delayed answer is captured in.
  std::shared_ptr<ReplySlot> slot_;
  int16_t version_;
  int32_t correlation_id_;
};

// One row of the table of APIs.
struct ApiHandler {
  wire::ApiKey key;
  int16_t version_min;
  int16_t version_max;
  // Decodes the body and handles it; an error closes the connection. Record data borrows `reader`'s bytes, which
  // stay valid during the call only. A body whose arrays have more elements than `elements_max` is not handled:
  // resource_exhausted.
  Status (*handle)(BrokerContext& context, const RequestInfo& info, ByteReader& reader, size_t elements_max,
                   std::shared_ptr<ReplySlot> slot);
};

template <class Request>
Status decode_bounded(ByteReader& reader, int16_t version, size_t elements_max, Request& request) {
  wire::ElementLimit limit(elements_max);
  const Status decoded = decode(reader, version, request);
  if (!limit.exceeded()) return decoded;
  return error(Code::resource_exhausted, "{}: its arrays have more than {} elements", Request::kName, elements_max);
}

// Makes a row of a function  void f(BrokerContext&, const RequestInfo&, Request, Reply<Request::Response>).
template <class Request, auto function>
constexpr ApiHandler api(int16_t version_min = Request::kVersionMin, int16_t version_max = Request::kVersionMax) {
  return {Request::kApiKey, version_min, version_max,
          [](BrokerContext& context, const RequestInfo& info, ByteReader& reader, size_t elements_max,
             std::shared_ptr<ReplySlot> slot) {
            Request request;
            MUIR_RETURN_IF_ERROR(decode_bounded(reader, info.version, elements_max, request));
            function(context, info, std::move(request), Reply<typename Request::Response>(std::move(slot), info));
            return Status();
          }};
}

}  // namespace muir::broker
