// What a call threw, for tests of messages.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "ckptbridge/error.hpp"

namespace ckptbridge {

// The message of the Error that body throws; the test fails when it throws none, or another code.
template <class Body>
std::string error_of(ckb_status code, Body&& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

}  // namespace ckptbridge
