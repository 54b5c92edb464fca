/** What the outside must provide to replication. */
@NullMarked
package io.tidemark.replication.port;

import org.jspecify.annotations.NullMarked;
