// BrokerConnection: one connection to one broker that speaks the versions both sides know. Owned by one thread, except
// abort().
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "client/internal/kafka_config.h"
#include "net/frame_client.h"
#include "wire/frame.h"

namespace muir::client::internal {

// A point in time until which something may take. Immutable.
class Deadline {
 public:
  explicit Deadline(int64_t timeout_ms) : at_ms_(system_clock().steady_ms() + timeout_ms) {}
  [[nodiscard]] int64_t left_ms() const { return std::max<int64_t>(at_ms_ - system_clock().steady_ms(), 0); }
  [[nodiscard]] bool passed() const { return left_ms() == 0; }

 private:
  int64_t at_ms_;
};

class BrokerConnection {
 public:
  // Connects, with TLS when one is given, and asks for the broker's versions.
  static Result<std::unique_ptr<BrokerConnection>> open(const Endpoint& endpoint, const std::string& client_id,
                                                        int64_t timeout_ms,
                                                        const std::shared_ptr<const net::TlsContext>& tls = nullptr);

  // The version both sides speak, at most `cap`; Code::unsupported when there is none.
  [[nodiscard]] Result<int16_t> version_of(wire::ApiKey key, int16_t min, int16_t max, int16_t cap = INT16_MAX) const;

  // A request whose answer is awaited later; one at a time.
  struct Started {
    int32_t correlation_id = 0;
    int16_t version = 0;
  };
  template <class Request>
  Result<Started> start(const Request& request, int64_t timeout_ms, int16_t cap = INT16_MAX) {
    const int16_t version = MUIR_TRY(version_of(Request::kApiKey, Request::kVersionMin, Request::kVersionMax, cap));
    const int32_t correlation_id = next_correlation_id_++;
    Bytes frame;
    wire::encode_request(request, version, correlation_id, client_id_, frame);
    MUIR_RETURN_IF_ERROR(send(frame, timeout_ms));
    return Started{correlation_id, version};
  }
  template <class Response>
  Result<Response> finish(const Started& started, int64_t timeout_ms) {
    const Bytes frame = MUIR_TRY(receive(timeout_ms));
    Response response;
    const Result<int32_t> correlation_id = wire::decode_response(frame, started.version, response);
    return correlation_id.ok() && *correlation_id == started.correlation_id
               ? Result<Response>(std::move(response))
               : refuse(Response::kName, correlation_id.status());
  }
  template <class Request>
  Result<typename Request::Response> call(const Request& request, int64_t timeout_ms, int16_t cap = INT16_MAX) {
    const Deadline deadline(timeout_ms);
    const Started started = MUIR_TRY(start(request, timeout_ms, cap));
    return finish<typename Request::Response>(started, deadline.left_ms());
  }

  // After a failure to send or receive, a timeout included, no answer can be told from another: connect anew.
  [[nodiscard]] bool broken() const { return broken_; }
  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  // Makes a blocked call fail. Thread-safe.
  void abort() { frames_->abort(); }

 private:
  BrokerConnection(Endpoint endpoint, std::string client_id, std::unique_ptr<net::FrameClient> frames)
      : endpoint_(std::move(endpoint)), client_id_(std::move(client_id)), frames_(std::move(frames)) {}
  Status negotiate(int64_t timeout_ms);
  Status send(const Bytes& frame, int64_t timeout_ms);
  Result<Bytes> receive(int64_t timeout_ms);
  Status refuse(const char* what, const Status& why);

  struct Range {
    int16_t min;
    int16_t max;
  };
  const Endpoint endpoint_;
  const std::string client_id_;
  const std::unique_ptr<net::FrameClient> frames_;
  std::map<int16_t, Range> versions_;
  int32_t next_correlation_id_ = 1;
  bool broken_ = false;
};

}  // namespace muir::client::internal
