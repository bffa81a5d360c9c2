#include "timeline.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

namespace examples {
namespace {

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

std::string replaced(std::string text, char from, char to) {
  std::replace(text.begin(), text.end(), from, to);
  return text;
}

Text bytes_of(const Text& text) { return text ? Text(replaced(*text, '\'', '"')) : Text(); }

}  // namespace

int64_t at_ms(const std::string& time) {
  int hours = 0;
  int minutes = 0;
  int seconds = 0;
  int ms = 0;
  const int read = std::sscanf(time.c_str(), "%d:%d:%d.%3d", &hours, &minutes, &seconds, &ms);
  EXPECT_GE(read, 3) << "no time: " << time;
  return ((hours * 60LL + minutes) * 60 + seconds) * 1000 + ms;
}

std::string time_of(int64_t ms) {
  const int64_t seconds = ms / 1000;
  std::string out = fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (ms % 1000 != 0) out += fmt::format(".{:03}", ms % 1000);
  return out;
}

Timeline::Timeline(const muir::Result<muir::streams::Topology>& topology, TimelineOptions options)
    : options_(std::move(options)) {
  using muir::streams::OnFailure;
  if (!topology.ok()) {
    ADD_FAILURE() << topology.status().message();
    return;
  }
  muir::streams::TestDriverOptions settings;
  if (!options_.dead_letters.empty()) {
    settings.errors = {OnFailure::proceed, OnFailure::proceed, OnFailure::fail, options_.dead_letters};
  }
  auto driver = muir::streams::TestDriver::create(*topology, settings);
  if (!driver.ok()) {
    ADD_FAILURE() << driver.status().message();
    return;
  }
  driver_ = std::move(*driver);
}

void Timeline::run(const std::vector<Step>& steps) {
  ASSERT_NE(driver_, nullptr);
  for (const Step& step : steps) {
    SCOPED_TRACE(fmt::format("{} {} {} {}", step.at, step.topic, step.key.value_or("-"), step.value.value_or("-")));
    const muir::Status fed = feed(step);
    ASSERT_TRUE(fed.ok()) << fed.message();
    EXPECT_EQ(written(), step.want);
  }
}

muir::Status Timeline::feed(const Step& step) {
  const int64_t ms = at_ms(step.at);
  if (step.topic == kWallClock) {
    return driver_->advance_wall_clock(std::chrono::milliseconds(ms - driver_->clock().now_ms()));
  }
  muir::streams::RawRecord record{.key = step.key, .value = bytes_of(step.value), .timestamp_ms = ms};
  for (const auto& [name, value] : step.headers) record.headers.push_back({name, value});
  return driver_->pipe(step.topic, record);
}

// All that was written since the last row, but for the topics that are the application's own.
std::vector<std::string> Timeline::written() {
  std::vector<std::string> out;
  for (const std::string& topic : driver_->produced_topics()) {
    if (topic.starts_with("test-") || (!options_.topics.empty() && !contains(options_.topics, topic))) continue;
    const auto show = options_.keys.find(topic);
    while (const auto record = driver_->read(topic)) {
      const std::string key = !record->key                  ? "-"
                              : show == options_.keys.end() ? *record->key
                                                            : show->second(*record->key);
      std::string line = fmt::format("{} {} {}", topic, key, replaced(record->value.value_or("-"), '"', '\''));
      for (const auto& header : record->headers) {
        if (contains(options_.headers, header.name)) {
          line += fmt::format(" {}={}", header.name, header.value.value_or("-"));
        }
      }
      out.push_back(line + " @" + time_of(record->timestamp_ms));
    }
  }
  return out;
}

}  // namespace examples
