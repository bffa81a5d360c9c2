#include <chrono>
#include <limits>
#include <optional>
#include <utility>

#include "timelines.h"

namespace muir::streams {
namespace {

using namespace std::chrono_literals;

// "[0,10)=ab"; sessions and sliding windows hold both of their ends: "[0,10]".
void told(const KTable<Windowed<Text>, Text>& table, char end) {
  table.to_stream()
      .map([end](const Windowed<Text>* key, const Text* value) {
        const bool open = key->window.end_ms == std::numeric_limits<int64_t>::max();
        return std::pair(key->key, fmt::format("[{},{}{}={}", key->window.start_ms,
                                               open ? "…" : fmt::format("{}", key->window.end_ms), end,
                                               value == nullptr ? "-" : *value));
      })
      .to("out");
}

template <class W>
Result<Topology> windowed(const W& windows, char end, std::optional<Suppressed> suppressed = {}) {
  StreamsBuilder builder;
  const auto table = builder.stream<Text, Text>("in").group_by_key().windowed_by(windows).reduce(plus);
  told(suppressed ? table.suppress(*suppressed) : table, end);
  return builder.build();
}

Result<Topology> held_back() {
  StreamsBuilder builder;
  builder.table<Text, Text>("in").suppress(Suppressed::until_time_limit(10ms)).to_stream().to("out");
  return builder.build();
}

}  // namespace

void add_windows(Timelines& out) {
  constexpr auto kOnClose = EmitStrategy::on_window_close;
  out.emplace("tumbling", windowed(TimeWindows{.size = 10ms, .grace = 5ms}, ')'));
  out.emplace("hopping", windowed(TimeWindows{.size = 10ms, .advance = 5ms, .grace = 0ms}, ')'));
  out.emplace("tumbling-on-close", windowed(TimeWindows{.size = 10ms, .grace = 5ms, .emit = kOnClose}, ')'));
  out.emplace("sliding", windowed(SlidingWindows{.difference = 10ms, .grace = 5ms}, ']'));
  out.emplace("session", windowed(SessionWindows{.gap = 10ms, .grace = 5ms}, ']'));
  out.emplace("session-on-close", windowed(SessionWindows{.gap = 10ms, .grace = 5ms, .emit = kOnClose}, ']'));
  out.emplace("unlimited", windowed(UnlimitedWindows{.start = 10ms}, ')'));
  out.emplace("suppress-closed",
              windowed(TimeWindows{.size = 10ms, .grace = 5ms}, ')', Suppressed::until_window_closes()));
  out.emplace("suppress-time", held_back());
}

}  // namespace muir::streams
