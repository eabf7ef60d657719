#pragma once

#include <string>
#include <vector>

#include "model/sdp_offer.h"
#include "sdp/web_remote.h"

namespace offhook::sdp::test {

/// tests/unit/sdp/offers/<name>.sdp with CRLF line ends.
[[nodiscard]] std::string offer(const std::string& name);
/// Names of all of them that web legs take.
[[nodiscard]] const std::vector<std::string>& taken_offers();

/// Opus, PCMU, PCMA, opus16: what a web leg prefers.
[[nodiscard]] const std::vector<model::Codec>& web_codecs();
/// What a webrtcbin of ours would have said.
[[nodiscard]] WebLocal local_end();
[[nodiscard]] WebIdentity identity();

/// The lines of a description that begin with `start`, without their ends.
[[nodiscard]] std::vector<std::string> lines_with(const std::string& text,
                                                  const std::string& start);
[[nodiscard]] bool has_line(const std::string& text, const std::string& line);

/// Whether `answer` answers `offer` as RFC 3264 and RFC 8843 want it; what is wrong, else empty.
[[nodiscard]] std::string what_is_wrong(const WebRemote& offer, const std::string& answer);

}  // namespace offhook::sdp::test
