/** Freezes PostgreSQL 15 to 18 by its non-exclusive backup interface, on one kept connection. */
@NullMarked
package io.tidemark.consistency.postgresql;

import org.jspecify.annotations.NullMarked;
