/** Connections between sites: mutual TLS 1.3 with pinned keys, frames on sockets, limits and graceful ends. */
@NullMarked
package io.tidemark.transport;

import org.jspecify.annotations.NullMarked;
