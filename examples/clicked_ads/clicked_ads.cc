// Which views of advertisements were clicked: the program that docs/streams/tutorial.md builds step by step, from a
// filter to a windowed join of two streams.
//
//   muir broker & clicked_ads localhost:9092 &
//   echo 'ad1:{"campaign":"spring"}' | kcat -b localhost:9092 -P -t ads -K:
//   echo 'v1:{"ad":"ad1","page":"/news"}' | kcat -b localhost:9092 -P -t ad-views -K:
//   echo 'v1:{"user":"ann"}' | kcat -b localhost:9092 -P -t ad-clicks -K:
//   kcat -b localhost:9092 -C -t ad-results -K:
#include "clicked_ads/clicked_ads.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "serde/json_serde.h"
#include "streams/dsl.h"

// [types]
namespace clicked_ads {

struct View {  // key: the view's id
  std::string ad;
  std::string page;
};
inline void describe(muir::Fields& f, View& v) { f("ad", v.ad)("page", v.page); }

struct Ad {  // key: the ad
  std::string campaign;
};
inline void describe(muir::Fields& f, Ad& a) { f("campaign", a.campaign); }

struct AdClick {  // key: the id of the view that was clicked
  std::string user;
};
inline void describe(muir::Fields& f, AdClick& c) { f("user", c.user); }

}  // namespace clicked_ads

template <>
struct muir::serde<clicked_ads::View> : muir::JsonSerde<clicked_ads::View> {};
template <>
struct muir::serde<clicked_ads::Ad> : muir::JsonSerde<clicked_ads::Ad> {};
template <>
struct muir::serde<clicked_ads::AdClick> : muir::JsonSerde<clicked_ads::AdClick> {};
// [types]

namespace clicked_ads {

struct CampaignView {
  std::string campaign;
  std::string page;
};
inline void describe(muir::Fields& f, CampaignView& v) { f("campaign", v.campaign)("page", v.page); }

struct ViewCount {  // key: the campaign
  int64_t minute_ms = 0;
  int64_t views = 0;
};
inline void describe(muir::Fields& f, ViewCount& c) { f("minute_ms", c.minute_ms)("views", c.views); }

struct AdResult {  // key: the view's id
  std::string campaign;
  std::string page;
  std::optional<std::string> clicked_by{};
};
inline void describe(muir::Fields& f, AdResult& r) {
  f("campaign", r.campaign)("page", r.page)("clicked_by", r.clicked_by);
}

}  // namespace clicked_ads

template <>
struct muir::serde<clicked_ads::CampaignView> : muir::JsonSerde<clicked_ads::CampaignView> {};
template <>
struct muir::serde<clicked_ads::ViewCount> : muir::JsonSerde<clicked_ads::ViewCount> {};
template <>
struct muir::serde<clicked_ads::AdResult> : muir::JsonSerde<clicked_ads::AdResult> {};

namespace clicked_ads {

using namespace std::chrono_literals;
using muir::streams::Windowed;

muir::Result<muir::streams::Topology> topology() {
  muir::streams::StreamsBuilder builder;
  // [filter]
  const auto views =
      builder.stream<std::string, View>("ad-views").filter([](const View& view) { return !view.ad.empty(); });
  // [filter]

  // [table]
  const auto ads = builder.global_table<std::string, Ad>("ads");
  const auto known = views.join(
      ads, [](const std::string&, const View& view) { return view.ad; },
      [](const View& view, const Ad& ad) {
        return CampaignView{ad.campaign, view.page};
      });
  // [table]

  // [count]
  known.group_by([](const CampaignView& view) { return view.campaign; }, {.name = "by-campaign"})
      .windowed_by({.size = 1min, .grace = 10s})
      .count({.store = "views-per-minute"})
      .to_stream()
      .map([](const Windowed<std::string>& campaign, int64_t count) {
        return std::pair(campaign.key, ViewCount{campaign.window.start_ms, count});
      })
      .to("campaign-views");
  // [count]

  // [join]
  const auto clicks = builder.stream<std::string, AdClick>("ad-clicks");
  known
      .left_join(clicks,
                 [](const CampaignView& view, const AdClick* click) {
                   AdResult result{view.campaign, view.page, {}};
                   if (click != nullptr) result.clicked_by = click->user;
                   return result;
                 },
                 {.before = 0s, .after = 10min, .grace = 30s}, {.name = "view-with-click", .store = "views-and-clicks"})
      .to("ad-results");
  // [join]
  return builder.build();
}

}  // namespace clicked_ads
