#include "temperature/temperature.h"

#include <gtest/gtest.h>

#include <optional>

#include "timeline.h"

namespace examples {
namespace {

TEST(Temperature, TheHottestOfAMinuteIsToldOnceWhenItIsOver) {
  Timeline timeline(temperature::topology(), {.dead_letters = "dead"});
  timeline.run({
      {"00:00:05", "temperatures", "kitchen", "29"},
      {"00:00:10", "temperatures", "kitchen", "34"},
      {"00:00:20", "temperatures", "kitchen", "31"},
      {"00:00:30", "temperatures", "hall", "-4"},
      {"00:00:40", "temperatures", "hall", "30"},  // not above 30
      // The next minute; the first is over, but its grace is not. What comes late counts.
      {"00:01:09", "temperatures", "cellar", "33"},
      {"00:00:59", "temperatures", "kitchen", "36"},
      {"00:01:10",
       "temperatures",
       "cellar",
       "12",
       {"temperature-alarms kitchen {'from_ms':0,'to_ms':60000,'degrees':36} @00:00:59"}},
      // Too late. And what is no number.
      {"00:00:58", "temperatures", "kitchen", "99"},
      {"00:01:20", "temperatures", "hall", "warm", {"dead hall warm @00:01:20"}},
      {"00:01:21", "temperatures", "hall", "31 C", {"dead hall 31 C @00:01:21"}},
      {"00:01:22", "temperatures", "hall", std::nullopt},
      // What is held back outlives the task.
  });
  ASSERT_TRUE(timeline.driver().restart().ok());
  timeline.run({
      {"00:02:10",
       "temperatures",
       "hall",
       "20",
       {"temperature-alarms cellar {'from_ms':60000,'to_ms':120000,'degrees':33} @00:01:10"}},
  });
}

}  // namespace
}  // namespace examples
