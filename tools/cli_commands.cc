#include "tools/cli_commands.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "store/tcp_store.h"
#include "tools/suggest.h"

namespace rollcall::tools {
namespace {

using Words = absl::Span<const std::string>;

constexpr size_t kAnyNumber = std::numeric_limits<size_t>::max();

struct Command {
  absl::string_view name;
  absl::string_view arguments;
  absl::string_view help;
  size_t arguments_min;
  size_t arguments_max;
  absl::StatusOr<CommandOutput> (*run)(Store& store, Words arguments);
};

CommandOutput Nothing() { return {}; }
CommandOutput Raw(std::string value) { return {std::move(value), true}; }
CommandOutput Line(absl::string_view text) { return {absl::StrCat(text, "\n"), false}; }
CommandOutput Number(int64_t number) { return Line(absl::StrCat(number)); }
CommandOutput Truth(bool truth) { return Line(truth ? "true" : "false"); }
CommandOutput Lines(const std::vector<std::string>& lines) {
  CommandOutput output;
  for (const std::string& line : lines) absl::StrAppend(&output.text, line, "\n");
  return output;
}

absl::StatusOr<int64_t> ParseInteger(absl::string_view what, const std::string& text) {
  int64_t number = 0;
  if (absl::SimpleAtoi(text, &number)) return number;
  return absl::InvalidArgumentError(
      absl::StrCat(what, " must be a whole number of at most 64 bits, got \"", text, "\""));
}

absl::StatusOr<CommandOutput> RunAdd(Store& store, Words arguments) {
  const absl::StatusOr<int64_t> delta = ParseInteger("N", arguments[1]);
  if (!delta.ok()) return delta.status();
  return Number(store.Add(arguments[0], *delta));
}

absl::StatusOr<CommandOutput> RunBarrier(Store& store, Words arguments) {
  const absl::StatusOr<int64_t> world_size = ParseInteger("WORLD_SIZE", arguments[1]);
  if (!world_size.ok()) return world_size.status();
  store.Barrier(arguments[0], *world_size);
  return Nothing();
}

absl::StatusOr<CommandOutput> RunMultiSet(Store& store, Words arguments) {
  if (arguments.size() % 2 != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("multi_set needs a value for each key, got ", arguments.size(), " words"));
  }
  std::vector<std::string> keys;
  std::vector<std::string> values;
  for (size_t i = 0; i < arguments.size(); i += 2) {
    keys.push_back(arguments[i]);
    values.push_back(arguments[i + 1]);
  }
  store.MultiSet(keys, values);
  return Nothing();
}

// In the order in which one meets them.
const Command kCommands[] = {
    {"set", "KEY VALUE", "stores VALUE under KEY", 2, 2,
     [](Store& store, Words words) -> absl::StatusOr<CommandOutput> {
       store.Set(words[0], words[1]);
       return Nothing();
     }},
    {"get", "KEY", "waits for KEY and prints its value", 1, 1,
     [](Store& store, Words words) -> absl::StatusOr<CommandOutput> {
       return Raw(store.Get(words[0]));
     }},
    {"add", "KEY N", "adds N to the number under KEY and prints the sum", 2, 2, RunAdd},
    {"compare_set", "KEY EXPECTED DESIRED",
     "stores DESIRED if the value is EXPECTED (\"\" also where KEY is missing); prints what KEY "
     "holds",
     3, 3,
     [](Store& store, Words words) -> absl::StatusOr<CommandOutput> {
       return Raw(store.CompareSet(words[0], words[1], words[2]));
     }},
    {"check", "KEY...", "prints whether every KEY is there, without waiting", 1, kAnyNumber,
     [](Store& store, Words words) -> absl::StatusOr<CommandOutput> {
       return Truth(store.Check(words));
     }},
    {"wait", "KEY...", "waits until every KEY has been there", 1, kAnyNumber,
     [](Store& store, Words words) -> absl::StatusOr<CommandOutput> {
       store.Wait(words);
       return Nothing();
     }},
    {"delete", "KEY", "deletes KEY; prints whether it was there", 1, 1,
     [](Store& store, Words words) -> absl::StatusOr<CommandOutput> {
       return Truth(store.DeleteKey(words[0]));
     }},
    {"num_keys", "", "prints how many keys there are", 0, 0,
     [](Store& store, Words) -> absl::StatusOr<CommandOutput> { return Number(store.NumKeys()); }},
    {"list_keys", "", "prints the keys, one a line", 0, 0,
     [](Store& store, Words) -> absl::StatusOr<CommandOutput> { return Lines(store.ListKeys()); }},
    {"append", "KEY VALUE", "appends VALUE to what KEY holds", 2, 2,
     [](Store& store, Words words) -> absl::StatusOr<CommandOutput> {
       store.Append(words[0], words[1]);
       return Nothing();
     }},
    {"multi_get", "KEY...", "waits for every KEY and prints the values, one a line", 1, kAnyNumber,
     [](Store& store, Words words) -> absl::StatusOr<CommandOutput> {
       return Lines(store.MultiGet(words));
     }},
    {"multi_set", "KEY VALUE [KEY VALUE...]", "stores every VALUE under its KEY, all at once", 2,
     kAnyNumber, RunMultiSet},
    {"queue_push", "KEY VALUE", "puts VALUE at the end of the queue KEY", 2, 2,
     [](Store& store, Words words) -> absl::StatusOr<CommandOutput> {
       store.QueuePush(words[0], words[1]);
       return Nothing();
     }},
    {"queue_pop", "KEY", "waits for a value in the queue KEY, takes and prints it", 1, 1,
     [](Store& store, Words words) -> absl::StatusOr<CommandOutput> {
       return Raw(store.QueuePop(words[0]));
     }},
    {"queue_len", "KEY", "prints how many values the queue KEY holds", 1, 1,
     [](Store& store, Words words) -> absl::StatusOr<CommandOutput> {
       return Number(store.QueueLen(words[0]));
     }},
    {"barrier", "KEY WORLD_SIZE", "waits until WORLD_SIZE callers have come; one use per KEY", 2, 2,
     RunBarrier},
    {"ping", "", "asks the server for a sign of life", 0, 0,
     [](Store& store, Words) -> absl::StatusOr<CommandOutput> {
       auto* tcp_store = dynamic_cast<TcpStore*>(&store);
       if (tcp_store == nullptr) {
         return absl::InvalidArgumentError("ping is for a server: a file gives no sign of life");
       }
       tcp_store->Ping();
       return Line("pong");
     }},
};

std::string Usage(const Command& command) {
  return command.arguments.empty() ? std::string(command.name)
                                   : absl::StrCat(command.name, " ", command.arguments);
}

absl::Status NoSuchCommand(const std::string& name) {
  std::vector<absl::string_view> names;
  for (const Command& command : kCommands) names.push_back(command.name);
  const absl::string_view nearest = NearestWord(name, names);
  return absl::InvalidArgumentError(
      absl::StrCat("no command \"", name, "\"",
                   nearest.empty() ? std::string() : absl::StrCat("; did you mean ", nearest, "?"),
                   " Commands: ", absl::StrJoin(names, ", ")));
}

absl::StatusOr<const Command*> FindCommand(Words words) {
  if (words.empty()) return absl::InvalidArgumentError("no command given; see --help");
  const auto* command = std::find_if(std::begin(kCommands), std::end(kCommands),
                                     [&](const Command& c) { return c.name == words[0]; });
  if (command == std::end(kCommands)) return NoSuchCommand(words[0]);
  const size_t arguments = words.size() - 1;
  if (arguments < command->arguments_min || arguments > command->arguments_max) {
    return absl::InvalidArgumentError(absl::StrCat("got ", arguments, " arguments to ",
                                                   command->name, "; usage: ", Usage(*command)));
  }
  return command;
}

}  // namespace

