// Reading, writing, and how a connection ends.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "testing/event_loop_contract.h"

namespace rollcall {
namespace {

using net::Connection;
using net::NetErrorKind;

constexpr size_t kBigBytes = 8 << 20;  // More than two socket buffers hold.

TEST_P(EventLoopContract, Echoes) {
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.on_accept = LoopScenario::Echo;
    scenario.Listen();
    const std::unique_ptr<Connection> client = scenario.Connect();
    for (const char* const word : {"one", "two", "three"}) {
      scenario.Send(*client, word);
      EXPECT_EQ(scenario.Receive(*client, std::string(word).size()), word);
    }
  });
}

TEST_P(EventLoopContract, KnowsItsPeersAddress) {
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.Listen();
    const std::unique_ptr<Connection> client = scenario.ConnectAndMeet();
    scenario.OnLoop([&] {
      EXPECT_EQ(scenario.session(0).stream->peer_address().ToString(),
                client->local_address().ToString());
    });
  });
}

TEST_P(EventLoopContract, KeepsWhatComesBeforeTheStart) {
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.on_accept = [](Session&) {};
    scenario.Listen();
    const std::unique_ptr<Connection> client = scenario.ConnectAndMeet();
    scenario.Send(*client, "early");
    scenario.OnLoop([&] {
      EXPECT_EQ(scenario.session(0).received, "");
      scenario.session(0).stream->Start(&scenario.session(0));
    });
    EXPECT_TRUE(scenario.Eventually([&] { return scenario.session(0).received == "early"; }));
  });
}

TEST_P(EventLoopContract, ClosesAStreamThatWasNeverStarted) {
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.on_accept = [](Session&) {};
    scenario.Listen();
    const std::unique_ptr<Connection> client = scenario.ConnectAndMeet();
    scenario.EndSessions();
    EXPECT_EQ(scenario.ReceiveAll(*client), "");
  });
}

TEST_P(EventLoopContract, ReadsEightMegabytes) {
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.Listen();
    const std::unique_ptr<Connection> client = scenario.Connect();
    const std::string bytes = Pattern(kBigBytes);
    scenario.Send(*client, bytes);
    ASSERT_TRUE(scenario.Eventually([&] {
      return scenario.sessions().size() == 1 && scenario.session(0).received.size() >= kBigBytes;
    }));
    scenario.OnLoop([&] { EXPECT_TRUE(scenario.session(0).received == bytes); });
  });
}

// A loop may use the room that its owner offers, or not: what comes is the same.
TEST_P(EventLoopContract, ReadsIntoItsOwnersRoom) {
  for (const size_t room_bytes : {size_t{1}, size_t{1000}, size_t{1} << 20}) {
    WithRunningLoop([room_bytes](LoopScenario& scenario) {
      scenario.on_accept = [room_bytes](Session& session) {
        session.room_bytes = room_bytes;
        session.stream->Start(&session);
      };
      scenario.Listen();
      const std::unique_ptr<Connection> client = scenario.Connect();
      const std::string bytes = Pattern(std::min(kBigBytes, 2000 * room_bytes));
      scenario.Send(*client, bytes);
      ASSERT_TRUE(scenario.Eventually([&] {
        return scenario.sessions().size() == 1 &&
               scenario.session(0).received.size() >= bytes.size();
      }));
      scenario.OnLoop([&] { EXPECT_TRUE(scenario.session(0).received == bytes); });
    });
  }
}

// --- Writing to a slow reader ---

