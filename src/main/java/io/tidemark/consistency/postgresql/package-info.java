/** Freezes PostgreSQL 14 to 18 by its non-exclusive backup interface, on one kept connection. */
@NullMarked
package io.tidemark.consistency.postgresql;

import org.jspecify.annotations.NullMarked;
