#include "apps/vts/json_items.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace muir::vts {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

// Cuts the items of an array out, well formed or not: only strings and brackets are looked at.
class ItemCutter {
 public:
  // `text` begins with '['.
  explicit ItemCutter(std::string_view text) : text_(text) {}

  // The next item without the space around it; false after the last one.
  bool next() {
    if (ended_) return false;
    size_t depth = 0;
    bool in_string = false;
    const size_t begin = at_;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (in_string) {
        if (c == '\\') ++at_;
        in_string = c != '"';
      } else if (c == '"') {
        in_string = true;
      } else if (c == '[' || c == '{') {
        ++depth;
      } else if ((c == ']' || c == '}') && depth > 0) {
        --depth;
      } else if (depth == 0 && (c == ',' || c == ']')) {
        break;
      }
    }
    at_ = std::min(at_, text_.size());  // a backslash may be the last byte
    closed_ = at_ < text_.size() && text_[at_] == ']';
    ended_ = closed_ || at_ == text_.size();
    begin_ = std::min(text_.find_first_not_of(kSpace, begin), at_);
    const size_t last = at_ == 0 ? 0 : text_.find_last_not_of(kSpace, at_ - 1);
    item_ = text_.substr(begin_, last + 1 > begin_ ? last + 1 - begin_ : 0);
    ++at_;
    ++count_;
    return true;
  }

  [[nodiscard]] std::string_view item() const { return item_; }
  [[nodiscard]] size_t begin() const { return begin_; }
  [[nodiscard]] size_t index() const { return count_ - 1; }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] bool last() const { return ended_; }
  // Behind the closing bracket.
  [[nodiscard]] std::string_view rest() const { return text_.substr(std::min(at_, text_.size())); }

 private:
  const std::string_view text_;
  size_t at_ = 1;
  size_t begin_ = 0;
  std::string_view item_;
  size_t count_ = 0;
  bool closed_ = false;
  bool ended_ = false;
};

BadItem placed(std::string_view text, size_t at, std::optional<size_t> index, std::string why) {
  const std::string_view before = text.substr(0, at);
  const size_t line_begin = before.rfind('\n');
  return {.index = index,
          .line = 1 + static_cast<size_t>(std::count(before.begin(), before.end(), '\n')),
          .column = at - (line_begin == std::string_view::npos ? 0 : line_begin + 1) + 1,
          .why = std::move(why)};
}

}  // namespace

BadItem find_bad_item(std::string_view text, const ItemCheck& check) {
  const size_t begin = std::min(text.find_first_not_of(kSpace), text.size());
  if (!text.substr(begin).starts_with('[')) return placed(text, begin, std::nullopt, check(text));
  ItemCutter items(text.substr(begin));
  while (items.next()) {
    const size_t at = begin + items.begin();
    if (items.item().empty()) {
      if (items.index() == 0 && items.closed()) break;  // an empty array
      return placed(text, at, items.index(),
                    items.last() && !items.closed() ? "the array has no end" : "nothing is here");
    }
    if (std::string why = check(items.item()); !why.empty()) return placed(text, at, items.index(), std::move(why));
    if (items.last() && !items.closed()) return placed(text, at, items.index(), "the array has no end after it");
  }
  const size_t extra = items.rest().find_first_not_of(kSpace);
  const size_t at = text.size() - items.rest().size() + (extra == std::string_view::npos ? 0 : extra);
  return placed(text, at, std::nullopt, extra == std::string_view::npos ? "" : "something follows the array");
}

size_t nesting_of(std::string_view text) {
  size_t depth = 0;
  size_t deepest = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

std::string to_string(const BadItem& item) {
  const std::string place = fmt::format("line {}, column {}", item.line, item.column);
  return item.index ? fmt::format("item {} ({}): {}", *item.index, place, item.why)
                    : fmt::format("{}: {}", place, item.why);
}

int fuzz_json_items(BytesView input) {
  size_t items = 0;
  const BadItem bad = find_bad_item(input, [&](std::string_view item) {
    ++items;
    return item.find("bad") != std::string_view::npos ? std::string("bad") : std::string();
  });
  MUIR_CHECK(items <= input.size() + 1 && bad.line >= 1 && bad.column >= 1, "a place outside of the text");
  MUIR_CHECK(bad.line <= input.size() + 1 && bad.column <= input.size() + 1, "a place outside of the text");
  return bad.why == "bad" ? 1 : 0;
}

}  // namespace muir::vts
