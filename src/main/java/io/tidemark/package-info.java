/** Tidemark: storage-level snapshots and block replication. */
@NullMarked
package io.tidemark;

import org.jspecify.annotations.NullMarked;
