#include "testing/net_twin_scripts.h"

#include <vector>

#include "absl/time/time.h"

namespace rollcall {

void LetPass(Twin& t) { t.calls().Poll(nullptr, 0, absl::Milliseconds(5)); }

void KeepPort(Twin& t, const std::string& name) {
  t.Socket(name);
  t.Bind(name, kLocal);
}

void Listener(Twin& t, const std::string& name, int backlog) {
  t.Socket(name);
  t.Bind(name, kLocal);
  t.Listen(name, backlog);
}

std::vector<TwinScript> TwinScripts() {
  std::vector<TwinScript> all;
  for (const absl::Span<const TwinScript> scripts :
       {TwinConnectScripts(), TwinPortScripts(), TwinEndScripts(), TwinDataScripts(),
        TwinOptionScripts(), TwinEpollScripts()}) {
    all.insert(all.end(), scripts.begin(), scripts.end());
  }
  return all;
}

}  // namespace rollcall
