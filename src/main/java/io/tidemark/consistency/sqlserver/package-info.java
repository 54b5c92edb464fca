/** Suspends the databases of SQL Server 2022 and later for a snapshot backup, on one kept connection. */
@NullMarked
package io.tidemark.consistency.sqlserver;

import org.jspecify.annotations.NullMarked;
