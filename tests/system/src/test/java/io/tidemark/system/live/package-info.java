/** Live replication between sites in processes of their own, under faults. */
@NullMarked
package io.tidemark.system.live;

import org.jspecify.annotations.NullMarked;
