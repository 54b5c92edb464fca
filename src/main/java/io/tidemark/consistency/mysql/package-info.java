/** Freezes MySQL 8.0.22 and later on one kept session: by its backup lock, or by its global read lock. */
@NullMarked
package io.tidemark.consistency.mysql;

import org.jspecify.annotations.NullMarked;