absl::Status CheckCommand(Words words) { return FindCommand(words).status(); }

absl::StatusOr<CommandOutput> RunCommand(Store& store, Words words) {
  const absl::StatusOr<const Command*> command = FindCommand(words);
  if (!command.ok()) return command.status();
  return (*command)->run(store, words.subspan(1));
}

absl::StatusOr<std::vector<std::string>> SplitLine(absl::string_view line) {
  std::vector<std::string> words;
  size_t at = 0;
  while (true) {
    while (at < line.size() && absl::ascii_isspace(line[at])) ++at;
    if (at == line.size() || line[at] == '#') return words;
    const bool quoted = line[at] == '"';
    size_t end = quoted ? at + 1 : at;
    while (end < line.size() && (quoted ? line[end] != '"' : !absl::ascii_isspace(line[end]))) {
      end += quoted && line[end] == '\\' && end + 1 < line.size() ? 2 : 1;
    }
    if (!quoted) {
      words.emplace_back(line.substr(at, end - at));
      at = end;
      continue;
    }
    if (end >= line.size()) {
      return absl::InvalidArgumentError(absl::StrCat("the quote at column ", at + 1, " is open"));
    }
    std::string word;
    std::string error;
    if (!absl::CUnescape(line.substr(at + 1, end - at - 1), &word, &error)) {
      return absl::InvalidArgumentError(
          absl::StrCat("in the quotes at column ", at + 1, ": ", error));
    }
    words.push_back(std::move(word));
    at = end + 1;
  }
}

std::string CommandsHelp() {
  size_t width = 0;
  for (const Command& command : kCommands) width = std::max(width, Usage(command).size());
  std::string help;
  for (const Command& command : kCommands) {
    const std::string usage = Usage(command);
    absl::StrAppend(&help, "  ", usage, std::string(width - usage.size() + 2, ' '), command.help,
                    "\n");
  }
  return help;
}

}  // namespace rollcall::tools
