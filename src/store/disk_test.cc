// Stores in RocksDB on a disk that is full, breaks, changes bytes, or loses what was not made durable.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "base/file_fault.h"
#include "store/key_value_store.h"

namespace muir::store {
namespace {

using Rows = std::map<std::string, std::string>;
const std::string kFolder = "/state/s";

std::unique_ptr<KeyValueStore> open_store(Env& disk) {
  auto store = make_key_value_store({.name = "s", .kind = StoreKind::rocksdb, .format = ValueFormat::plain});
  const Status status = store->open(kFolder, disk);
  EXPECT_TRUE(status.ok()) << status.to_string();
  return store;
}

void put(KeyValueStore& store, const std::string& key, const std::string& value) {
  const Status status = store.put(key, BytesView(value), -1);
  ASSERT_TRUE(status.ok()) << status.to_string();
}

Rows rows_of(KeyValueStore& store) {
  Rows rows;
  auto all = store.range(std::nullopt, std::nullopt, Order::ascending);
  EXPECT_TRUE(all.ok()) << all.status().to_string();
  if (!all.ok()) return rows;
  while ((*all)->next()) rows[std::string((*all)->key())] = std::string((*all)->value());
  EXPECT_TRUE((*all)->status().ok()) << (*all)->status().to_string();
  return rows;
}

// Power is lost while the store is open: what its process would still do reaches no disk.
void lose_power(FaultEnv& disk, std::unique_ptr<KeyValueStore> store, uint64_t seed) {
  disk.fail_writes_after(0);
  disk.fail_syncs(true);
  store.reset();
  disk.crash(seed);
}

TEST(StoreOnADisk, HoldsAfterALossOfPowerWhatWasSynced) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 random(seed);
    FaultEnv disk;
    Rows durable;
    for (int power = 0; power < 3; ++power) {
      auto store = open_store(disk);
      ASSERT_EQ(rows_of(*store), durable);
      Rows rows = durable;
      for (int i = 0; i < 200; ++i) {
        const std::string key = fmt::format("k{}", random() % 50);
        if (random() % 5 == 0) {
          ASSERT_TRUE(store->put(key, std::nullopt, -1).ok());
          rows.erase(key);
        } else {
          rows[key] = fmt::format("{}-{}", power, i);
          put(*store, key, rows[key]);
        }
        if (random() % 40 == 0) {
          const Status synced = store->sync();
          ASSERT_TRUE(synced.ok()) << synced.to_string();
          durable = rows;
        }
      }
      lose_power(disk, std::move(store), seed);
    }
  }
}

TEST(StoreOnADisk, ADiskThatRefusesFailsTheSyncAndKeepsWhatWasThere) {
  struct Row {
    const char* name;
    void (*breaks)(FaultEnv&);
  };
  for (const Row& row : {Row{"a full disk", [](FaultEnv& disk) { disk.fail_writes_after(0); }},
                         Row{"a disk that fills up", [](FaultEnv& disk) { disk.fail_writes_after(1); }},
                         Row{"a sync that fails", [](FaultEnv& disk) { disk.fail_syncs(true); }}}) {
    SCOPED_TRACE(row.name);
    FaultEnv disk;
    auto store = open_store(disk);
    put(*store, "a", "1");
    ASSERT_TRUE(store->sync().ok());
    put(*store, "a", "2");
    put(*store, "b", "2");
    row.breaks(disk);
    const Status synced = store->sync();
    EXPECT_EQ(synced.code(), Code::io_error) << synced.to_string();
    EXPECT_NE(synced.message().find("store s"), std::string::npos) << synced.message();
    // Reading goes on.
    EXPECT_EQ(rows_of(*store), (Rows{{"a", "2"}, {"b", "2"}}));
    lose_power(disk, std::move(store), 1);
    store = open_store(disk);
    EXPECT_EQ(rows_of(*store), (Rows{{"a", "1"}}));
    put(*store, "a", "3");
    EXPECT_TRUE(store->sync().ok());
    lose_power(disk, std::move(store), 2);
    EXPECT_EQ(rows_of(*open_store(disk)), (Rows{{"a", "3"}}));
  }
}

TEST(StoreOnADisk, AReadThatFailsIsAFailureAndNoAbsence) {
  FaultEnv disk;
  {
    auto store = open_store(disk);
    put(*store, "a", "1");
    ASSERT_TRUE(store->sync().ok());
    ASSERT_TRUE(store->close().ok());
  }
  auto store = open_store(disk);
  disk.fail_reads(true);
  ValueAndTimestamp out;
  const auto found = store->get("a", out);
  EXPECT_EQ(found.status().code(), Code::io_error) << found.status().to_string();
  disk.fail_reads(false);
  EXPECT_EQ(rows_of(*store), (Rows{{"a", "1"}}));
}

