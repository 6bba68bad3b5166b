#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/text.h"
#include "tests/end_to_end/process.h"

namespace gocomet::testing {

// A certificate authority, by the commands that docs/operations.md names: PEM files in a directory.
class Authority {
 public:
  // Its own certificate is `DIRECTORY/NAME.pem`.
  Authority(std::string directory, std::string name)
      : directory_(std::move(directory)), name_(std::move(name)) {
    Make({"openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", Cat("/CN=", name_)}, name_);
  }

  std::string file() const { return FileOf(name_); }
  std::string FileOf(const std::string& name) const { return Cat(directory_, "/", name, ".pem"); }
  std::string KeyOf(const std::string& name) const {
    return Cat(directory_, "/", name, "-key.pem");
  }

  // `NAME.pem` and `NAME-key.pem`, for a subject such as `/O=gocomet:viewer/CN=ada`, good for
  // 127.0.0.1 and localhost.
  void Issue(const std::string& name, const std::string& subject) const {
    Make({"openssl", "req", "-x509", "-nodes", "-days", "2", "-CA", file(), "-CAkey", KeyOf(name_),
          "-subj", subject, "-addext", "basicConstraints=critical,CA:FALSE", "-addext",
          "subjectAltName=IP:127.0.0.1,DNS:localhost"},
         name);
  }

 private:
  void Make(std::vector<std::string> command, const std::string& name) const {
    command.insert(command.end(), {"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                                   "-keyout", KeyOf(name), "-out", FileOf(name)});
    const CommandResult made = RunCommand(command);
    EXPECT_EQ(made.exit_code, 0) << made.output;
  }

  const std::string directory_;
  const std::string name_;
};

}  // namespace gocomet::testing
