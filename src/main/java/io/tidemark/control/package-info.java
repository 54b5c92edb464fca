/** Decides: one class per use case, operations that survive a restart, the schedule of links. */
@NullMarked
package io.tidemark.control;

import org.jspecify.annotations.NullMarked;
