// The same for a port of frames, as Kafka's is, plain and with TLS: whatever a thousand connections hold is counted.
#include "base/cursor.h"
#include "net/frame_client.h"
#include "net/frame_server.h"
#include "net/hostile_fixture.h"

namespace muir::net {
namespace {

constexpr const char* kServer = "HostileFrames.DISABLED_Server";
constexpr size_t kMemoryMax = 32 * kMiB;
constexpr size_t kBudgetMax = 32 * kMiB;
constexpr size_t kEachBytes = 5 * 1024;
constexpr size_t kProcessBytes = 16 * kMiB;
constexpr size_t kLeftBytes = 32 * kMiB;  // less than that is not worth the time to give it back
constexpr size_t kSmallAnswerBytes = 64;

std::string frame(const std::string& content, size_t announced = 0) {
  Bytes out;
  ByteWriter(out).u32(static_cast<uint32_t>(announced == 0 ? content.size() : announced));
  return out + content;
}

// Not a test of its own: the server. Frames that begin with a 'b' have a big answer.
TEST(HostileFrames, DISABLED_Server) {
  class Session final : public FrameSession {
   public:
    explicit Session(std::shared_ptr<FrameConnection> connection) : connection_(std::move(connection)) {}
    void on_frame(Bytes frame) override {
      connection_->send(Bytes(frame.starts_with('b') ? kMiB : kSmallAnswerBytes, 'a'));
      if (!connection_->call_when_drained()) return;
      connection_->pause_reading();
    }
    void on_drained() override { connection_->resume_reading(); }
    void on_closed() override {}

   private:
    const std::shared_ptr<FrameConnection> connection_;
  };
  EventLoop loop("frames", 2);
  FrameServerOptions options;
  options.frame_budget = ByteBudget::make(kBudgetMax);
  options.send_memory = ConnectionMemory::make(kMemoryMax);
  options.tls = ServerProcess::tls();
  const auto server = FrameServer::start(loop, options, [](std::shared_ptr<FrameConnection> connection) {
    return std::make_unique<Session>(std::move(connection));
  });
  ASSERT_TRUE(server.ok());
  ServerProcess::serve_until_told((*server)->port(), [&] {
    // As the broker does it once a second.
    const bool over = options.frame_budget->peak_is_over();
    if (options.send_memory->peak_is_over() || over) return_free_memory();
    return HttpMemoryUse{options.send_memory->used() + options.frame_budget->used(), options.send_memory->peak()};
  });
  (*server)->stop();
}

struct Row {
  const char* name;
  std::string sent;
  size_t counted = 0;  // at least, for each, as long as there is room
  bool tls = false;
  bool handshake = false;
};

std::vector<Row> rows() {
  std::string small;
  while (small.size() < 256 * 1024) small += frame("s");
  std::string big;
  while (big.size() < 16 * 1024) big += frame("b");
  const std::string hello("\x16\3\1\x02\0\1\0\1\xfc\3\3", 11);  // which is not whole
  return {
      {"nothing", ""},
      {"half a length", std::string(2, '\0')},
      {"half a small frame", frame(std::string(12'000, 's'), 16'000), 12'000},
      {"half a larger frame", frame(std::string(20'000, 's'), 21'000)},  // those that others wait for are closed
      {"the beginning of a large frame", frame(std::string(20'000, 's'), 50'000'000)},
      {"a frame and half a frame", frame("s") + frame(std::string(12'000, 's'), 16'000), 12'000},
      {"frames whose answers are small and not read", small},
      {"frames whose answers are big and not read", big},
      {"nothing, not even a ClientHello", "", 10'000, true},
      {"half a ClientHello", hello, 40'000, true},
      {"a handshake and nothing", "", 10'000, true, true},
      {"half a small frame within TLS", frame(std::string(12'000, 's'), 16'000), 22'000, true, true},
  };
}

TEST(HostileFrames, AllThatAThousandSilentClientsTakeIsCountedAndGivenBack) {
  if (!kMemoryIsMeasured) GTEST_SKIP() << "sanitizers take memory of their own";
  allow_many_files();
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.name);
    ServerProcess server(kServer, row.tls);
    const auto before = server.use();
    FrameClientOptions options;
    if (row.tls) options.tls = client_context(with_trust());
    {
      const SilentClients clients(row.sent, server.port(), row.handshake);
      const auto use = server.use_at_rest(std::min(row.counted * kConnections, kMemoryMax - kMiB));
      print_use(row.name, before, use);
      EXPECT_LE(use.now, kMemoryMax + kBudgetMax);
      EXPECT_LE(use.resident, before.resident + use.now + kConnections * kEachBytes + kProcessBytes);
      for (int i = 0; i < 20; ++i) {  // somebody else is served, and need not come again
        auto ordinary = FrameClient::connect("localhost", server.port(), options);
        ASSERT_TRUE(ordinary.ok()) << ordinary.status().to_string();
        ASSERT_TRUE((*ordinary)->send(Bytes(15'000, 's'), testing::kPatienceMs).ok());
        const auto answer = (*ordinary)->receive(testing::kPatienceMs);
        ASSERT_TRUE(answer.ok()) << answer.status().to_string();
        EXPECT_EQ(answer->size(), kSmallAnswerBytes);
      }
    }
    EXPECT_TRUE(testing::eventually([&] {
      const auto use = server.use();
      return use.now == 0 && use.resident < before.resident + kLeftBytes;
    })) << "counted "
        << server.use().now << ", resident " << server.use().resident << ", before " << before.resident;
  }
}

}  // namespace
}  // namespace muir::net
