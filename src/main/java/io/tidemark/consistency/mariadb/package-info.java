/** Freezes MariaDB 10.6 and later by its backup stages, on one kept connection. */
@NullMarked
package io.tidemark.consistency.mariadb;

import org.jspecify.annotations.NullMarked;
