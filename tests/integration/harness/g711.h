#pragma once

#include <cstdint>

namespace offhook::harness {

/// ITU-T G.711, written for the tests alone, so that the judge does not share the judged code.
std::uint8_t mulaw_of(std::int16_t sample);
std::int16_t from_mulaw(std::uint8_t code);
std::int16_t from_alaw(std::uint8_t code);

}  // namespace offhook::harness
