/** Keeps what recovering Oracle Database 12c and later from an atomic cut needs, or its backup mode around the cut. */
@NullMarked
package io.tidemark.consistency.oracle;

import org.jspecify.annotations.NullMarked;
