/** Freezes an application by two programs that the local configuration names; a third may tell whether it is held. */
@NullMarked
package io.tidemark.consistency.command;

import org.jspecify.annotations.NullMarked;
