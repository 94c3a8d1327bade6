// What the files of scripts share. Private to the network twin.
#ifndef ROLLCALL_TESTING_NET_TWIN_SCRIPTS_H_
#define ROLLCALL_TESTING_NET_TWIN_SCRIPTS_H_

#include <string>

#include "absl/types/span.h"
#include "testing/net_twin.h"

namespace rollcall {

inline constexpr char kLocal[] = "127.0.0.1";

// Lets the last packets of a connection that is over pass, which nobody can wait for.
void LetPass(Twin& t);
// A port that nobody listens on, by the name of the socket that keeps it.
void KeepPort(Twin& t, const std::string& name);
void Listener(Twin& t, const std::string& name, int backlog);

// Each file's, in the order in which they run.
absl::Span<const TwinScript> TwinConnectScripts();
absl::Span<const TwinScript> TwinPortScripts();
absl::Span<const TwinScript> TwinEndScripts();
absl::Span<const TwinScript> TwinDataScripts();
absl::Span<const TwinScript> TwinOptionScripts();
absl::Span<const TwinScript> TwinEpollScripts();

}  // namespace rollcall

#endif  // ROLLCALL_TESTING_NET_TWIN_SCRIPTS_H_
