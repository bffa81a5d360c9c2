// Frames in pieces, some of which lie elsewhere until the peer takes them.
#include "net/piece.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstring>
#include <random>

#include "base/file.h"
#include "base/memory.h"
#include "net/frame_client.h"
#include "net/frame_server.h"
#include "net/internal/piece_queue.h"
#include "net/tls_fixture.h"
#include "testing/eventually.h"
#include "testing/temp_dir.h"

namespace muir::net {
namespace {

using testing::eventually;
constexpr int64_t kWaitMs = muir::testing::kPatienceMs;
constexpr size_t kMib = 1024 * 1024;

// Bytes that are computed when they are asked for: byte i is i * 31 + start.
class Computed final : public ByteSource {
 public:
  explicit Computed(uint64_t size, uint8_t start = 0) : size_(size), start_(start) {}
  [[nodiscard]] uint64_t size() const override { return size_; }
  [[nodiscard]] Status read(uint64_t at, std::span<char> out) const override {
    if (at + out.size() > size_) return error(Code::data_loss, "behind the end");
    bytes_read_ += out.size();
    for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>((at + i) * 31 + start_);
    return {};
  }
  [[nodiscard]] size_t bytes_read() const { return bytes_read_; }

 private:
  const uint64_t size_;
  const uint8_t start_;
  mutable std::atomic<size_t> bytes_read_{0};
};

Bytes bytes_of(const ByteSource& source) {
  Bytes out(source.size(), 0);
  EXPECT_TRUE(source.read(0, out).ok());
  return out;
}

// Bytes of a file, of which only a stretch belongs to it.
class Stored final : public ByteSource {
 public:
  Stored(const std::string& path, uint64_t begin, uint64_t size)
      : file_(system_env().open(path, OpenMode::read).value()), begin_(begin), size_(size) {}
  [[nodiscard]] uint64_t size() const override { return size_; }
  [[nodiscard]] Status read(uint64_t at, std::span<char> out) const override {
    const Bytes bytes = MUIR_TRY(file_->read_exactly(begin_ + at, out.size()));
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return {};
  }
  [[nodiscard]] std::optional<InFile> in_file() const override { return InFile{file_->descriptor(), begin_}; }

 private:
  const std::unique_ptr<File> file_;
  const uint64_t begin_;
  const uint64_t size_;
};

// A file of a megabyte.
const std::string& stored_path() {
  static const testing::TempDir folder;
  static const std::string path = [] {
    EXPECT_TRUE(system_env().write_file(folder.str() + "/file", bytes_of(Computed(kMib, 7))).ok());
    return folder.str() + "/file";
  }();
  return path;
}

Piece random_piece(std::mt19937& random, Bytes& expected) {
  Piece out;
  const size_t size = random() % 4 == 0 ? random() % 500'000 : random() % 3000;
  if (random() % 3 == 0) {
    out.source = std::make_shared<Stored>(stored_path(), random() % (kMib - size), size);
    expected += bytes_of(*out.source);
  } else if (random() % 2 == 0) {
    out.source = std::make_shared<Computed>(size, static_cast<uint8_t>(random()));
    expected += bytes_of(*out.source);
  } else {
    out.owned.assign(size, static_cast<char>(random()));
    if (random() % 2 == 0) out.shared = std::make_shared<const std::string>(std::exchange(out.owned, {}));
    expected += out.view();
  }
  return out;
}

TEST(PieceQueue, GivesWhatWasPutInHoweverItIsTakenOut) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    PieceQueue queue;
    Bytes expected;
    Bytes got;
    for (int step = 0; step < 300; ++step) {
      if (random() % 3 == 0) queue.push(random_piece(random, expected));
      std::array<BytesView, 8> parts;
      const size_t most = random() % 2 == 0 ? SIZE_MAX : random() % 100'000;
      const auto count = queue.front(std::span(parts).first(1 + random() % 8), most);
      ASSERT_TRUE(count.ok());
      Bytes front;
      for (size_t i = 0; i < *count; ++i) front += parts[i];
      ASSERT_LE(front.size(), most);
      ASSERT_EQ(front.empty(), queue.empty() || most == 0);
      front.resize(front.size() - random() % (front.size() + 1));
      got += front;
      queue.pop(front.size());
      ASSERT_EQ(queue.bytes(), expected.size() - got.size());
    }
    EXPECT_TRUE(expected.starts_with(got));
  }
}

