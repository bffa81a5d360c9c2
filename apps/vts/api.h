// Api: the REST interface under /api/v1 as a table of routes, answered from the view.
#pragma once

#include <string>
#include <vector>

#include "apps/vts/gateway.h"
#include "apps/vts/list_answers.h"
#include "apps/vts/master_writer.h"
#include "apps/vts/stats.h"
#include "apps/vts/view.h"
#include "client/topic_log.h"
#include "net/rest.h"

namespace muir::vts {

// Thread-safe; everything it refers to outlives the server.
class Api {
 public:
  Api(Gateway& gateway, MasterWriter& master, client::TopicLog& zones, View& view, StatsBoard& board)
      : gateway_(gateway), master_(master), zones_log_(zones), view_(view), board_(board), lists_(view) {}
  // All operations. They refer to this.
  [[nodiscard]] std::vector<net::RestRoute> routes();

 private:
  using Call = std::shared_ptr<net::RestCall>;
  using Routes = std::vector<net::RestRoute>;
  using Parameters = std::vector<std::string>;  // what the query may name
  using Answer = net::RestAnswer (Api::*)(const net::RestCall&) const;
  using Begin = void (Api::*)(const Call&);

  // A GET of something short, answered at once.
  void add(Routes& routes, std::string path, Parameters parameters, Answer answer);
  // A GET of something that may be long.
  void add_list(Routes& routes, std::string path, Parameters parameters, Answer answer);
  // What waits for the cluster.
  void add_write(Routes& routes, std::string method, std::string path, Begin begin);

  [[nodiscard]] net::RestAnswer vehicles(const net::RestCall& call) const;
  [[nodiscard]] net::RestAnswer vehicle(const net::RestCall& call) const;
  [[nodiscard]] net::RestAnswer location(const net::RestCall& call) const;
  [[nodiscard]] net::RestAnswer speed(const net::RestCall& call) const;
  [[nodiscard]] net::RestAnswer trail(const net::RestCall& call) const;
  [[nodiscard]] net::RestAnswer zones(const net::RestCall& call) const;
  [[nodiscard]] net::RestAnswer zone_vehicles(const net::RestCall& call) const;
  [[nodiscard]] net::RestAnswer alerts(const net::RestCall& call) const;
  [[nodiscard]] net::RestAnswer dead_letters(const net::RestCall& call) const;
  [[nodiscard]] net::RestAnswer stats(const net::RestCall& call) const;
  void post_positions(const Call& call);
  void put_vehicle(const Call& call);
  // Answered when the view does not show it any more.
  void delete_vehicle(const Call& call);
  void put_zone(const Call& call);
  void delete_zone(const Call& call);
  // Answers when the view shows the zone as it was written.
  MasterWriter::OnDone answer_when_shown(const Call& call, const std::string& id);

  Gateway& gateway_;
  MasterWriter& master_;
  client::TopicLog& zones_log_;
  View& view_;
  StatsBoard& board_;
  ListAnswers lists_;
};

}  // namespace muir::vts
