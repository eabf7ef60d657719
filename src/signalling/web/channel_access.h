#pragma once

#include "access/join_tokens.h"
#include "access/keyring.h"
#include "base/error.h"
#include "http/message.h"
#include "signalling/web/channel_messages.h"

namespace offhook::signalling::web {

/// Who a client that wants into a channel is, and what it may do there.
///
/// A join token says all of it itself. Any other token needs the scope operate; then, and for a
/// client of this machine while there are no tokens, the client says who it is. The token may come
/// with the message or in the Authorization header.
/// @errors Denied: a wrong token, or none where one is needed; Timeout: it expired; LimitReached: too
/// many wrong ones; Unsupported: it may not do this; InvalidArgument: no user
/// @thread control
[[nodiscard]] base::Result<access::JoinGrant> grant_of(access::Keyring& keyring,
                                                       const http::Request& request,
                                                       const asked::Join& join);

}  // namespace offhook::signalling::web
