// A topology as a graph for Graphviz and as JSON: the nodes, in the order, and with the edges of describe().
#include <gtest/gtest.h>

#include "streams/dsl.h"
#include "streams/topology.h"

namespace muir::streams {
namespace {

std::string same(const std::string& v) { return v; }

Topology word_count() {
  StreamsBuilder builder;
  builder.stream<std::string, std::string>("lines")
      .group_by(same)
      .count({.store = "counts"})
      .to_stream()
      .to("counts-out");
  return *builder.build();
}

TEST(DescribeForms, GraphvizDrawsTopicsBetweenFramesAndStoresBesideProcessors) {
  EXPECT_EQ(word_count().describe_graphviz(), R"(digraph topology {
  node [fontname="sans-serif", shape=box];
  subgraph cluster_0 {
    label="Sub-topology 0";
    "KSTREAM-SOURCE-0000000000";
    "KSTREAM-KEY-SELECT-0000000001";
    "counts-repartition-filter";
    "counts-repartition-sink";
  }
  subgraph cluster_1 {
    label="Sub-topology 1";
    "counts-repartition-source";
    "KSTREAM-AGGREGATE-0000000002";
    "KTABLE-TOSTREAM-0000000006";
    "KSTREAM-SINK-0000000007";
    "store counts" [label="counts", shape=cylinder];
  }
  "topic counts-out" [label="counts-out", shape=cds];
  "topic counts-repartition" [label="counts-repartition", shape=cds];
  "topic lines" [label="lines", shape=cds];
  "topic lines" -> "KSTREAM-SOURCE-0000000000";
  "KSTREAM-SOURCE-0000000000" -> "KSTREAM-KEY-SELECT-0000000001";
  "KSTREAM-KEY-SELECT-0000000001" -> "counts-repartition-filter";
  "counts-repartition-filter" -> "counts-repartition-sink";
  "counts-repartition-sink" -> "topic counts-repartition";
  "topic counts-repartition" -> "counts-repartition-source";
  "counts-repartition-source" -> "KSTREAM-AGGREGATE-0000000002";
  "KSTREAM-AGGREGATE-0000000002" -> "KTABLE-TOSTREAM-0000000006";
  "KSTREAM-AGGREGATE-0000000002" -> "store counts" [dir=none, style=dashed];
  "KTABLE-TOSTREAM-0000000006" -> "KSTREAM-SINK-0000000007";
  "KSTREAM-SINK-0000000007" -> "topic counts-out";
}
)");
}

TEST(DescribeForms, JsonHasTheNamesOfJavasDescription) {
  StreamsBuilder builder;
  (void)builder.global_table<std::string, std::string>("zones", {}, {.store = "zones-store"});
  builder.stream<std::string, std::string>("in").to([](const std::string& value) { return "out-" + value; });
  EXPECT_EQ(builder.build()->describe_json(),
            R"({"subtopologies":[{"id":1,"nodes":[)"
            R"({"name":"KSTREAM-SOURCE-0000000002","type":"source","topics":["in"],)"
            R"("successors":["KSTREAM-SINK-0000000003"],"predecessors":[]},)"
            R"({"name":"KSTREAM-SINK-0000000003","type":"sink","topic":null,)"
            R"("successors":[],"predecessors":["KSTREAM-SOURCE-0000000002"]}]}],)"
            R"("globalStores":[{"id":0,"nodes":[)"
            R"({"name":"KSTREAM-SOURCE-0000000000","type":"source","topics":["zones"],)"
            R"("successors":["KTABLE-SOURCE-0000000001"],"predecessors":[]},)"
            R"({"name":"KTABLE-SOURCE-0000000001","type":"processor","stores":["zones-store"],)"
            R"("successors":[],"predecessors":["KSTREAM-SOURCE-0000000000"]}]}]})");
}

}  // namespace
}  // namespace muir::streams
