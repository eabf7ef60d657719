#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "caller/stream_meter.h"
#include "caller/wav_file.h"
#include "rtp/codec.h"

namespace offhook::caller {

/// Writes what a call heard, in the order of its sequence numbers: a missing packet is 20 ms of
/// silence, one that comes too late to be put in its place is left out.
/// @thread one
class Recorder {
public:
    /// @errors Io
    [[nodiscard]] static base::Result<Recorder> create(const std::string& path, model::Codec codec);

    void heard(const StreamMeter::Judged& judged);
    /// Completes the file. @errors Io
    [[nodiscard]] base::Result<void> close() { return writer_.close(); }

private:
    Recorder(WavWriter writer, std::unique_ptr<rtp::Decoder> decoder)
        : writer_(std::move(writer)), decoder_(std::move(decoder)) {}

    WavWriter writer_;
    std::unique_ptr<rtp::Decoder> decoder_;
};

}  // namespace offhook::caller
