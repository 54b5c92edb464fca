/** Volumes in memory, for the simulator and for tests. */
@NullMarked
package io.tidemark.provider.memory;

import org.jspecify.annotations.NullMarked;