// Sends to its client what the test says.
class Sender final : public FrameSession {
 public:
  explicit Sender(std::shared_ptr<FrameConnection> connection, std::vector<Piece> pieces, std::atomic<int>& closed)
      : connection_(std::move(connection)), pieces_(std::move(pieces)), closed_(closed) {}
  void on_frame(Bytes) override { connection_->send(pieces_); }
  void on_closed() override { ++closed_; }

 private:
  std::shared_ptr<FrameConnection> connection_;
  std::vector<Piece> pieces_;
  std::atomic<int>& closed_;
};

struct Served {
  explicit Served(const std::vector<Piece>& pieces, bool tls) {
    FrameServerOptions options;
    if (tls) options.tls = server_context(server_options());
    auto started = FrameServer::start(loop, options, [this, pieces](std::shared_ptr<FrameConnection> connection) {
      return std::make_unique<Sender>(std::move(connection), pieces, closed);
    });
    MUIR_CHECK(started.ok(), "{}", started.status().to_string());
    server = *std::move(started);
    if (tls) client_options.tls = client_context(with_trust());
    client_options.frame_bytes_max = 1 << 30;
  }
  std::unique_ptr<FrameClient> client() {
    return FrameClient::connect("127.0.0.1", server->port(), client_options).value();
  }

  EventLoop loop{"pieces", 2};
  std::atomic<int> closed{0};
  std::unique_ptr<FrameServer> server;
  FrameClientOptions client_options;
};

TEST(FrameServer, SendsPiecesOfAnyKindAsOneFrame) {
  for (const bool tls : {false, true}) {
    for (unsigned seed = 1; seed <= 4; ++seed) {
      SCOPED_TRACE(std::to_string(seed) + (tls ? " with TLS" : ""));
      std::mt19937 random(seed);
      std::vector<Piece> pieces;
      Bytes expected;
      for (int i = 0; i < 40; ++i) pieces.push_back(random_piece(random, expected));
      Served served(pieces, tls);
      const auto client = served.client();
      for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(client->send("go", kWaitMs).ok());
        const auto frame = client->receive(kWaitMs);
        ASSERT_TRUE(frame.ok()) << frame.status().to_string();
        EXPECT_TRUE(*frame == expected);
      }
    }
  }
}

TEST(FrameServer, WhatAPeerDoesNotReadIsNotInMemory) {
  for (const bool tls : {false, true}) {
    SCOPED_TRACE(tls);
    Piece large;
    large.source = std::make_shared<Computed>(500 * kMib);
    Served served({large}, tls);
    const size_t before = resident_bytes();
    std::vector<std::unique_ptr<FrameClient>> clients;
    for (int i = 0; i < 20; ++i) {
      clients.push_back(served.client());
      ASSERT_TRUE(clients.back()->send("go", kWaitMs).ok());
    }
    const auto& source = static_cast<const Computed&>(*large.source);
    EXPECT_TRUE(eventually([&] { return source.bytes_read() > 20 * 64 * 1024; }));
    EXPECT_LT(resident_bytes(), before + 32 * kMib);
  }
}

TEST(FrameServer, APieceThatCannotBeReadEndsTheConnection) {
  class Broken final : public ByteSource {
    [[nodiscard]] uint64_t size() const override { return 1000; }
    [[nodiscard]] Status read(uint64_t, std::span<char>) const override { return error(Code::io_error, "no disk"); }
  };
  for (int i = 0; i < 4; ++i) {
    const bool tls = i % 2 == 1;
    Piece broken;
    if (i < 2) {
      broken.source = std::make_shared<Broken>();
    } else {
      broken.source = std::make_shared<Stored>(stored_path(), kMib - 10, 20);  // the file has become shorter
    }
    Served served({broken}, tls);
    const auto client = served.client();
    ASSERT_TRUE(client->send("go", kWaitMs).ok());
    EXPECT_FALSE(client->receive(kWaitMs).ok());
    EXPECT_TRUE(eventually([&] { return served.closed == 1; }));
  }
}

}  // namespace
}  // namespace muir::net
