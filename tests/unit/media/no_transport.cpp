// Stands in for the transport on webrtcbin where a test brings its own.
#include "media/web_transport.h"

namespace offhook::media {

base::Result<std::shared_ptr<WebTransport>> WebTransport::create(Parts) {
    return base::fail(base::ErrorCode::Unavailable, "this test has no webrtcbin");
}

}  // namespace offhook::media