TEST_P(EventLoopContract, WritesToASlowReaderAndTellsOnceWhenAllIsTaken) {
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.Listen();
    const std::unique_ptr<Connection> client = scenario.ConnectAndMeet();
    const std::string bytes = Pattern(kBigBytes);
    size_t unsent = 0;
    scenario.OnLoop([&] {
      net::Stream& stream = *scenario.session(0).stream;
      EXPECT_EQ(stream.unsent_bytes(), 0u);
      stream.Write(bytes);
      stream.Write("tail");
      unsent = stream.unsent_bytes();
      EXPECT_GT(unsent, 4u);
      EXPECT_LE(unsent, kBigBytes + 4);
      EXPECT_EQ(scenario.session(0).times_drained, 0);
    });
    std::string received = scenario.Receive(*client, kBigBytes / 2);
    EXPECT_TRUE(
        scenario.Eventually([&] { return scenario.session(0).stream->unsent_bytes() < unsent; }));
    received += scenario.Receive(*client, kBigBytes / 2 + 4);
    EXPECT_TRUE(received == bytes + "tail");
    EXPECT_TRUE(scenario.Eventually([&] { return scenario.session(0).times_drained > 0; }));
    scenario.OnLoop([&] { EXPECT_EQ(scenario.session(0).stream->unsent_bytes(), 0u); });
    scenario.OnLoop([&] { EXPECT_EQ(scenario.session(0).times_drained, 1); });
  });
}

TEST_P(EventLoopContract, WritesPartsInOrderWhereverTheKernelStopsTakingThem) {
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.Listen();
    const std::unique_ptr<Connection> client = scenario.ConnectAndMeet();
    const std::string bytes = Pattern(kBigBytes);
    scenario.OnLoop([&] {
      net::Stream& stream = *scenario.session(0).stream;
      stream.WriteParts({"head", "", bytes, "tail"});
      EXPECT_GT(stream.unsent_bytes(), 4u);
      stream.WriteParts({"more", "of it"});
      // More than a kernel takes in one call.
      stream.WriteParts(std::vector<absl::string_view>(2000, "."));
    });
    const std::string expected = "head" + bytes + "tail" + "moreof it" + std::string(2000, '.');
    EXPECT_TRUE(scenario.Receive(*client, expected.size()) == expected);
    scenario.OnLoop(
        [&] { scenario.session(0).stream->WriteParts(std::vector<absl::string_view>(2000, "+")); });
    EXPECT_EQ(scenario.Receive(*client, 2000), std::string(2000, '+'));
  });
}

TEST_P(EventLoopContract, KeepsManySmallWritesInOrder) {
  static constexpr size_t kPieceBytes = 1000;
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.Listen();
    const std::unique_ptr<Connection> client = scenario.ConnectAndMeet();
    const std::string bytes = Pattern(kBigBytes);
    scenario.OnLoop([&] {
      for (size_t i = 0; i < bytes.size(); i += kPieceBytes) {
        scenario.session(0).stream->Write(absl::string_view(bytes).substr(i, kPieceBytes));
      }
    });
    EXPECT_TRUE(scenario.Receive(*client, kBigBytes) == bytes);
  });
}

TEST_P(EventLoopContract, WritesAgainFromOnDrained) {
  static constexpr int kWrites = 3;
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.Listen();
    const std::unique_ptr<Connection> client = scenario.ConnectAndMeet();
    const std::string bytes = Pattern(kBigBytes);
    int writes = 1;
    scenario.OnLoop([&] {
      Session& session = scenario.session(0);
      session.on_drained = [&] {
        // While the client reads, a write may be done at once: then no OnDrained follows it.
        while (writes < kWrites && session.stream->unsent_bytes() == 0) {
          ++writes;
          session.stream->Write(bytes);
        }
      };
      session.stream->Write(bytes);
    });
    for (int i = 0; i < kWrites; ++i) EXPECT_TRUE(scenario.Receive(*client, kBigBytes) == bytes);
    scenario.EndSessions();
  });
}

// --- Pausing ---