// The files of a store whose names end so.
std::vector<std::string> files_of(FaultEnv& disk, const std::string& ending) {
  std::vector<std::string> out;
  const auto names = disk.list(kFolder);
  EXPECT_TRUE(names.ok());
  if (!names.ok()) return out;
  for (const std::string& name : *names) {
    if (name.ends_with(ending)) out.push_back(kFolder + "/" + name);
  }
  return out;
}

// Wherever in a file of rows a bit is not what was written, the store answers what it was given or tells that data is
// lost; it never answers anything else, nor that there is nothing.
TEST(StoreOnADisk, AFlippedBitIsNeverRead) {
  FaultEnv disk;
  Rows rows;
  {
    auto store = open_store(disk);
    for (int i = 0; i < 50; ++i) {
      const std::string key = fmt::format("key-{:02}", i);
      rows[key] = fmt::format("value-{}", i);
      put(*store, key, rows[key]);
    }
    ASSERT_TRUE(store->sync().ok());
    ASSERT_TRUE(store->close().ok());
  }
  const auto tables = files_of(disk, ".sst");
  ASSERT_EQ(tables.size(), 1u);
  const Bytes whole = *disk.read_file(tables[0]);
  int lost = 0;
  for (size_t at = 0; at < whole.size(); at += 97) {
    SCOPED_TRACE(fmt::format("byte {} of {}", at, whole.size()));
    Bytes flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    ASSERT_TRUE(disk.write_file(tables[0], flipped).ok());
    auto store = make_key_value_store({.name = "s", .kind = StoreKind::rocksdb, .format = ValueFormat::plain});
    if (const Status opened = store->open(kFolder, disk); !opened.ok()) {
      EXPECT_EQ(opened.code(), Code::data_loss) << opened.to_string();
      ++lost;
      continue;
    }
    bool any_lost = false;
    ValueAndTimestamp out;
    for (const auto& [key, value] : rows) {
      const auto found = store->get(key, out);
      if (found.ok()) {
        EXPECT_TRUE(*found && out.value == value) << key;
      } else {
        EXPECT_EQ(found.status().code(), Code::data_loss) << found.status().to_string();
        any_lost = true;
      }
    }
    Rows seen;
    auto all = store->range(std::nullopt, std::nullopt, Order::ascending);
    ASSERT_TRUE(all.ok()) << all.status().to_string();
    while ((*all)->next()) seen[std::string((*all)->key())] = std::string((*all)->value());
    if ((*all)->status().ok()) {
      EXPECT_EQ(seen, rows);
    } else {
      EXPECT_EQ((*all)->status().code(), Code::data_loss) << (*all)->status().to_string();
      any_lost = true;
    }
    lost += any_lost ? 1 : 0;
  }
  EXPECT_GT(lost, 3);
}

TEST(StoreOnADisk, WhatIsGoneIsToldAtTheOpening) {
  for (const char* name : {"MANIFEST", ".sst"}) {
    SCOPED_TRACE(name);
    FaultEnv disk;
    {
      auto store = open_store(disk);
      put(*store, "a", "1");
      ASSERT_TRUE(store->sync().ok());
      ASSERT_TRUE(store->close().ok());
    }
    const std::vector<std::string> files = *disk.list(kFolder);
    for (const std::string& file : files) {
      if (file.find(name) == std::string::npos) continue;
      ASSERT_TRUE(disk.remove(kFolder + "/" + file).ok());
    }
    auto store = make_key_value_store({.name = "s", .kind = StoreKind::rocksdb, .format = ValueFormat::plain});
    const Status opened = store->open(kFolder, disk);
    EXPECT_FALSE(opened.ok());
    EXPECT_NE(opened.message().find("open store s"), std::string::npos) << opened.message();
  }
}

TEST(StoreOnADisk, AFolderIsOfOneStoreAtATime) {
  FaultEnv disk;
  auto store = open_store(disk);
  put(*store, "a", "1");
  ASSERT_TRUE(store->sync().ok());
  auto another = make_key_value_store({.name = "s", .kind = StoreKind::rocksdb, .format = ValueFormat::plain});
  EXPECT_EQ(another->open(kFolder, disk).code(), Code::io_error);
  ASSERT_TRUE(store->close().ok());
  EXPECT_TRUE(another->open(kFolder, disk).ok());
}

}  // namespace
}  // namespace muir::store
