// Page views per region: a stream joined with a table, grouped by what the table says, counted in hopping windows.
//
//   muir broker & page_view_region localhost:9092 &
//   echo 'ann:{"region":"north"}' | kcat -b localhost:9092 -P -t user-profiles -K:
//   echo 'ann:{"page":"/news"}' | kcat -b localhost:9092 -P -t page-views -K:
//   kcat -b localhost:9092 -C -t region-views -K:
#include "page_view_region/page_view_region.h"

#include <cstdint>
#include <string>
#include <utility>

#include "serde/json_serde.h"
#include "streams/dsl.h"

namespace page_view_region {

struct PageView {  // key: the user
  std::string page;
};
inline void describe(muir::Fields& f, PageView& v) { f("page", v.page); }

struct Profile {  // key: the user
  std::string region;
};
inline void describe(muir::Fields& f, Profile& p) { f("region", p.region); }

struct RegionViews {  // key: the region
  int64_t from_ms = 0;
  int64_t to_ms = 0;
  int64_t views = 0;
};
inline void describe(muir::Fields& f, RegionViews& v) { f("from_ms", v.from_ms)("to_ms", v.to_ms)("views", v.views); }

}  // namespace page_view_region

template <>
struct muir::serde<page_view_region::PageView> : muir::JsonSerde<page_view_region::PageView> {};
template <>
struct muir::serde<page_view_region::Profile> : muir::JsonSerde<page_view_region::Profile> {};
template <>
struct muir::serde<page_view_region::RegionViews> : muir::JsonSerde<page_view_region::RegionViews> {};

namespace page_view_region {

using namespace std::chrono_literals;
using muir::streams::Windowed;

muir::Result<muir::streams::Topology> topology() {
  muir::streams::StreamsBuilder builder;
  const auto profiles = builder.table<std::string, Profile>("user-profiles");
  builder.stream<std::string, PageView>("page-views")
      .left_join(profiles,
                 [](const PageView&, const Profile* profile) {
                   return profile == nullptr ? std::string("unknown") : profile->region;
                 })
      .group_by(std::identity(), {.name = "by-region"})
      .windowed_by({.size = 2min, .advance = 1min, .grace = 30s})
      .count({.store = "views"})
      .to_stream()
      .map([](const Windowed<std::string>& region, const int64_t& views) {
        return std::pair(region.key, RegionViews{region.window.start_ms, region.window.end_ms, views});
      })
      .to("region-views");
  return builder.build();
}

}  // namespace page_view_region