TEST_P(EventLoopContract, ReadsNothingWhilePaused) {
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.Listen();
    const std::unique_ptr<Connection> client = scenario.ConnectAndMeet();
    scenario.OnLoop([&] { scenario.session(0).stream->PauseReading(); });
    scenario.Send(*client, "while paused");
    ASSERT_EQ(client->ShutdownWrite(), absl::OkStatus());
    // Others are served meanwhile, and the paused one can be written to.
    const std::unique_ptr<Connection> other = scenario.ConnectAndMeet();
    scenario.Send(*other, "other");
    EXPECT_TRUE(scenario.Eventually([&] { return scenario.session(1).received == "other"; }));
    scenario.OnLoop([&] {
      EXPECT_EQ(scenario.session(0).received, "");
      EXPECT_EQ(scenario.session(0).times_ended, 0);
      scenario.session(0).stream->Write("answer");
    });
    EXPECT_EQ(scenario.Receive(*client, 6), "answer");
    scenario.OnLoop([&] { scenario.session(0).stream->ResumeReading(); });
    EXPECT_TRUE(scenario.Eventually([&] { return scenario.session(0).times_ended == 1; }));
    scenario.OnLoop([&] { EXPECT_EQ(scenario.session(0).received, "while paused"); });
  });
}

TEST_P(EventLoopContract, StopsReadingAtOnceWhenPausedInOnBytes) {
  WithRunningLoop([](LoopScenario& scenario) {
    int calls = 0;
    scenario.on_accept = [&calls](Session& session) {
      session.on_bytes = [&session, &calls](absl::string_view) {
        ++calls;
        session.stream->PauseReading();
      };
      session.stream->Start(&session);
    };
    scenario.Listen();
    const std::unique_ptr<Connection> client = scenario.ConnectAndMeet();
    const std::string bytes = Pattern(1 << 20);
    const std::unique_ptr<net::Thread> sender =
        scenario.StartThread([&] { scenario.Send(*client, bytes); });
    ASSERT_TRUE(scenario.Eventually([&] { return calls == 1; }));
    for (int i = 0; i < 20; ++i) scenario.OnLoop([&] { EXPECT_EQ(calls, 1); });
    scenario.OnLoop([&] {
      scenario.session(0).on_bytes = nullptr;
      scenario.session(0).stream->ResumeReading();
    });
    EXPECT_TRUE(
        scenario.Eventually([&] { return scenario.session(0).received.size() == bytes.size(); }));
    scenario.OnLoop([&] { EXPECT_TRUE(scenario.session(0).received == bytes); });
  });
}

// --- Ends ---

TEST_P(EventLoopContract, TellsTheEndOnceAndCanStillBeWrittenTo) {
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.Listen();
    const std::unique_ptr<Connection> client = scenario.ConnectAndMeet();
    const std::string bytes = Pattern(kBigBytes);
    scenario.OnLoop([&] {
      Session& session = scenario.session(0);
      session.on_end = [&] { session.stream->Write(bytes); };
      session.on_drained = [&] { session.stream->Close(); };
    });
    scenario.Send(*client, "last words");
    ASSERT_EQ(client->ShutdownWrite(), absl::OkStatus());
    ASSERT_TRUE(scenario.Eventually([&] { return scenario.session(0).times_ended == 1; }));
    EXPECT_TRUE(scenario.ReceiveAll(*client) == bytes);
    scenario.OnLoop([&] {
      EXPECT_EQ(scenario.session(0).received, "last words");
      EXPECT_EQ(scenario.session(0).times_ended, 1);
      EXPECT_EQ(scenario.session(0).times_drained, 1);
      EXPECT_EQ(scenario.session(0).why, absl::OkStatus());
    });
  });
}

TEST_P(EventLoopContract, TellsThatThePeerResetTheConnection) {
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.Listen();
    std::unique_ptr<Connection> client = scenario.ConnectAndMeet();
    scenario.Send(*client, "x");
    scenario.OnLoop([&] { scenario.session(0).stream->Write("never read"); });
    ASSERT_TRUE(scenario.Eventually([&] { return scenario.session(0).received == "x"; }));
    client.reset();  // With bytes unread, which makes it a reset.
    ASSERT_TRUE(scenario.Eventually([&] { return scenario.session(0).times_ended == 1; }));
    scenario.OnLoop([&] {
      EXPECT_EQ(KindOf(scenario.session(0).why), NetErrorKind::kReset) << scenario.session(0).why;
      EXPECT_EQ(net::GetNetErrorInfo(scenario.session(0).why)->address,
                scenario.session(0).stream->peer_address().ToString());
      scenario.session(0).stream->Write("into the void");
      EXPECT_EQ(scenario.session(0).stream->unsent_bytes(), 0u);
    });
    scenario.OnLoop([&] { EXPECT_EQ(scenario.session(0).times_ended, 1); });
  });
}

