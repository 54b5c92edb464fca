/** The NBD protocol, pure: bytes in, bytes out; no sockets, files, threads or time. */
@NullMarked
package io.tidemark.export.protocol;

import org.jspecify.annotations.NullMarked;
