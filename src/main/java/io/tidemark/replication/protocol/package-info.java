/** What travels between two sites: messages, their bytes in frames, invitation tokens. Layout: docs/formats/frames.md. */
@NullMarked
package io.tidemark.replication.protocol;

import org.jspecify.annotations.NullMarked;
