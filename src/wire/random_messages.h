// Random contents for every message of the tables; for tests. The generator writes random_trips().
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <string_view>

#include "base/status.h"
#include "wire/message.h"

namespace muir::wire {

// Small values, lists and strings drawn from a seed. Owned by one thread.
class RandomContents {
 public:
  explicit RandomContents(uint64_t seed) : engine_(seed) {}
  bool flip() { return (engine_() & 1) != 0; }
  uint64_t below(uint64_t limit) { return engine_() % limit; }

  void fill(bool& v) { v = flip(); }
  template <std::integral T>
  void fill(T& v) {
    v = static_cast<T>(engine_() >> below(64));
  }
  void fill(ErrorCode& v) { v = static_cast<ErrorCode>(static_cast<int16_t>(engine_())); }
  void fill(Uuid& v) { v = Uuid::from_random(engine_(), engine_()); }
  void fill(std::string& v) {
    v.resize(below(4) == 0 ? 0 : below(200));
    for (char& c : v) c = static_cast<char>(engine_());
  }
  OptBytesView records() { return flip() ? OptBytesView("some record batch") : std::nullopt; }
  template <class T, class Fill>
  void list(std::vector<T>& v, Fill fill_element) {
    v.resize(below(4));
    for (T& e : v) fill_element(e);
  }
  void list(std::vector<std::string>& v, const auto&) {
    v.resize(below(4));
    for (std::string& e : v) fill(e);
  }
  // Tags that no message knows, as a newer peer would send.
  void tags(TaggedFields& v) {
    for (uint32_t tag = 90; below(3) == 0; tag += 1 + static_cast<uint32_t>(below(5))) {
      v.push_back({tag, {}});
      fill(v.back().data);
    }
  }

 private:
  std::mt19937_64 engine_;
};

struct RandomTrip {
  std::string_view name;
  int16_t version_min;
  int16_t version_max;
  // Encodes random contents, decodes them and compares. Appends the encoded bytes to `out`.
  Status (*run)(int16_t version, RandomContents& random, Bytes& out);
};
std::span<const RandomTrip> random_trips();

// `fill` has no captures, so its type alone says what to call.
template <class Message, class Fill>
constexpr RandomTrip random_trip(Fill) {
  return {Message::kName, Message::kVersionMin, Message::kVersionMax,
          [](int16_t version, RandomContents& random, Bytes& out) -> Status {
            Message sent;
            Fill{}(sent, version, random);
            ByteWriter writer(out);
            const size_t start = out.size();
            encode(sent, version, writer);
            ByteReader reader(BytesView(out).substr(start));
            Message received;
            MUIR_RETURN_IF_ERROR(decode(reader, version, received));
            if (reader.remaining() != 0) return error(Code::internal, "{} bytes are left", reader.remaining());
            if (!(sent == received)) return error(Code::internal, "what was read is not what was written");
            return {};
          }};
}

}  // namespace muir::wire
