// ListAnswers: answers that may be long, made on a thread of their own: event loops only carry their bytes.
//
// All who ask for the same while it waits its turn get the same one, shared and not copied; it is made again only when
// the view has another version.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "apps/vts/view.h"
#include "net/http_server.h"

namespace muir::vts {

// Thread-safe. `view` outlives it.
class ListAnswers {
 public:
  using Make = std::function<net::HttpResponse()>;
  using Responder = std::shared_ptr<net::HttpResponder>;  // lives until it has answered

  explicit ListAnswers(const View& view);
  ~ListAnswers();  // drops who still waits
  ListAnswers(const ListAnswers&) = delete;
  ListAnswers& operator=(const ListAnswers&) = delete;

  // Answers with what `make` makes of the view as it is then, or later; `key` names what is asked for, with its
  // parameters.
  void answer(const std::string& key, Responder responder, Make make);
  // How many were ever made.
  [[nodiscard]] int64_t made() const;

 private:
  static constexpr size_t kKept = 4;  // answers of the newest version
  struct Asked {
    Make make;
    std::vector<Responder> responders;
  };
  struct Kept {
    std::string key;
    uint64_t version;
    net::HttpResponse response;
  };

  void run();
  // Of the thread.
  net::HttpResponse made_or_kept(const std::string& key, const Make& make);

  const View& view_;
  std::deque<Kept> kept_;  // of the thread
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::deque<std::string> turns_;
  std::map<std::string, Asked> asked_;
  int64_t made_ = 0;
  std::thread thread_;
};

}  // namespace muir::vts
