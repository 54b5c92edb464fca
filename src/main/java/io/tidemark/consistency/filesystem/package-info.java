/** Freezes file systems through a guard process that thaws them even if this one dies. */
@NullMarked
package io.tidemark.consistency.filesystem;

import org.jspecify.annotations.NullMarked;
