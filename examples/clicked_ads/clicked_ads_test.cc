#include "clicked_ads/clicked_ads.h"

#include <gtest/gtest.h>

#include <optional>

#include "timeline.h"

namespace examples {
namespace {

// [timeline]
TEST(ClickedAds, ViewsAreJoinedWithTheClicksOfTheNextTenMinutes) {
  Timeline(clicked_ads::topology(), {.dead_letters = "dead", .topics = {"ad-results", "dead"}})
      .run({
          {"10:00:00", "ads", "ad1", "{'campaign':'spring'}"},
          {"10:00:00", "ad-views", "v1", "{'ad':'ad1','page':'/news'}"},
          {"10:00:01", "ad-views", "v2", "{'ad':'ad1','page':'/shop'}"},
          {"10:00:02", "ad-views", "v3", "{'ad':'nobody-s','page':'/shop'}"},  // of no campaign
          {"10:10:00",
           "ad-clicks",
           "v1",
           "{'user':'ann'}",
           {"ad-results v1 {'campaign':'spring','page':'/news','clicked_by':'ann'} @10:10:00"}},
          // Half a minute of grace is over with this one: nobody can click on v2 any more.
          {"10:10:32",
           "ad-clicks",
           "v9",
           "{'user':'bob'}",
           {"ad-results v2 {'campaign':'spring','page':'/shop','clicked_by':null} @10:00:01"}},
      });
}
// [timeline]

TEST(ClickedAds, ViewsAreCountedByCampaignAndMinute) {
  Timeline(clicked_ads::topology(), {.dead_letters = "dead", .topics = {"campaign-views", "dead"}})
      .run({
          {"00:00:00", "ads", "ad1", "{'campaign':'spring'}"},
          {"00:00:00", "ads", "ad2", "{'campaign':'spring'}"},
          {"00:00:10",
           "ad-views",
           "v1",
           "{'ad':'ad1','page':'/'}",
           {"campaign-views spring {'minute_ms':0,'views':1} @00:00:10"}},
          {"00:00:20",
           "ad-views",
           "v2",
           "{'ad':'ad2','page':'/'}",
           {"campaign-views spring {'minute_ms':0,'views':2} @00:00:20"}},
          {"00:01:05",
           "ad-views",
           "v3",
           "{'ad':'ad2','page':'/'}",
           {"campaign-views spring {'minute_ms':60000,'views':1} @00:01:05"}},
          {"00:00:59",
           "ad-views",
           "v4",
           "{'ad':'ad1','page':'/'}",
           {"campaign-views spring {'minute_ms':0,'views':3} @00:00:59"}},
          {"00:01:10",
           "ad-views",
           "v5",
           "{'ad':'ad1','page':'/'}",
           {"campaign-views spring {'minute_ms':60000,'views':2} @00:01:10"}},
          {"00:00:59", "ad-views", "v6", "{'ad':'ad1','page':'/'}"},  // that minute is over
          {"00:01:11", "ad-views", "v7", "{'ad':'','page':'/'}"},
          {"00:01:12", "ad-views", "v8", "{'ad':'ad1'}", {"dead v8 {'ad':'ad1'} @00:01:12"}},
          // The campaign has ended: its ads are deleted.
          {"00:01:13", "ads", "ad1", std::nullopt},
          {"00:01:14", "ad-views", "v9", "{'ad':'ad1','page':'/'}"},
      });
}

}  // namespace
}  // namespace examples
