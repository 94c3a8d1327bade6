// store_cli's commands that look at a server from outside: status and watch.
#ifndef ROLLCALL_TOOLS_STATUS_COMMAND_H_
#define ROLLCALL_TOOLS_STATUS_COMMAND_H_

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "net/address.h"
#include "net/env.h"

namespace rollcall::tools {

inline constexpr int kExitOfRanksAbsent = 4;

bool IsStatusCommand(absl::string_view word);

// "HOST:PORT", "http://HOST:PORT/": of the server's --http_port. InvalidArgument.
absl::StatusOr<net::Endpoint> ParseStatusAddress(absl::string_view text);

struct StatusView {
  std::ostream* out = nullptr;
  std::ostream* errors = nullptr;
  bool is_terminal = false;
};

// `words` is the command and what follows it: the server, and a name space of it, the default one
// if none is named. An exit status: 0, or kExitOfRanksAbsent if ranks are
// missing or gone; 1 for wrong usage, 2 if the server says why it cannot tell, 3 if it cannot be
// reached. `timeout` is for each look.
//
// "watch" looks every second: on a terminal it draws the report anew, else it writes a line
// whenever the summary changes. It ends with 3 if the first look fails that way, and then only when
// `out` does, with 0.
int RunStatusCommand(net::Env& env, const std::vector<std::string>& words, absl::Duration timeout,
                     const StatusView& view);

}  // namespace rollcall::tools

#endif  // ROLLCALL_TOOLS_STATUS_COMMAND_H_
