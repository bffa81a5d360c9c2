#include "page_view_sessions/page_view_sessions.h"

#include <gtest/gtest.h>

#include <string>

#include "streams/windows.h"
#include "timeline.h"

namespace examples {
namespace {

using muir::streams::Windowed;

// "ann[10:00:00,10:10:00]".
std::string session(const std::string& key) {
  const auto read = muir::streams::session_windowed_serde<std::string>().deserialize("visits", key);
  if (!read.ok()) return read.status().message();
  return read->key + "[" + time_of(read->window.start_ms) + "," + time_of(read->window.end_ms) + "]";
}

std::string click(const std::string& page, const std::string& time) {
  return "{'page':'" + page + "','at_ms':" + std::to_string(at_ms(time)) + "}";
}

// The record of a visit.
std::string visit(int views, const std::string& entry, const std::string& exit) {
  return "{'views':" + std::to_string(views) + ",'entry':" + entry + ",'exit':" + exit + "}";
}

TEST(PageViewSessions, GrowMergeAndEnd) {
  const std::string home = click("/home", "10:00:00");
  const std::string news = click("/news", "10:30:00");
  const std::string shop = click("/shop", "11:04:00");
  const std::string late = click("/late", "10:45:00");
  const std::string other = click("/home", "11:45:01");
  Timeline(page_view_sessions::topology(), {.dead_letters = "dead", .keys = {{"visits", session}}})
      .run({
          // When the records come does not matter: their values say when the views were.
          {"20:00:00", "clicks", "ann", home, {"visits ann[10:00:00,10:00:00] " + visit(1, home, home) + " @10:00:00"}},
          {"20:00:00",
           "clicks",
           "ann",
           news,
           {"visits ann[10:00:00,10:00:00] - @10:00:00",
            "visits ann[10:00:00,10:30:00] " + visit(2, home, news) + " @10:30:00"}},
          // 34 minutes later it is another visit, until one between the two comes.
          {"20:00:00", "clicks", "ann", shop, {"visits ann[11:04:00,11:04:00] " + visit(1, shop, shop) + " @11:04:00"}},
          {"20:00:00",
           "clicks",
           "ann",
           late,
           {"visits ann[10:00:00,10:30:00] - @10:30:00", "visits ann[11:04:00,11:04:00] - @11:04:00",
            "visits ann[10:00:00,11:04:00] " + visit(4, home, shop) + " @11:04:00"}},
          // 35 minutes behind the last view Ann's visit is over.
          {"20:00:00",
           "clicks",
           "bob",
           other,
           {"visits bob[11:45:01,11:45:01] " + visit(1, other, other) + " @11:45:01",
            "visits-over ann " + visit(4, home, shop) + " @11:04:00"}},
          {"20:00:00", "clicks", "ann", click("/too-late", "10:50:00"), {}},
          {"20:00:00", "clicks", "ann", "{'page':'/before','at_ms':-1}"},
          {"20:00:00", "clicks", "ann", std::nullopt},
          {"20:00:00", "clicks", "ann", "/home", {"dead ann /home @20:00:00"}},
      });
}

}  // namespace
}  // namespace examples
