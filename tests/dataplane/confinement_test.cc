#include "dataplane/app/confinement.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gocomet::dataplane {
namespace {

// What a confined process may do is tried in processes of their own, since there is no way back.
class ConfinementTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/confinement.XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    directory_ = name;
    for (const char* part : {"/own", "/logs", "/sockets", "/others"})
      ASSERT_EQ(::mkdir((directory_ + part).c_str(), 0700), 0);
    MakeFile("/others/secret");
    MakeFile("/own/kept");
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  // What `tried` leaves in errno, once confined; 0 where it succeeds.
  void ExpectConfined(int wanted_error, const std::function<bool()>& tried) const {
    EXPECT_EXIT(
        {
          const absl::Status confined = Confine({.own_directories = {directory_ + "/own"},
                                                 .log_directories = {directory_ + "/logs"},
                                                 .socket_directories = {directory_ + "/sockets"}});
          if (!confined.ok()) ::_exit(255);
          errno = 0;
          ::_exit(tried() ? 0 : errno);
        },
        ::testing::ExitedWithCode(wanted_error), "");
  }

  bool CanOpen(const std::string& path, int flags) const {
    return ::open((directory_ + path).c_str(), flags, 0600) >= 0;
  }
  void MakeFile(const std::string& path) const {
    ASSERT_GE(::creat((directory_ + path).c_str(), 0600), 0);
  }

  std::string directory_;
};

TEST_F(ConfinementTest, ReadsWritesAndReplacesItsOwnFiles) {
  ExpectConfined(0, [this] { return CanOpen("/own/kept", O_RDWR); });
  ExpectConfined(0, [this] {
    return CanOpen("/own/new", O_WRONLY | O_CREAT) &&
           ::rename((directory_ + "/own/new").c_str(), (directory_ + "/own/kept").c_str()) == 0;
  });
}

TEST_F(ConfinementTest, SeesNoFilesOfOthers) {
  ExpectConfined(EACCES, [this] { return CanOpen("/others/secret", O_RDONLY); });
  ExpectConfined(EACCES, [this] { return CanOpen("/others/new", O_WRONLY | O_CREAT); });
  ExpectConfined(EACCES, [] { return ::open("/etc/passwd", O_RDONLY) >= 0; });
  ExpectConfined(EACCES, [this] { return ::unlink((directory_ + "/others/secret").c_str()) == 0; });
}

TEST_F(ConfinementTest, WritesLogsAndDoesNotReadThem) {
  ExpectConfined(0, [this] { return CanOpen("/logs/new", O_WRONLY | O_CREAT | O_APPEND); });
  ExpectConfined(EACCES, [this] { return CanOpen("/logs/new", O_RDWR | O_CREAT); });
}

TEST_F(ConfinementTest, MakesSocketsWhereTheyBelong) {
  const auto bind_at = [](const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    return ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  };
  ExpectConfined(0, [&] { return bind_at(directory_ + "/sockets/door"); });
  ExpectConfined(EACCES, [&] { return bind_at(directory_ + "/others/door"); });
}

TEST_F(ConfinementTest, StartsThreadsAndNoPrograms) {
  ExpectConfined(0, [] {
    bool ran = false;
    std::thread([&] { ran = true; }).join();
    return ran;
  });
  ExpectConfined(EPERM, [] { return ::execl("/bin/true", "true", nullptr) == 0; });
  ExpectConfined(EPERM, [] { return ::fork() >= 0; });
}

TEST_F(ConfinementTest, ChangesNothingOfTheMachine) {
  ExpectConfined(EPERM, [] { return ::mount("none", "/tmp", "tmpfs", 0, nullptr) == 0; });
  ExpectConfined(EPERM, [] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0; });
  ExpectConfined(EPERM, [] { return ::setuid(::getuid()) == 0; });
  ExpectConfined(EPERM, [] { return ::unshare(CLONE_NEWUSER) == 0; });
}

TEST_F(ConfinementTest, SpeaksToTheNetwork) {
  ExpectConfined(0, [] { return ::socket(AF_INET6, SOCK_STREAM, 0) >= 0; });
}

}  // namespace
}  // namespace gocomet::dataplane
