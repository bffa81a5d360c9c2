// Piece: bytes that are to be written to a connection, in memory or where they are stored.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/status.h"

namespace muir::net {

// Bytes that stay where they are, such as in a file, and are read in small parts as the peer takes them. Immutable;
// thread-safe.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  [[nodiscard]] virtual uint64_t size() const = 0;
  // The out.size() bytes from `at` on. A failure ends the connection.
  [[nodiscard]] virtual Status read(uint64_t at, std::span<char> out) const = 0;
  // Where the bytes lie in a file of the system's, which then takes them from there to the socket; nullopt: read()
  // does.
  struct InFile {
    int descriptor = -1;
    uint64_t begin = 0;
  };
  [[nodiscard]] virtual std::optional<InFile> in_file() const { return std::nullopt; }
};

// One of its members is set.
struct Piece {
  Bytes owned{};
  // Shared because one message goes to many streams.
  std::shared_ptr<const std::string> shared{};
  // Shared by whoever made it and the queue.
  std::shared_ptr<const ByteSource> source{};

  [[nodiscard]] size_t size() const { return source ? static_cast<size_t>(source->size()) : view().size(); }
  // Of a piece in memory.
  [[nodiscard]] BytesView view() const { return shared ? BytesView(*shared) : BytesView(owned); }
};

}  // namespace muir::net
