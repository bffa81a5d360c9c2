// A kind of windows that is not in the library, as README.md's recipe adds it: this file is all that it takes.
#include <gtest/gtest.h>

#include "streams/dsl.h"
#include "streams/test_driver.h"

namespace muir::streams {
namespace {

using namespace std::chrono_literals;

// Tumbling windows that begin a while after the epoch's, as days of a time zone do.
class ShiftedWindows final : public Windows {
 public:
  ShiftedWindows(std::chrono::milliseconds size, std::chrono::milliseconds shift)
      : size_ms_(size.count()), shift_ms_(shift.count()) {}
  Status validate() const override {
    if (shift_ms_ >= 0 && shift_ms_ < size_ms_) return {};
    return error(Code::invalid_argument, "shifted windows: shift {} ms must be from 0 to below the size, {} ms",
                 shift_ms_, size_ms_);
  }
  void starts(int64_t timestamp_ms, std::vector<int64_t>& out) const override {
    if (timestamp_ms >= shift_ms_) out.push_back((timestamp_ms - shift_ms_) / size_ms_ * size_ms_ + shift_ms_);
  }
  int64_t size_ms() const override { return size_ms_; }
  int64_t grace_ms() const override { return 0; }

 private:
  const int64_t size_ms_;
  const int64_t shift_ms_;
};

Result<Topology> counting(std::shared_ptr<const Windows> windows) {
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("in")
      .group_by_key()
      .windowed_by(std::move(windows))
      .count({.store = "w"})
      .to_stream()
      .to("out", {.key = windowed_serde<std::string>(10ms)});
  return builder.build();
}

TEST(WindowKinds, OneOfAProgramsOwnIsCountedStoredAndClosedLikeAnyOther) {
  auto driver = *TestDriver::create(*counting(std::make_shared<ShiftedWindows>(10ms, 3ms)));
  auto in = *driver->input<std::string, std::string>("in");
  auto out = *driver->output<Windowed<std::string>, int64_t>("out", windowed_serde<std::string>(10ms));
  struct Case {
    int64_t at_ms;
    std::string want;  // empty: it falls into no window, or into one that is closed
  };
  for (const auto& c : std::vector<Case>{
           {3, "[k@3/13]=1"}, {12, "[k@3/13]=2"}, {13, "[k@13/23]=1"}, {12, ""}, {1, ""}, {40, "[k@33/43]=1"}}) {
    SCOPED_TRACE(c.at_ms);
    ASSERT_TRUE(in.pipe("k", "x", c.at_ms).ok());
    std::string got;
    while (!out.empty()) {
      const auto record = *out.read();
      got += fmt::format("{}={}", to_string(*record.key), *record.value);
    }
    EXPECT_EQ(got, c.want);
  }
  EXPECT_EQ(**(driver->window_store<std::string, int64_t>("w"))->fetch("k", 33), (ValueAndTimestamp<int64_t>{1, 40}));
}

TEST(WindowKinds, TheirMistakesAreToldByBuild) {
  const auto built = counting(std::make_shared<ShiftedWindows>(10ms, 10ms));
  ASSERT_FALSE(built.ok());
  EXPECT_EQ(built.status().message(), "shifted windows: shift 10 ms must be from 0 to below the size, 10 ms");
}

}  // namespace
}  // namespace muir::streams