TEST_P(EventLoopContract, TellsAfterwardsThatAWriteFailed) {
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.Listen();
    std::unique_ptr<Connection> client = scenario.ConnectAndMeet();
    scenario.OnLoop([&] {
      scenario.session(0).stream->PauseReading();
      scenario.session(0).stream->Write("never read");
    });
    scenario.WhileLoopIsBusy([&] { client.reset(); });
    // Whatever the loop has noticed by then: no callback inside Write, one OnEnd in all.
    for (int i = 0; i < 3; ++i) {
      scenario.OnLoop([&] {
        const int before = scenario.session(0).times_ended;
        scenario.session(0).stream->Write("more");
        EXPECT_EQ(scenario.session(0).times_ended, before);
      });
    }
    ASSERT_TRUE(scenario.Eventually([&] { return scenario.session(0).times_ended == 1; }));
    scenario.OnLoop([&] {
      const NetErrorKind kind = KindOf(scenario.session(0).why);
      EXPECT_TRUE(kind == NetErrorKind::kReset || kind == NetErrorKind::kClosedByPeer)
          << scenario.session(0).why;
    });
  });
}

TEST_P(EventLoopContract, DrainsAfterTheEndEvenIfThePeerGoesWithoutReading) {
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.Listen();
    std::unique_ptr<Connection> client = scenario.ConnectAndMeet();
    const std::string bytes = Pattern(kBigBytes);
    scenario.OnLoop(
        [&] { scenario.session(0).on_end = [&] { scenario.session(0).stream->Write(bytes); }; });
    ASSERT_EQ(client->ShutdownWrite(), absl::OkStatus());
    ASSERT_TRUE(scenario.Eventually([&] { return scenario.session(0).times_ended == 1; }));
    scenario.OnLoop([&] { EXPECT_GT(scenario.session(0).stream->unsent_bytes(), 0u); });
    client.reset();
    EXPECT_TRUE(scenario.Eventually([&] { return scenario.session(0).times_drained == 1; }));
    scenario.OnLoop([&] {
      EXPECT_EQ(scenario.session(0).stream->unsent_bytes(), 0u);
      EXPECT_EQ(scenario.session(0).times_ended, 1);
    });
  });
}

TEST_P(EventLoopContract, CallsNobodyAfterClose) {
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.Listen();
    const std::unique_ptr<Connection> client = scenario.ConnectAndMeet();
    scenario.OnLoop([&] {
      Session& session = scenario.session(0);
      session.on_bytes = [&](absl::string_view) {
        session.stream->Write(Pattern(kBigBytes));
        session.stream->Close();
        session.stream->Close();
        session.stream->Write("no");
        session.stream->PauseReading();
        session.stream->ResumeReading();
        EXPECT_EQ(session.stream->unsent_bytes(), 0u);
      };
    });
    scenario.Send(*client, "go");
    scenario.ReceiveAll(*client);
    scenario.OnLoop([&] {
      EXPECT_EQ(scenario.session(0).received, "go");
      EXPECT_EQ(scenario.session(0).times_ended, 0);
      EXPECT_EQ(scenario.session(0).times_drained, 0);
    });
  });
}

