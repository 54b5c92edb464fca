/** Freezes applications and file systems for the instant of a cut, and says honestly what held. */
@NullMarked
package io.tidemark.consistency;

import org.jspecify.annotations.NullMarked;
