#include "page_view_region/page_view_region.h"

#include <gtest/gtest.h>

#include <optional>

#include "timeline.h"

namespace examples {
namespace {

TEST(PageViewRegion, AViewCountsForTheRegionThatItsUserHasAtThatMoment) {
  Timeline(page_view_region::topology(), {.dead_letters = "dead"})
      .run({
          {"00:00:00", "user-profiles", "ann", "{'region':'north'}"},
          {"00:00:10",
           "page-views",
           "ann",
           "{'page':'/news'}",
           {"region-views north {'from_ms':0,'to_ms':120000,'views':1} @00:00:10"}},
          // Two windows hold this one: [0, 2) and [1, 3) minutes.
          {"00:01:05",
           "page-views",
           "ann",
           "{'page':'/sport'}",
           {"region-views north {'from_ms':0,'to_ms':120000,'views':2} @00:01:05",
            "region-views north {'from_ms':60000,'to_ms':180000,'views':1} @00:01:05"}},
          {"00:01:10",
           "page-views",
           "bob",
           "{'page':'/news'}",
           {"region-views unknown {'from_ms':0,'to_ms':120000,'views':1} @00:01:10",
            "region-views unknown {'from_ms':60000,'to_ms':180000,'views':1} @00:01:10"}},
          // Ann moves, and then leaves: views that were counted stay where they are.
          {"00:02:00", "user-profiles", "ann", "{'region':'south'}"},
          {"00:02:00",
           "page-views",
           "ann",
           "{'page':'/news'}",
           {"region-views south {'from_ms':60000,'to_ms':180000,'views':1} @00:02:00",
            "region-views south {'from_ms':120000,'to_ms':240000,'views':1} @00:02:00"}},
          {"00:02:20", "user-profiles", "ann", std::nullopt},
          {"00:02:20",
           "page-views",
           "ann",
           "{'page':'/news'}",
           {"region-views unknown {'from_ms':60000,'to_ms':180000,'views':2} @00:02:20",
            "region-views unknown {'from_ms':120000,'to_ms':240000,'views':1} @00:02:20"}},
          // 20 seconds after the end of [0, 2), which has 30 s of grace; 40 seconds after it, that window is closed.
          {"00:01:59",
           "page-views",
           "bob",
           "{'page':'/late'}",
           {"region-views unknown {'from_ms':0,'to_ms':120000,'views':2} @00:01:59",
            "region-views unknown {'from_ms':60000,'to_ms':180000,'views':3} @00:02:20"}},
          {"00:02:40",
           "page-views",
           "bob",
           "{'page':'/news'}",
           {"region-views unknown {'from_ms':60000,'to_ms':180000,'views':4} @00:02:40",
            "region-views unknown {'from_ms':120000,'to_ms':240000,'views':2} @00:02:40"}},
          {"00:01:59",
           "page-views",
           "bob",
           "{'page':'/later'}",
           {"region-views unknown {'from_ms':60000,'to_ms':180000,'views':5} @00:02:40"}},
          // No view, no user, no JSON.
          {"00:02:41", "page-views", "bob", std::nullopt},
          {"00:02:42", "page-views", "bob", "/news", {"dead bob /news @00:02:42"}},
      });
}

}  // namespace
}  // namespace examples