TEST_P(EventLoopContract, ForgetsWhatHasComeForAStreamThatAnotherClosesOrDestroys) {
  for (const bool destroys : {false, true}) {
    WithRunningLoop([destroys](LoopScenario& scenario) {
      scenario.Listen();
      std::vector<std::unique_ptr<Connection>> clients;
      for (int i = 0; i < 4; ++i) clients.push_back(scenario.ConnectAndMeet());
      int heard = 0;
      scenario.OnLoop([&] {
        for (auto& session : scenario.sessions()) {
          Session* const self = session.get();
          self->on_bytes = [&, self](absl::string_view) {
            ++heard;
            for (auto& other : scenario.sessions()) {
              if (other.get() == self) continue;
              if (destroys) {
                other->stream.reset();
              } else {
                other->stream->Close();
              }
            }
          };
        }
      });
      scenario.WhileLoopIsBusy([&] {
        for (auto& client : clients) scenario.Send(*client, "x");
      });
      ASSERT_TRUE(scenario.Eventually([&] { return heard > 0; }));
      for (int i = 0; i < 5; ++i) scenario.OnLoop([&] { EXPECT_EQ(heard, 1); });
    });
  }
}

TEST_P(EventLoopContract, LetsAStreamBeDestroyedByAPostFromItsOwnEnd) {
  WithRunningLoop([](LoopScenario& scenario) {
    bool destroyed = false;
    scenario.on_accept = [&](Session& session) {
      session.on_end = [&] {
        session.stream->Close();
        scenario.loop().Post([&] {
          session.stream.reset();
          destroyed = true;
        });
      };
      session.stream->Start(&session);
    };
    scenario.Listen();
    scenario.ConnectAndMeet().reset();
    EXPECT_TRUE(scenario.Eventually([&] { return destroyed; }));
  });
}

// --- Fairness ---

TEST_P(EventLoopContract, ReadsInTurnsFromThoseWhoHaveSentMuch) {
  static constexpr size_t kBytesEach = 1 << 20;  // The sockets' buffers hold that.
  WithRunningLoop([](LoopScenario& scenario) {
    scenario.Listen();
    std::vector<std::unique_ptr<Connection>> clients;
    for (int i = 0; i < 2; ++i) clients.push_back(scenario.ConnectAndMeet());
    size_t other_had_when_first_was_done = 0;
    scenario.OnLoop([&] {
      for (auto& session : scenario.sessions()) {
        session->on_bytes = [&, self = session.get()](absl::string_view) {
          if (self->received.size() < kBytesEach || other_had_when_first_was_done > 0) return;
          for (auto& other : scenario.sessions()) {
            if (other.get() != self) other_had_when_first_was_done = other->received.size();
          }
        };
      }
    });
    scenario.WhileLoopIsBusy([&] {
      for (auto& client : clients) scenario.Send(*client, std::string(kBytesEach, 'x'));
    });
    EXPECT_TRUE(scenario.Eventually([&] {
      return scenario.session(0).received.size() + scenario.session(1).received.size() ==
             2 * kBytesEach;
    }));
    EXPECT_GT(other_had_when_first_was_done, 0u);
    scenario.EndSessions();
  });
}

TEST_P(EventLoopContract, ServesOthersTimersAndPostsDuringAFlood) {
  WithRunningLoop([](LoopScenario& scenario) {
    bool flooded = false;
    size_t flood_bytes = 0;
    scenario.on_accept = [&](Session& session) {
      if (flooded) return LoopScenario::Echo(session);
      flooded = true;
      session.on_bytes = [&](absl::string_view bytes) {
        flood_bytes += bytes.size();
        session.received.clear();
      };
      session.stream->Start(&session);
    };
    scenario.Listen();
    const std::unique_ptr<Connection> flooder = scenario.ConnectAndMeet();
    const std::unique_ptr<net::Thread> flood = scenario.StartThread([&] {
      const std::string bytes(1 << 20, 'f');
      while (flooder->Write(bytes, scenario.env().Now() + kPatience).ok()) {
      }
    });
    ASSERT_TRUE(scenario.Eventually([&] { return flood_bytes > 0; }));
    const std::unique_ptr<Connection> client = scenario.Connect();
    for (int i = 0; i < 100; ++i) {
      scenario.Send(*client, "ping");
      ASSERT_EQ(scenario.Receive(*client, 4), "ping");
    }
    EXPECT_TRUE(scenario.Eventually([] { return true; }));
    flooder->Shutdown();
    scenario.EndSessions();
  });
}

}  // namespace
}  // namespace rollcall
