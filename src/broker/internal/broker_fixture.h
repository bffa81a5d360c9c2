// For tests of the broker: one on a free port with its data in a temporary folder, and a client that speaks single
// requests.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/broker.h"
#include "testing/eventually.h"
#include "testing/temp_dir.h"
#include "wire/batch_builder.h"
#include "wire/frame.h"

namespace muir::broker {

class TestBroker {
 public:
  explicit TestBroker(Properties properties = {}) : properties_(std::move(properties)) {
    // The records' times are long past, and half a minute after the start a broker looks for such.
    properties_.try_emplace("log.retention.ms", "-1");
    properties_.try_emplace("group.initial.rebalance.delay.ms", "0");
    properties_.try_emplace("offsets.topic.num.partitions", "4");
    properties_.try_emplace("transaction.state.log.num.partitions", "4");
    start();
  }
  void start() {
    BrokerConfig config;
    config.port = 0;
    config.data_dir = folder_.str();
    config.properties = properties_;
    config.metrics = &metrics_;
    auto started = Broker::start(config);
    ASSERT_TRUE(started.ok()) << started.status().to_string();
    broker_ = *std::move(started);
  }
  // `while_down` is called between the end and the start.
  void restart(const std::function<void()>& while_down = [] {}) {
    ASSERT_TRUE(broker_->stop().ok());
    broker_.reset();
    while_down();
    start();
  }
  Broker& operator*() { return *broker_; }
  Broker* operator->() { return broker_.get(); }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(broker_->port()); }
  [[nodiscard]] std::string folder() const { return folder_.str(); }
  [[nodiscard]] const MetricsRegistry& metrics() const { return metrics_; }

 private:
  testing::TempDir folder_;
  MetricsRegistry metrics_;
  Properties properties_;
  std::unique_ptr<Broker> broker_;
};

// Blocking; one connection. Owned by one thread.
class TestClient {
 public:
  explicit TestClient(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    timeval limit{testing::kPatienceMs / 1000, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  ~TestClient() { ::close(fd_); }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  void send_bytes(BytesView bytes) {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  // A frame without its length; nullopt when the broker has closed the connection.
  std::optional<Bytes> receive() {
    Bytes length(4, '\0');
    if (!receive_exactly(length)) return std::nullopt;
    Bytes frame(ByteReader(length).u32(), '\0');
    if (!receive_exactly(frame)) return std::nullopt;
    return frame;
  }

  template <class Request>
  void send(const Request& request, int16_t version) {
    Bytes frame;
    wire::encode_request(request, version, ++correlation_id_, "test-client", frame);
    send_bytes(frame);
  }
  // The frame's bytes must outlive what the response borrows.
  template <class Response>
  Response receive_response(int16_t version) {
    Response response;
    const auto frame = receive();
    EXPECT_TRUE(frame.has_value()) << Response::kName << ": the connection was closed";
    if (!frame) return response;
    last_frame_ = *frame;
    const auto id = wire::decode_response(last_frame_, version, response);
    EXPECT_TRUE(id.ok()) << id.status().to_string();
    last_correlation_id_ = id.ok() ? *id : -1;
    return response;
  }
  template <class Request>
  typename Request::Response call(const Request& request, int16_t version = Request::kVersionMax) {
    send(request, version);
    auto response = receive_response<typename Request::Response>(version);
    EXPECT_EQ(last_correlation_id_, correlation_id_);
    return response;
  }
  [[nodiscard]] int32_t correlation_id() const { return correlation_id_; }
  [[nodiscard]] int32_t last_correlation_id() const { return last_correlation_id_; }

 private:
  bool receive_exactly(Bytes& out) {
    size_t done = 0;
    while (done < out.size()) {
      const ssize_t got = ::recv(fd_, out.data() + done, out.size() - done, 0);
      if (got <= 0) return false;
      done += static_cast<size_t>(got);
    }
    return true;
  }

  int fd_;
  int32_t correlation_id_ = 0;
  int32_t last_correlation_id_ = 0;
  Bytes last_frame_;
};

}  // namespace muir::broker
