// A snapshot as programs read it: the page in the browser, and store_cli.
#ifndef ROLLCALL_STORE_HTTP_STATUS_JSON_H_
#define ROLLCALL_STORE_HTTP_STATUS_JSON_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "store/server/server_snapshot.h"

namespace rollcall::http {

inline constexpr char kJsonContentType[] = "application/json; charset=utf-8";

// What else the reader wants to know of a server.
struct ServerName {
  std::string address;  // "127.0.0.1:29500"
  std::string backend;  // "epoll"
};

// One object in ASCII, with the fields that docs/observe.md lists: names and meanings stay, new
// ones may come. Of one of the snapshot's name spaces, with the errors of that one alone; nullptr:
// of the default one, with the errors of all. At most about 200 KB for 65,536 ranks, 40 KB for
// 4,096. `rank`: one rank to tell more of, in the field "rank", which is null where nothing is
// known of it.
std::string StatusJson(const ServerSnapshot& snapshot, const NameSpaceSnapshot* name_space,
                       const ServerName& server, std::optional<int> rank);

// {"error": ...}
std::string ErrorJson(absl::string_view error);

}  // namespace rollcall::http

#endif  // ROLLCALL_STORE_HTTP_STATUS_JSON_H_
