#include "store/file_store.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "net/real_env.h"
#include "store/error_code.h"
#include "testing/dist_error_matchers.h"
#include "testing/temp_directory.h"

namespace rollcall {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

class FileStoreTest : public testing::Test {
 protected:
  std::unique_ptr<FileStore> Open(int world_size = -1) {
    return std::make_unique<FileStore>(net::RealEnv(), path_, world_size, absl::Seconds(5));
  }
  bool FileExists() const { return std::filesystem::exists(path_); }
  std::string Content() const {
    std::ostringstream content;
    content << std::ifstream(path_, std::ios::binary).rdbuf();
    return content.str();
  }
  void WriteContent(absl::string_view content) const {
    std::ofstream(path_, std::ios::binary)
        .write(content.data(), static_cast<std::streamsize>(content.size()));
  }

  TempDirectory directory_;
  const std::string path_ = directory_.File("store");
};

// The bytes were taken from a file that torch's FileStore wrote.
TEST_F(FileStoreTest, WritesWhatTorchReads) {
  using std::string_literals::operator""s;
  auto store = Open();
  store->Set("k", "v");
  store->Add("n", 5);
  store->DeleteKey("k");
  store->CompareSet("c", "", "x");
  EXPECT_THAT(Content(), EndsWith("\2\0\0\0/k\1\0\0\0v"
                                  "\2\0\0\0/n\1\0\0\0"
                                  "5"
                                  "\3\0\0\0-/k\0\0\0\0"
                                  "\2\0\0\0/c\1\0\0\0x"s));
}

TEST_F(FileStoreTest, ReadsWhatTorchWrote) {
  using std::string_literals::operator""s;
  WriteContent(
      "\2\0\0\0/k\1\0\0\0v"
      "\2\0\0\0/n\1\0\0\0"
      "5"
      "\3\0\0\0-/k\0\0\0\0"
      "\2\0\0\0/c\1\0\0\0x"s);
  auto store = Open();
  EXPECT_FALSE(store->Check({"k"}));
  EXPECT_EQ(store->Add("n", 1), 6);
  EXPECT_EQ(store->Get("c"), "x");
}

TEST_F(FileStoreTest, TheLastOneOutRemovesTheFile) {
  auto first = Open(/*world_size=*/2);
  auto second = Open(/*world_size=*/2);
  first.reset();
  EXPECT_TRUE(FileExists());
  second.reset();
  EXPECT_FALSE(FileExists());
}

TEST_F(FileStoreTest, TheFileStaysUntilAllHaveBeenThere) {
  Open(/*world_size=*/2).reset();
  EXPECT_TRUE(FileExists()) << "the second rank has not come yet";
  Open(/*world_size=*/2).reset();
  EXPECT_FALSE(FileExists());
}

TEST_F(FileStoreTest, TheFileStaysWhereTheWorldSizeIsNotKnown) {
  Open().reset();
  EXPECT_TRUE(FileExists());
}

TEST_F(FileStoreTest, AClonesLifeIsItsOriginals) {
  auto store = Open(/*world_size=*/1);
  std::unique_ptr<Store> clone = store->Clone();
  store.reset();
  clone->Set("k", "v");
  EXPECT_TRUE(FileExists());
  clone.reset();
  EXPECT_FALSE(FileExists());
}

TEST_F(FileStoreTest, ADirectoryThatIsNotThereIsAFileError) {
  const auto error = DistErrorOf([] { FileStore(net::RealEnv(), "/no/such/directory/store"); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kFile);
  EXPECT_THAT(error->what(), HasSubstr("/no/such/directory/store"));
  EXPECT_THAT(error->what(), HasSubstr("No such file or directory"));
}

TEST_F(FileStoreTest, DamageIsAFileErrorThatSaysWhere) {
  auto store = Open();
  store->Set("k", "v");
  const std::string whole = Content();
  WriteContent(whole + "\xff\xff\xff\xff");
  const auto error = DistErrorOf([&] { store->Check({"k"}); });
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code(), ErrorCode::kFile);
  EXPECT_THAT(error->what(), HasSubstr("damaged record at byte "));
  WriteContent(whole);
}

TEST_F(FileStoreTest, DescribesItsPath) {
  EXPECT_EQ(Open()->Describe(), "FileStore(path=" + path_ + ")");
}

}  // namespace
}  // namespace rollcall
